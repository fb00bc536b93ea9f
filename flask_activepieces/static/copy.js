// Buttons that copy a value. Without this file, a click on the value selects all of it.
(() => {
  "use strict";

  if (!navigator.clipboard) return;
  for (const row of document.querySelectorAll("[data-copy]")) {
    const { copyLabel, copiedLabel, copyName } = row.dataset;
    const value = row.querySelector(".ap-copy");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "ap-button";
    button.textContent = copyLabel;
    button.setAttribute("aria-label", `${copyLabel}: ${copyName}`);
    const said = document.createElement("span");
    said.className = "ap-visually-hidden";
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(value.textContent);
      } catch {
        // The browser does not allow it: the user can still press the keys for copying.
        getSelection().selectAllChildren(value);
        return;
      }
      button.textContent = said.textContent = copiedLabel;
      setTimeout(() => {
        button.textContent = copyLabel;
        said.textContent = "";
      }, 2000);
    });
    row.append(button, said);
  }
})();
