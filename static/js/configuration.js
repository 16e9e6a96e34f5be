/* Configuration screens: fields that depend on others, SOAP arguments, steps by keyboard, copying, task suggestions.
   Everything works without this file, only with more on the screen. */
(() => {
  "use strict";

  // --- fields that are shown only when others have certain values: data-show-when="kind=mail|note wsdl=" -----------
  const prefixOf = (name) => name.slice(0, name.lastIndexOf("-") + 1);
  const nameOf = (element) => element.name || element.dataset.name || "";

  function holds(test, prefix) {
    const [, field, sign, values] = test.match(/^([a-z_]+)(!?=|\^=)(.*)$/);
    const source = document.querySelector(`[name="${prefix}${field}"]`);
    if (!source) return true;
    if (sign === "^=") return source.value.startsWith(values);
    return values.split("|").includes(source.value) === (sign === "=");
  }

  function isWanted(element) {
    const prefix = prefixOf(nameOf(element));
    return element.dataset.showWhen.split(" or ").some((all) => all.split(" ").every((test) => holds(test, prefix)));
  }

  function refresh() {
    document.querySelectorAll("[data-show-when]").forEach((element) => {
      const line = element.closest(".field-line");
      if (line) line.classList.toggle("is-not-shown", !isWanted(element));
    });
    document.querySelectorAll(".form-row.field-row").forEach((row) => {
      const lines = [...row.querySelectorAll(":scope > .field-line")];
      if (lines.length) row.classList.toggle("is-not-shown", lines.every((line) => line.classList.contains("is-not-shown")));
    });
    document.querySelectorAll("fieldset.module").forEach((set) => {
      const rows = [...set.querySelectorAll(".form-row.field-row")];
      if (rows.length && !set.querySelector("fieldset, .formset")) {
        set.classList.toggle("is-not-shown", rows.every((row) => row.classList.contains("is-not-shown")));
      }
    });
  }

  // --- SOAP: only the chosen WSDL's operations, and the inputs for the chosen operation's arguments ------------------
  function offerOperations(wsdl) {
    const operation = document.querySelector(`[name="${prefixOf(wsdl.name)}soap_operation"]`);
    const label = wsdl.selectedOptions[0] ? wsdl.selectedOptions[0].text : "";
    if (!operation) return;
    operation.querySelectorAll("optgroup").forEach((group) => {
      group.hidden = group.disabled = Boolean(wsdl.value) && group.label !== label;
    });
    const chosen = operation.selectedOptions[0];
    if (chosen && chosen.parentElement.disabled) operation.value = "";
  }

  async function loadArguments(prefix) {
    const box = document.querySelector(`.soap-arguments[data-name="${prefix}soap_arguments"]`);
    const value = (name) => (document.querySelector(`[name="${prefix}${name}"]`) || {}).value || "";
    if (!box || !value("wsdl") || !value("soap_operation")) return;
    const query = new URLSearchParams({ wsdl: value("wsdl"), operation: value("soap_operation"),
      version: value("soap_version"), name: `${prefix}soap_arguments` });
    const answer = await fetch(`${box.dataset.url}?${query}`, { headers: { "X-Requested-With": "fetch" } });
    if (!answer.ok) return;
    const typed = new Map([...box.querySelectorAll("textarea")].map((area) => [area.name, area.value]));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".soap-arguments");
    fresh.querySelectorAll("textarea").forEach((area) => { area.value = typed.get(area.name) || area.value; });
    if (box.dataset.showWhen) fresh.dataset.showWhen = box.dataset.showWhen;
    box.replaceWith(fresh);
  }

  // --- steps: unfold opens a collapsed step by mouse only ------------------------------------------------------------
  function isOpen(heading) {
    const body = heading.parentElement.querySelector(":scope > div");
    return Boolean(body) && getComputedStyle(body).display !== "none";
  }

  function makeToggles() {
    document.querySelectorAll("#steps-group .form-group:not(.empty-form) h3:not(.step-toggle)").forEach((heading) => {
      heading.classList.add("step-toggle");
      heading.tabIndex = 0;
      heading.setAttribute("role", "button");
      const tell = () => heading.setAttribute("aria-expanded", String(isOpen(heading)));
      // Alpine shows and hides some time after the click, by the style of the body.
      const body = heading.parentElement.querySelector(":scope > div");
      if (body) new MutationObserver(tell).observe(body, { attributes: true, attributeFilter: ["style", "class"] });
      heading.addEventListener("keydown", (event) => {
        if (event.target === heading && (event.key === "Enter" || event.key === " ")) {
          event.preventDefault();
          heading.click();
        }
      });
      tell();
    });
  }

  // A new step is shown open, as soon as Alpine knows it.
  function open(heading, tries = 40) {
    const data = window.Alpine ? window.Alpine.$data(heading) : {};
    if ("openRow" in data) data.openRow = true;
    else if (tries) setTimeout(() => open(heading, tries - 1), 50);
  }

  function nameNewStep(input) {
    const title = input.closest(".form-group.template:not(.empty-form)")?.querySelector("h3 strong");
    if (title) title.textContent = input.value || title.textContent;
  }

  document.addEventListener("formset:added", (event) => {
    makeToggles();
    refresh();
    const heading = event.target.querySelector("h3.step-toggle");
    if (heading) setTimeout(() => open(heading), 0);
  });

  document.addEventListener("change", (event) => {
    const { target } = event;
    if (!target.name) return;
    if (/^steps-\d+-name$/.test(target.name)) nameNewStep(target);
    if (/(^|-)wsdl$/.test(target.name)) offerOperations(target);
    if (/(^|-)(wsdl|soap_operation|soap_version)$/.test(target.name)) loadArguments(prefixOf(target.name));
    refresh();
  });

  // --- copying ------------------------------------------------------------------------------------------------------
  document.addEventListener("click", async (event) => {
    const button = event.target.closest(".copy-text");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  });

  // --- suggestions for a task -----------------------------------------------------------------------------------------
  let waiting = 0;
  document.addEventListener("input", (event) => {
    if (!event.target.dataset || !event.target.dataset.suggest) return;
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const list = document.getElementById(event.target.dataset.suggest);
      const answer = await fetch(`${list.dataset.url}?${new URLSearchParams({ q: event.target.value })}`);
      if (!answer.ok) return;
      const { tasks } = await answer.json();
      list.replaceChildren(...tasks.map((text) => Object.assign(document.createElement("option"), { value: text })));
    }, 200);
  });

  // --- what takes a while: say so, and send it once -------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const busy = event.submitter?.dataset.busy || form.dataset.busy;
    if (!busy || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    const note = Object.assign(document.createElement("p"), { className: "config-note busy-note" });
    note.setAttribute("role", "status");
    (event.submitter?.closest(".config-actions, .config-bar, li") || form).after(note);
    setTimeout(() => { note.textContent = busy; }, 300);
  });

  // Back from the next page: the same page as it was, ready to be sent again.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
    document.querySelectorAll(".busy-note").forEach((note) => note.remove());
  });

  // --- where to look first: what came of a test, or the first field with an error -------------------------------------
  const lookFirst = () => {
    const fields = ".errors input:not([type=hidden]), .errors select, .errors textarea";
    const first = document.querySelector(`.config-page [data-focus], .config-page :is(${fields})`);
    if (first) first.focus();
  };

  document.addEventListener("DOMContentLoaded", () => {
    lookFirst();
    document.querySelectorAll("select[name$=wsdl]").forEach(offerOperations);
    document.querySelectorAll("#steps-group input[name$=-name]").forEach(nameNewStep);
    makeToggles();
    refresh();
  });
})();
