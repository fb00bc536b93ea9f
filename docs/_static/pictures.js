// Shows the dark or the light pictures, as the reader chose with the theme switch; "auto" is the choice of the system.
const DARK = "(prefers-color-scheme: dark)";
const MEDIA = { dark: "all", light: "not all" };
const sources = document.querySelectorAll(`picture > source[media="${DARK}"]`);

function follow() {
  for (const source of sources) source.media = MEDIA[document.body.dataset.theme] ?? DARK;
}

follow();
new MutationObserver(follow).observe(document.body, { attributeFilter: ["data-theme"] });
