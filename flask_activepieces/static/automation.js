// Makes the automation area more comfortable. Everything on it also works without this file.
(() => {
  "use strict";

  // On small screens, the navigation is one row, which may be too long: begin with the current page.
  document.querySelector(".ap-nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  // A form is sent once, and says that it is being sent: Activepieces may take seconds to answer.
  for (const form of document.querySelectorAll(".ap-area form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.getAttribute("aria-busy") === "true") {
        event.preventDefault();
        return;
      }
      form.setAttribute("aria-busy", "true");
      const button = event.submitter;
      if (form.dataset.busy && button) {
        button.dataset.label = button.textContent;
        button.textContent = form.dataset.busy;
      }
    });
  }
  // The page may come back from the browser's cache, as it was when the form was sent.
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("[aria-busy=true]")) {
      form.removeAttribute("aria-busy");
      for (const button of form.querySelectorAll("[data-label]")) {
        button.textContent = button.dataset.label;
      }
    }
  });

  // Exact times in the reader's own time zone.
  const format = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
    dateStyle: "long",
    timeStyle: "long",
  });
  for (const time of document.querySelectorAll("time[datetime]")) {
    time.title = format.format(new Date(time.dateTime));
  }
})();
