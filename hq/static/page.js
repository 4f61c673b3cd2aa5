// Keeps ages counting, says when the page is no longer live, and tells HQ that a person is here.
// Times come from HQ's clock: the browser's may be wrong, only its pace is used.
"use strict";
(() => {
  const TICK_MS = 15000;
  const ALIVE_MS = 60000;
  const body = document.body;
  const skew = Number(body.dataset.now) - Date.now();
  const words = JSON.parse(body.dataset.ageWords);
  const MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

  const span = (past) =>
    past < 2 * HOUR ? words.min.replace("{n}", Math.floor(past / MINUTE))
    : past < 2 * DAY ? words.hour.replace("{n}", Math.floor(past / HOUR))
    : words.day.replace("{n}", Math.floor(past / DAY));

  const age = (ms) => {
    const past = Date.now() + skew - ms;
    return past < -2 * MINUTE ? words.ahead : past < MINUTE ? words.now
      : words.ago.replace("{age}", span(past));
  };

  const tick = () => document.querySelectorAll("time[data-ms] > b").forEach((shown) => {
    const text = age(Number(shown.parentElement.dataset.ms));
    if (shown.textContent !== text) shown.textContent = text;
  });
  setInterval(tick, TICK_MS);
  document.addEventListener("visibilitychange", () => document.hidden || tick());

  const pulse = document.getElementById("live");
  const lost = document.getElementById("lost");
  let heard = Number(body.dataset.now);
  const live = (is) => {
    if (!pulse) return;
    pulse.classList.toggle("on", is);
    pulse.firstElementChild.textContent = is ? body.dataset.live : body.dataset.connecting;
    if (is) heard = Date.now() + skew;
    const time = lost.querySelector("time");
    if (!is && time && lost.hidden) time.dataset.ms = heard;
    lost.hidden = is;
    body.classList.toggle("adrift", !is);
    tick();
  };
  document.addEventListener("htmx:sse:after:connection", () => live(true));
  document.addEventListener("htmx:sse:error", (event) => {
    if (event.detail && event.detail.status === 401) location.assign("/login?ended");
    else live(false);
  });
  document.addEventListener("htmx:error", (event) => {
    if (event.target && event.target.id === "live") live(false);
  });
  document.addEventListener("htmx:sse:after:message", () => { heard = Date.now() + skew; });
  document.addEventListener("ended", () => location.assign("/login?ended"));

  let told = Date.now();
  const here = () => {
    if (Date.now() - told < ALIVE_MS) return;
    told = Date.now();
    fetch("/alive", { method: "POST", headers: { "X-Form": body.dataset.form }, redirect: "manual" })
      .then((answer) => answer.status === 204 || location.assign("/login?ended"))
      .catch(() => {});
  };
  for (const name of ["keydown", "pointerdown", "wheel", "touchstart"]) {
    document.addEventListener(name, here, { passive: true });
  }
})();
