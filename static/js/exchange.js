// The exchange log and the runs: copying a body. Everything else works without scripts.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copies);
  const range = document.createRange();
  range.selectNodeContents(source);
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Without https browsers give no clipboard: select the text, so that one key copies it.
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    source.focus();
    return;
  }
  const label = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => { button.textContent = label; }, 1500);
});
