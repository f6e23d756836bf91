// The page: what is pressed becomes a call, what happens in the call is shown.

import { Call, CallError, post } from "./call.js";
import { Level } from "./quality.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);
const base = `${new URL("..", import.meta.url).pathname}${document.body.dataset.agent}`;
const asked = new URLSearchParams(location.hash.slice(1)); // #ticket=... or #key=...: it never goes into a log
const view = new View();
const sound = $("sound");
let call = null;
let context = null;
let mine = null;
let theirs = null;

async function ticket() {
  const given = asked.get("ticket");
  asked.delete("ticket"); // it is good for one call
  if (given) return { ticket: given, ...(await helpers(given)) };
  if (parent !== window) return fromParent();
  const headers = asked.has("key") ? { Authorization: `Bearer ${asked.get("key")}` } : {};
  return post(`${base}/ticket`, { method: "POST", headers });
}

// The servers between two networks, for a ticket that came with the link.
function helpers(ticket) {
  const headers = { "Content-Type": "application/json" };
  return post(`${base}/servers`, { method: "POST", headers, body: JSON.stringify({ ticket }) });
}

// In a frame, the page around it asks: its browser says where it is.
function fromParent() {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new CallError("The page around this one does not answer.")), 10_000);
    addEventListener("message", function hear({ source, data }) {
      if (source !== parent || data?.type !== "voicebot:ticket") return;
      clearTimeout(timer);
      removeEventListener("message", hear);
      if (data.ticket) resolve(data);
      else reject(new CallError(data.problem || "This page may not embed the agent."));
    });
    parent.postMessage({ type: "voicebot:ticket" }, "*");
  });
}

async function start() {
  context ??= new AudioContext();
  context.resume();
  call = new Call(base, ticket);
  listen(call);
  view.began();
  try {
    await call.start($("microphone").value);
    if (call.over) return;
    showDevices();
    keepAwake();
  } catch (error) {
    view.hint(sentence(error), true);
  }
}

function listen(call) {
  let ticking = null;
  call.addEventListener("state", ({ detail }) => {
    view.state(detail === "live" ? "listening" : detail);
    if (detail === "live") ticking ??= setInterval(() => view.tick(), 500);
  });
  call.addEventListener("message", ({ detail }) => show(detail));
  call.addEventListener("quality", ({ detail }) => view.quality(detail));
  call.addEventListener("microphone", ({ detail }) => { mine?.close(); mine = new Level(context, detail); });
  call.addEventListener("stream", ({ detail }) => {
    sound.srcObject = detail;
    sound.play().catch(() => view.hint("Press any key to hear the agent.", true));
    theirs?.close();
    theirs = new Level(context, detail);
    call.output_s = context.outputLatency || 0.02;
    requestAnimationFrame(draw);
  });
  call.addEventListener("ended", ({ detail }) => { clearInterval(ticking); view.ended(detail); });
}

function show(message) {
  if (message.type === "state") view.state(message.state);
  else if (message.type === "agent") view.agent(message.turn, message.text);
  else if (message.type === "cut") view.cut(message.turn, message.heard);
  else if (message.type === "notice") view.notice(message.kind);
  else if (message.type === "caller" && message.final) view.caller(message.turn, message.text);
  else if (message.type === "caller") view.interim(message.text);
}

let drawing = 0;
function draw(now) {
  if (!call || call.over) { drawing = 0; return; }
  if (now - drawing > (view.calm ? 250 : 30)) {
    drawing = now;
    view.levels(call.muted ? 0 : mine?.value ?? 0, theirs?.value ?? 0);
  }
  requestAnimationFrame(draw);
}

function mute() {
  if (!call || call.over) return;
  call.mute(!call.muted);
  view.muted(call.muted);
}

function sentence(error) {
  if (error.name === "NotAllowedError") return "The microphone is not allowed. Allow it in your browser's settings of this page.";
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "No microphone was found.";
  if (error.name === "NotReadableError") return "The microphone is used by another program.";
  if (!navigator.mediaDevices) return "The microphone works on https:// pages only.";
  return error instanceof CallError ? error.message : "The server was not reached. Check your connection.";
}

async function showDevices() {
  const found = await navigator.mediaDevices.enumerateDevices();
  view.devices("audioinput", found, call?.microphone?.getAudioTracks()[0]?.getSettings().deviceId);
  if (sound.setSinkId) view.devices("audiooutput", found, sound.sinkId || "default");
}

async function keepAwake() {
  const lock = await navigator.wakeLock?.request("screen").catch(() => null);
  call.addEventListener("ended", () => lock?.release());
}

$("start").addEventListener("click", start);
$("mute").addEventListener("click", mute);
$("end").addEventListener("click", () => call?.end());
$("microphone").addEventListener("change", ({ target }) => {
  if (call && !call.over) call.use(target.value).catch((error) => view.hint(sentence(error), true));
});
$("loudspeaker").addEventListener("change", ({ target }) => sound.setSinkId(target.value).catch(() => {}));
$("type").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text) call?.type(text);
  $("text").value = "";
});
addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.code === "KeyM") mute();
  else if (event.code === "KeyE") call?.end();
  else return;
  event.preventDefault();
});
addEventListener("keydown", () => sound.srcObject && sound.paused && sound.play().catch(() => {}));
navigator.mediaDevices?.addEventListener("devicechange", () => call && !call.over && showDevices());
document.body.classList.toggle("framed", parent !== window);
view.state("idle");
