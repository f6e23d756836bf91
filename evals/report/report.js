"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const root = document.documentElement;

  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  const calls = all("details.call");

  function follow(call) {
    const audio = call.querySelector("audio");
    const scroll = call.querySelector(".scroll");
    const head = call.querySelector(".playhead");
    const lines = all(".transcript li", call);
    const length = Number(call.dataset.ms) / 1000;
    let frame = 0;

    function show() {
      const at = audio.currentTime;
      const now = lines.filter((line) => line.dataset.from / 1000 <= at + 0.05 && at < line.dataset.to / 1000);
      lines.forEach((line) => line.classList.toggle("now", now.includes(line)));
      if (scroll) {
        const place = `${Math.min(100, (100 * at) / length)}%`;
        head.setAttribute("x1", place);
        head.setAttribute("x2", place);
        scroll.setAttribute("aria-valuenow", at.toFixed(1));
        const x = (scroll.scrollWidth * at) / length;
        if (x < scroll.scrollLeft || x > scroll.scrollLeft + scroll.clientWidth) scroll.scrollLeft = x - 40;
      }
    }
    function tick() {
      show();
      frame = audio.paused ? 0 : requestAnimationFrame(tick);
    }
    audio.addEventListener("play", () => {
      all("audio").forEach((other) => other !== audio && other.pause());
      call.classList.add("playing");
      if (!frame) tick();
    });
    audio.addEventListener("seeked", show);

    function seek(ms) {
      call.classList.add("playing");
      audio.currentTime = Math.max(0, Math.min(length, ms / 1000));
    }
    lines.forEach((line) =>
      line.addEventListener("click", () => {
        if (getSelection().toString()) return;
        seek(Number(line.dataset.from));
        audio.play();
      }),
    );
    if (scroll) {
      const picture = call.querySelector(".lanes");
      picture.addEventListener("click", (event) => {
        const box = picture.getBoundingClientRect();
        seek(((event.clientX - box.left) / box.width) * length * 1000);
      });
      scroll.addEventListener("keydown", (event) => {
        const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -5, PageUp: 5, Home: -Infinity, End: Infinity };
        if (event.key in steps) seek((audio.currentTime + steps[event.key]) * 1000);
        else if (event.key === " ") audio.paused ? audio.play() : audio.pause();
        else return;
        event.preventDefault();
      });
    }
    call.playFrom = (ms) => {
      seek(ms);
      audio.play();
    };
  }
  calls.filter((call) => call.querySelector("audio")).forEach(follow);

  all("button.play").forEach((button) =>
    button.addEventListener("click", () => {
      const call = document.getElementById(button.dataset.call);
      call.open = true;
      if (!call.contains(button)) call.scrollIntoView();
      call.playFrom(Number(button.dataset.from));
    }),
  );

  function reveal() {
    const call = document.getElementById(location.hash.slice(1));
    if (call && call.matches("details.call")) {
      call.hidden = false;
      call.open = true;
      call.scrollIntoView();
    }
  }
  addEventListener("hashchange", reveal);
  all('a[href^="#call-"]').forEach((link) => link.addEventListener("click", () => setTimeout(reveal)));
  reveal();

  const form = document.querySelector(".filter");
  const find = document.getElementById("find");
  const words = calls.map((call) => call.textContent.toLowerCase());
  function filter() {
    const wanted = find.value.trim().toLowerCase();
    const verdicts = all("input[name=verdict]:checked", form).map((box) => box.value);
    calls.forEach((call, n) => {
      call.hidden = !verdicts.includes(call.dataset.verdict) || !words[n].includes(wanted);
    });
    const shown = calls.filter((call) => !call.hidden).length;
    document.getElementById("found").textContent = `${shown} of ${calls.length}`;
  }
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();

  addEventListener("beforeprint", () => calls.forEach((call) => call.dataset.verdict === "failed" && (call.open = true)));
})();
