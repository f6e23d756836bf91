// <script src="https://voice.example.com/talk/embed.js" data-agent="ava"></script>
// A button in a page of somebody else's, that opens the agent's page in a frame. data-label: what is written on it.
(() => {
  const me = document.currentScript;
  const agent = me?.dataset.agent ?? "";
  const page = new URL(encodeURIComponent(agent), new URL(".", me.src));
  const label = me.dataset.label || "Talk to us";
  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; position: fixed; z-index: 2147483000; right: 20px; bottom: 20px; font: 600 16px/1.2 system-ui, sans-serif; }
    button { display: flex; align-items: center; gap: 10px; min-height: 56px; padding: 0 24px 0 20px; border: 0; border-radius: 28px; cursor: pointer;
      font: inherit; color: #fff; background: linear-gradient(135deg, #3a5bd9, #7b5be6); box-shadow: 0 8px 28px #1b2a6b55; }
    button:focus-visible { outline: 3px solid #fff; outline-offset: -6px; }
    svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; }
    div { position: fixed; right: 20px; bottom: 92px; width: min(400px, calc(100vw - 24px)); height: min(680px, calc(100dvh - 112px));
      border-radius: 24px; overflow: hidden; box-shadow: 0 16px 60px #0005; background: #fff; }
    div[hidden] { display: none; }
    iframe { width: 100%; height: 100%; border: 0; color-scheme: normal; }
    @media (max-width: 480px) { div { right: 12px; } }`);

  const host = document.createElement("voicebot-talk");
  const root = host.attachShadow({ mode: "closed" });
  root.adoptedStyleSheets = [style];
  root.innerHTML = '<div hidden></div><button type="button" aria-expanded="false"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 15a3.5 3.5 0 0 0 3.5-3.5v-5a3.5 3.5 0 0 0-7 0v5A3.5 3.5 0 0 0 12 15ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3.5"/></svg><span></span></button>';
  const [panel, button] = root.children;
  button.querySelector("span").textContent = label;
  let frame = null;

  button.addEventListener("click", () => {
    const open = panel.hidden;
    panel.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    button.querySelector("span").textContent = open ? "Close" : label;
    if (open) {
      frame = document.createElement("iframe");
      frame.title = label;
      frame.allow = "microphone; autoplay; speaker-selection; screen-wake-lock";
      frame.src = page.href;
      panel.append(frame);
      frame.focus();
    } else {
      frame.remove(); // and the call is over
      frame = null;
      button.focus();
    }
  });

  // The ticket is asked for from here, so that the browser tells the server whose page this is.
  addEventListener("message", async ({ source, origin, data }) => {
    if (!frame || source !== frame.contentWindow || origin !== page.origin || data?.type !== "voicebot:ticket") return;
    let found = {};
    try {
      const answer = await fetch(`${page.href}/ticket`, { method: "POST", credentials: "omit" });
      found = await answer.json();
      if (!answer.ok) found = { problem: found.detail };
    } catch {
      found = { problem: "This page may not embed the agent." };
    }
    frame?.contentWindow.postMessage({ type: "voicebot:ticket", ...found }, page.origin);
  });

  const show = () => document.body.append(host);
  if (document.body) show();
  else addEventListener("DOMContentLoaded", show);
})();
