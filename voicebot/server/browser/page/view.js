// What is seen of a call. It knows the page's elements, and nothing of connections.

const $ = (id) => document.getElementById(id);
const STATES = {
  connecting: "Connecting …",
  listening: "Listening",
  hearing: "Listening to you",
  thinking: "Thinking",
  speaking: "Speaking",
  lost: "Connection lost. Reconnecting …",
};
const ENDS = {
  caller_hung_up: "You hung up.",
  agent_hung_up: "The call has ended.",
  handed_over: "You are being handed over.",
  lost: "The connection was lost.",
  failed: "The call did not work out.",
};
const NOTICES = {
  too_quiet: "You are hard to hear. Come closer to the microphone.",
  clipping: "You are too loud for the microphone.",
  dropouts: "Parts of what you say are lost on the way.",
};

export class View {
  #name = document.body.dataset.name;
  #last = null;
  #began = 0;
  #state = "";

  constructor() {
    new ResizeObserver(() => this.#follow()).observe($("transcript"));
  }

  get calm() { return matchMedia("(prefers-reduced-motion: reduce)").matches; }

  state(state) {
    if (state === this.#state) return;
    this.#state = document.body.dataset.state = state;
    const live = state !== "idle" && state !== "ended";
    $("start").hidden = live && state !== "connecting";
    $("start").disabled = state === "connecting";
    $("mute").hidden = $("end").hidden = !live || state === "connecting";
    $("text").disabled = document.querySelector(".send").disabled = !live || state === "connecting";
    if (STATES[state]) $("status").textContent = STATES[state];
  }

  began() {
    $("transcript").replaceChildren();
    $("empty").hidden = true;
    this.#last = null;
    this.#began = performance.now();
    this.hint("");
  }

  tick() {
    const s = Math.floor((performance.now() - this.#began) / 1000);
    $("clock").textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
  }

  ended(reason) {
    this.interim("");
    this.state("ended");
    this.levels(0, 0);
    this.quality({ bars: 0, rtt_ms: null, loss: null, jitter_ms: null });
    $("status").textContent = ENDS[reason] ?? "The call has ended.";
    $("start-label").textContent = "Talk again";
    $("start").focus({ preventScroll: true });
  }

  hint(text, bad = false) {
    $("hint").textContent = text;
    $("hint").classList.toggle("bad", bad);
  }

  notice(kind) { if (NOTICES[kind]) this.hint(NOTICES[kind]); }

  muted(yes) {
    $("mute").setAttribute("aria-pressed", String(yes));
    $("mute-label").textContent = yes ? "Muted" : "Mute";
  }

  // -- the transcript ------------------------------------------------------------------------------------------------

  interim(text) {
    $("interim").textContent = text;
    $("interim").hidden = !text;
    if (text) this.#follow();
  }

  caller(turn, text) {
    this.interim("");
    if (text) this.#add("caller", turn, "You", text);
  }

  agent(turn, text) {
    if (this.#last?.dataset.of === `agent ${turn}`) {
      this.#last.append(this.#words(text));
      this.#follow();
    } else {
      this.#add("agent", turn, this.#name, text);
    }
  }

  // Of what the agent began to say, only this was heard.
  cut(turn, heard) {
    const found = [...$("transcript").children].findLast((line) => line.dataset.of === `agent ${turn}`);
    if (!found) return;
    if (!heard) return found.remove();
    found.replaceChildren(found.firstChild, this.#words(heard));
    found.classList.add("cut");
    if (found === this.#last) this.#last = null;
  }

  #words(text) {
    const span = document.createElement("span");
    span.textContent = text.endsWith(" ") ? text : `${text} `;
    return span;
  }

  #add(side, turn, who, text) {
    const line = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = who;
    line.className = `line ${side}`;
    line.dataset.of = `${side} ${turn}`;
    line.append(name, this.#words(text));
    $("transcript").append(line);
    this.#last = line;
    this.#follow();
  }

  #follow() { $("transcript").scrollTo({ top: $("transcript").scrollHeight }); }

  // -- sound and connection ------------------------------------------------------------------------------------------

  levels(caller, agent) {
    $("level").value = caller;
    if (this.calm) return;
    document.documentElement.style.setProperty("--level-caller", caller.toFixed(2));
    document.documentElement.style.setProperty("--level-agent", agent.toFixed(2));
  }

  quality({ rtt_ms, loss, jitter_ms, bars }) {
    const shown = (value, text) => (value === null ? "–" : text(value));
    $("rtt").textContent = shown(rtt_ms, (ms) => `${Math.round(ms)} ms`);
    $("loss").textContent = shown(loss, (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);
    $("jitter").textContent = shown(jitter_ms, (ms) => `${Math.round(ms)} ms`);
    $("bars").dataset.bars = bars;
    $("quality-word").textContent = ["Microphone and connection", "Very poor connection", "Poor connection", "Fair connection", "Good connection"][bars];
  }

  devices(kind, found, used) {
    const list = $(kind === "audioinput" ? "microphone" : "loudspeaker");
    const options = found.filter((device) => device.kind === kind && device.deviceId).map((device, number) => {
      const option = new Option(device.label || `${list.labels[0].textContent} ${number + 1}`, device.deviceId);
      option.selected = device.deviceId === used;
      return option;
    });
    if (!options.length) return;
    list.replaceChildren(...options);
    list.hidden = list.labels[0].hidden = false;
  }
}
