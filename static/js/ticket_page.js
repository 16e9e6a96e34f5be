// A ticket's page in the admin. Everything works without this file; it only spares the agent small annoyances.
document.addEventListener("submit", (event) => {
  // The server carries out a form once; this shows that the click was received.
  for (const button of event.target.querySelectorAll("button[type=submit]")) {
    button.setAttribute("aria-busy", "true");
  }
});

// News from the server replace the tasks, except while the agent fills in a form there.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target.id === "ticket-tasks" && event.detail.target.querySelector("form")) {
    event.detail.shouldSwap = false;
  }
});

// Unfold shows the page only once its scripts have run: too late for the browser's own autofocus.
window.addEventListener("load", () => {
  document.querySelector("[autofocus]")?.focus();
});
