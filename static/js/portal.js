// Makes the end users' pages livelier. Everything on them works without it.
"use strict";

// A region that somebody is working in is left alone: its state stays "seen" and it is offered again later.
function isBusy(region) {
  if (region.querySelector("textarea:focus, input:focus, select:focus, button:focus, summary:focus")) return true;
  return [...region.querySelectorAll("textarea, input:not([type=hidden])")].some((field) =>
    field.type === "radio" || field.type === "checkbox" ? field.checked : field.value !== "",
  );
}

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const region = event.detail.target;
  if (region.classList.contains("region") && isBusy(region)) event.detail.shouldSwap = false;
});

// Ask for news, but not while nobody looks.
const poll = document.getElementById("poll");
if (poll) {
  const ask = () => {
    if (!document.hidden) htmx.trigger(poll, "poll");
  };
  const timer = setInterval(ask, Number(poll.dataset.pollSeconds) * 1000);
  document.addEventListener("visibilitychange", ask);
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.elt !== poll) return;
    const status = event.detail.xhr.status;
    if (status === 401) document.getElementById("signed-out").hidden = false;
    // Signed out, or no longer ours: asking again is of no use. A server that is down may come back.
    if (status === 401 || status === 404) {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", ask);
    }
  });
}

function markSent(form, sent) {
  form.toggleAttribute("data-sent", sent);
  for (const button of form.querySelectorAll("button[type=submit]")) {
    if (sent) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }
}

// A second click while the first is under way. The server holds it back too, so that after a while (a lost
// connection, the browser's stop button) sending again is safe.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.hasAttribute("data-sent")) {
    event.preventDefault();
    return;
  }
  markSent(form, true);
  setTimeout(() => markSent(form, false), 8000);
});

// Back in the history: the page as it was left, and its forms can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) markSent(form, false);
});

// After a refused form: to the first thing that is wrong.
const wrong = document.querySelector("main [aria-invalid=true], main .problem:not([hidden])");
if (wrong) {
  if (!wrong.hasAttribute("aria-invalid")) wrong.tabIndex = -1;
  wrong.focus();
}
