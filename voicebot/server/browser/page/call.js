// One call: microphone, signalling, the connection, and another connection when the network has changed.

import { Quality } from "./quality.js";

const GATHER_MS = 600; // addresses that are found later are sent on their own
const CONNECT_MS = 10_000;
const SETTLE_MS = 2_000; // a connection that stumbles may recover by itself
const GIVE_UP_MS = 30_000; // the server waits for so long
const HERE_MS = 1_000;
const VOICE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

export class CallError extends Error {}

// Events: "state" (connecting, live, lost, ended), "message" (from the server), "quality", "stream", "microphone".
export class Call extends EventTarget {
  #base;
  #ticket;
  #id = null;
  #secret = null;
  #servers = [];
  #connection = null;
  #channel = null;
  #microphone = null;
  #quality = new Quality();
  #told = 0;
  #muted = false;
  #over = false;
  #mending = null;
  #timers = [];
  #listening = new AbortController();
  output_s = 0.02; // from here to the loudspeaker

  // `ticket` gives {ticket, ice_servers}.
  constructor(base, ticket) {
    super();
    this.#base = base;
    this.#ticket = ticket;
  }

  get microphone() { return this.#microphone; }
  get muted() { return this.#muted; }
  get over() { return this.#over; }
  get connection() { return this.#connection; }

  async start(device) {
    try {
      await this.#start(device);
    } catch (error) {
      if (this.#over) return; // one who hangs up while it connects knows why
      this.#finish("failed");
      throw error;
    }
  }

  async #start(device) {
    this.#say("state", "connecting");
    const asked = this.#ticket();
    asked.catch(() => {}); // it is awaited behind the microphone
    await this.use(device);
    const { ticket, ice_servers } = await asked;
    this.#servers = ice_servers.map(({ urls, username, credential }) => (username ? { urls, username, credential } : { urls }));
    await this.#connect((sdp) => this.#post("calls", { ticket, sdp }));
    this.#timers.push(setInterval(() => this.#here(), HERE_MS));
    const signal = this.#listening.signal;
    addEventListener("online", () => this.#changed(), { signal });
    navigator.connection?.addEventListener("change", () => this.#changed(), { signal });
    addEventListener("pagehide", () => this.end(), { signal });
    this.#say("state", "live");
  }

  // Another microphone, now and from now on.
  async use(device) {
    const wanted = device ? { ...VOICE, deviceId: { exact: device } } : VOICE;
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    const [track] = stream.getAudioTracks();
    if (this.#over) return track.stop();
    track.enabled = !this.#muted;
    track.addEventListener("ended", () => this.#over || this.use("").catch(() => {})); // it was pulled out
    await this.#sender()?.replaceTrack(track);
    this.#microphone?.getTracks().forEach((each) => each.stop());
    this.#microphone = stream;
    this.#say("microphone", stream);
  }

  mute(yes) {
    this.#muted = yes;
    this.#microphone?.getAudioTracks().forEach((track) => { track.enabled = !yes; });
  }

  type(text) { this.#send({ type: "text", text }); }

  end() {
    if (this.#over) return;
    this.#send({ type: "hang_up" });
    if (this.#id) this.#post(`calls/${this.#id}/end`, {}, { keepalive: true }).catch(() => {});
    this.#finish("caller_hung_up");
  }

  // -- the connection ------------------------------------------------------------------------------------------------

  #sender() { return this.#connection?.getSenders().find((sender) => sender.track?.kind === "audio"); }

  async #connect(ask) {
    const connection = new RTCPeerConnection({ iceServers: this.#servers, bundlePolicy: "max-bundle" });
    const late = [];
    try {
      const channel = this.#open(connection);
      const streams = new Promise((resolve) => connection.addEventListener("track", (event) => resolve(event.streams[0] ?? new MediaStream([event.track])), { once: true }));
      connection.addTrack(this.#microphone.getAudioTracks()[0], this.#microphone);
      await connection.setLocalDescription();
      await gathered(connection);
      connection.addEventListener("icecandidate", ({ candidate }) => candidate?.candidate && this.#later(late, candidate));
      const answered = await ask(connection.localDescription.sdp);
      if (answered.id) [this.#id, this.#secret] = [answered.id, answered.secret];
      if (this.#over) throw new CallError("The call is over.");
      await connection.setRemoteDescription({ type: "answer", sdp: answered.sdp });
      await connected(connection);
      if (this.#over) throw new CallError("The call is over.");
      const before = this.#connection;
      [this.#connection, this.#channel] = [connection, channel];
      before?.close();
      connection.addEventListener("connectionstatechange", () => this.#stumbled(connection));
      this.#say("stream", await streams);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  #open(connection) {
    const channel = connection.createDataChannel("voicebot");
    channel.addEventListener("open", () => channel.send(JSON.stringify({ type: "after", n: this.#told })));
    channel.addEventListener("message", ({ data }) => this.#heard(JSON.parse(data)));
    return channel;
  }

  #later(late, candidate) {
    late.push({ candidate: candidate.candidate, mid: candidate.sdpMid ?? "0" });
    if (late.length > 1 || !this.#id) return;
    setTimeout(() => this.#post(`calls/${this.#id}/candidates`, { candidates: late.splice(0, 24) }).catch(() => {}), 100);
  }

  #stumbled(connection) {
    if (connection !== this.#connection || this.#over) return;
    if (connection.connectionState === "connected") return this.#say("state", "live");
    if (connection.connectionState === "disconnected") {
      this.#say("state", "lost");
      setTimeout(() => connection.connectionState === "connected" || connection !== this.#connection || this.#mend(), SETTLE_MS);
    } else {
      this.#mend();
    }
  }

  // The network is another one: what the old connection says of itself may take half a minute to be true.
  #changed() {
    if (!this.#over && navigator.onLine) this.#mend();
  }

  #mend() {
    this.#mending ??= this.#mended().finally(() => { this.#mending = null; });
  }

  async #mended() {
    const until = performance.now() + GIVE_UP_MS;
    for (let wait = 250; !this.#over && performance.now() < until; wait = Math.min(2 * wait, 4_000)) {
      this.#say("state", "lost");
      try {
        await this.#connect((sdp) => this.#post(`calls/${this.#id}/offer`, { sdp }));
        return this.#say("state", "live");
      } catch (error) {
        if (error.status === 404 || error.status === 401) return this.#finish("lost");
        if (this.#connection?.connectionState === "connected") return this.#say("state", "live");
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    this.#finish("lost");
  }

  // -- words ---------------------------------------------------------------------------------------------------------

  #heard(message) {
    if (this.#over || message.n <= this.#told) return; // it was told over the connection before
    this.#told = message.n;
    this.#say("message", message);
    if (message.type === "ended") this.#finish(message.reason);
  }

  #send(message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  async #here() {
    const connection = this.#connection;
    if (connection.connectionState !== "connected") return;
    const found = await this.#quality.measure(connection, this.output_s);
    this.#send(found.delay_ms === null ? { type: "here" } : { type: "here", delay_ms: Math.round(found.delay_ms) });
    this.#say("quality", found);
  }

  async #post(path, body, options = {}) {
    const headers = { "Content-Type": "application/json" };
    if (this.#secret) headers.Authorization = `Bearer ${this.#secret}`;
    return post(`${this.#base}/${path}`, { method: "POST", headers, body: JSON.stringify(body), ...options });
  }

  #say(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  #finish(reason) {
    if (this.#over) return;
    this.#over = true;
    this.#listening.abort();
    this.#timers.forEach(clearInterval);
    this.#microphone?.getTracks().forEach((track) => track.stop());
    setTimeout(() => this.#connection?.close(), 300); // what was said last is on its way
    this.#say("state", "ended");
    this.#say("ended", reason);
  }
}

export async function post(url, options) {
  const answer = await fetch(url, { credentials: "omit", cache: "no-store", ...options });
  if (answer.ok) return answer.status === 204 ? {} : answer.json();
  const problem = await answer.json().catch(() => ({}));
  throw Object.assign(new CallError(problem.detail || `The server says ${answer.status}.`), { status: answer.status });
}

function gathered(connection) {
  if (connection.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, GATHER_MS);
    connection.addEventListener("icegatheringstatechange", () => connection.iceGatheringState === "complete" && resolve());
  });
}

function connected(connection) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (connection.connectionState === "connected") resolve();
      if (["failed", "closed"].includes(connection.connectionState)) reject(new CallError("No way to the server was found through this network."));
    };
    setTimeout(() => reject(new CallError("The server was not reached through this network.")), CONNECT_MS);
    connection.addEventListener("connectionstatechange", look);
    look();
  });
}
