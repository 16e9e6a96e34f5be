// A ticket's page in the admin. Everything works without this file; it only spares the agent small annoyances.
document.addEventListener("submit", (event) => {
  // The server carries out a form once; this shows that the click was received.
  for (const button of event.target.querySelectorAll("button[type=submit]")) {
    button.setAttribute("aria-busy", "true");
  }
});

// News from the server replace the tasks and the facts, except while the agent fills in a form or is about to press a
// button there.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const part = event.detail.target;
  if (part.id !== "ticket-head" && (part.querySelector("form.db-form") || part.contains(document.activeElement))) {
    event.detail.shouldSwap = false;
  }
});

// What goes with one status only is shown, and sent, with that status alone.
function showWhatGoesWith(select) {
  const status = select.selectedOptions[0]?.dataset.status ?? "";
  for (const part of select.form.querySelectorAll("[data-only-for]")) {
    part.hidden = !part.dataset.onlyFor.split(" ").includes(status);
    for (const field of part.querySelectorAll("input, select, textarea")) {
      field.disabled = part.hidden;
    }
  }
}
document.addEventListener("DOMContentLoaded", () => {
  for (const select of document.querySelectorAll("select:has(option[data-status])")) {
    select.addEventListener("change", () => showWhatGoesWith(select));
    showWhatGoesWith(select);
  }
});

// Where nothing is chosen yet, select2 leaves its box without a name. Ready functions run in turn: select2's is first.
window.django?.jQuery?.(() => {
  for (const box of document.querySelectorAll(".db-field .select2-selection")) {
    const label = box.closest(".db-field").querySelector("label").id;
    const chosen = box.querySelector(".select2-selection__rendered");
    box.setAttribute("aria-labelledby", `${label} ${chosen.id}`);
    chosen.setAttribute("aria-labelledby", label);
  }
});

// Unfold shows the page only once its scripts have run: too late for the browser's own autofocus.
window.addEventListener("load", () => {
  document.querySelector("[autofocus]")?.focus();
});
