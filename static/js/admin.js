/* What Unfold's frame keeps from those who do not see it, or have no mouse: where the content is, what its search fields
   are called, and its menus, filters and sidebar, which open by a click alone. */
(() => {
  "use strict";

  function nameSearchFields() {
    document.querySelectorAll(".select2-selection[role=combobox]").forEach((box) => {
      const select = box.closest(".select2").previousElementSibling;
      const label = select && select.labels && select.labels[0];
      const shown = box.querySelector(".select2-selection__rendered");
      if (!label || !shown) return;
      if (!label.id) label.id = `${select.id}-label`;
      shown.setAttribute("aria-labelledby", label.id);
      if (box.getAttribute("aria-labelledby")) box.setAttribute("aria-labelledby", `${label.id} ${shown.id}`);
    });
  }

  const OPENS = /openUserLinks|sidebar(Mobile|Desktop)Open|actionDropdownOpen|filterOpen/;
  const REACHED = "a[href], button, input:not([type=hidden]), select, textarea, [role=button]";
  const isShown = (element) => element.getClientRects().length > 0;
  const reached = () => [...document.querySelectorAll(REACHED)].filter(isShown);
  let opened = null;

  // What a press opens is somewhere at the end of the page: the focus goes there, and back again by Escape.
  function press(opener) {
    const before = new Set(reached());
    opener.click();
    setTimeout(() => {
      const first = reached().find((element) => !before.has(element));
      if (!first) return;
      first.focus();
      opened = { opener, first };
    }, 100);
  }

  function close() {
    const { opener, first } = opened;
    opened = null;
    if (!isShown(first)) return;
    const closer = document.querySelector(`[x-on\\:click="${opener.getAttribute("x-on:click").replace("= true", "= false")}"]`);
    (closer || opener).click();
    opener.focus();
  }

  function openByKeyboard() {
    const words = document.querySelector(".db-skip");
    document.querySelectorAll("[x-on\\:click]").forEach((element) => {
      const says = element.textContent.trim();
      if (!says || !OPENS.test(element.getAttribute("x-on:click")) || element.matches("a[href], button")) return;
      element.setAttribute("role", "button");
      element.tabIndex = 0;
      if (/sidebar/.test(element.getAttribute("x-on:click")) && words) element.setAttribute("aria-label", words.dataset.menu);
      element.addEventListener("keydown", (event) => {
        if (event.target !== element || !["Enter", " "].includes(event.key)) return;
        event.preventDefault();
        press(element);
      });
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && opened) close();
    });
  }

  // What a worker was asked for on a page is awaited there: the page loads again so often as its address says, until it
  // is done, or somebody types something.
  function awaitWorker() {
    const url = new URL(location.href);
    const left = Number(url.searchParams.get("awaited"));
    if (!left) return;
    url.searchParams.delete("awaited");
    if (!document.querySelector("[data-awaited]")) {
      history.replaceState(null, "", url);
      return;
    }
    let typed = false;
    for (const kind of ["input", "change"]) document.addEventListener(kind, () => { typed = true; });
    setTimeout(() => {
      if (typed) return;
      if (left > 1) url.searchParams.set("awaited", left - 1);
      location.replace(url);
    }, 2500);
  }

  document.addEventListener("DOMContentLoaded", () => {
    openByKeyboard();
    awaitWorker();
    const main = document.getElementById("main");
    if (main) main.setAttribute("role", "main");
    // In line behind what makes the search fields; rows that are added get theirs later.
    if (window.django && window.django.jQuery) window.django.jQuery(nameSearchFields);
  });
  document.addEventListener("formset:added", () => setTimeout(nameSearchFields));
  // Parts that scroll are landmarks of the same name: so many that none leads anywhere.
  window.addEventListener("load", () => {
    document.querySelectorAll(".simplebar-content-wrapper").forEach((part) => part.setAttribute("role", "group"));
  });
})();
