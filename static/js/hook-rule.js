/* The page of a webhook's rule: the rule as it stands in the form is tried on the recorded call that is shown. */
(() => {
  "use strict";

  async function tryIt(section) {
    const place = document.getElementById("hook-trial");
    const form = document.querySelector("#content-main form[id$=_form]");
    const data = new FormData(form);
    data.set("call", section.dataset.call);
    let answer;
    try {
      answer = await fetch(section.dataset.url, { method: "POST", body: data });
    } catch {
      answer = { ok: false };
    }
    if (!answer.ok) {
      place.textContent = place.dataset.failed;
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    place.replaceChildren(page.querySelector(".hook-trial"));
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest("#hook-try")) tryIt(event.target.closest(".hook-try"));
  });
})();
