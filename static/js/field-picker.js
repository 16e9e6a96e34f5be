/* The list of fields beside templates: search it, choose with mouse or keyboard, insert where the cursor was. */
(() => {
  "use strict";

  let target = null;

  function insertion(button, area) {
    const spelling = document.querySelector("[name=picker-spelling]:checked");
    if (spelling && spelling.value === "legacy" && button.dataset.legacy) return button.dataset.legacy;
    // An expression is written without braces.
    return area.dataset.insert === "expression" ? button.dataset.path : button.dataset.template;
  }

  function insert(button) {
    const status = document.getElementById("field-picker-status");
    if (!target || !target.isConnected) {
      status.textContent = status.dataset.none;
      return;
    }
    const text = insertion(button, target);
    target.focus();
    target.setRangeText(text, target.selectionStart, target.selectionEnd, "end");
    target.dispatchEvent(new Event("input", { bubbles: true }));
    target.dispatchEvent(new Event("change", { bubbles: true }));
    status.textContent = text;
  }

  function filter(words) {
    document.querySelectorAll(".picker-list section").forEach((section) => {
      const rows = [...section.querySelectorAll("li")];
      rows.forEach((row) => {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      });
      section.hidden = rows.every((row) => row.hidden);
    });
  }

  function move(from, step) {
    const buttons = [...document.querySelectorAll(".picker-list button")].filter((b) => b.offsetParent !== null);
    const next = from ? buttons.indexOf(from) + step : 0;
    if (next < 0) document.getElementById("field-picker-search").focus();
    else if (buttons[next]) buttons[next].focus();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const picker = document.getElementById("field-picker");
    const search = document.getElementById("field-picker-search");
    if (!picker || !search) return;
    if (window.matchMedia("(max-width: 1279px)").matches) picker.querySelector("details").open = false;
    document.addEventListener("focusin", (event) => {
      if (!event.target.dataset || !event.target.dataset.insert) return;
      if (target) target.classList.remove("picker-target");
      target = event.target;
    });
    search.addEventListener("input", () => filter(search.value.toLowerCase().split(/\s+/).filter(Boolean)));
    picker.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-path]");
      if (button) insert(button);
    });
    picker.addEventListener("focusin", () => { if (target) target.classList.add("picker-target"); });
    picker.addEventListener("focusout", () => { if (target) target.classList.remove("picker-target"); });
    picker.addEventListener("keydown", (event) => {
      const button = event.target.closest("button[data-path]");
      if (event.target === search && event.key === "Enter") { event.preventDefault(); move(null, 0); }
      if (event.key === "ArrowDown" && (button || event.target === search)) { event.preventDefault(); move(button, 1); }
      if (event.key === "ArrowUp" && button) { event.preventDefault(); move(button, -1); }
    });
  });
})();
