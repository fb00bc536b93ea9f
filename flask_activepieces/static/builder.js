// Shows the builder of Activepieces in the elements that the macro `activepieces_builder` makes, with Activepieces' SDK.
(() => {
  "use strict";

  const start = async (element) => {
    const { instanceUrl, token, prefix, route, failed, options } = element.dataset;
    // The token is read once, and should not stay in the document.
    element.removeAttribute("data-token");
    const status = element.querySelector("[data-activepieces-status]");
    const tell = (name, detail) => element.dispatchEvent(new CustomEvent(`activepieces:${name}`, { bubbles: true, detail }));
    const { builder, styling, ...embedding } = JSON.parse(options);
    const isDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
    if (!element.style.height && element.clientHeight < 400) {
      element.style.height = "75vh";
    }
    try {
      const result = await window.activepieces.configure({
        instanceUrl,
        jwtToken: token,
        ...(prefix === undefined ? {} : { prefix }),
        embedding: {
          ...embedding,
          styling: { ...styling, ...(styling?.mode === "system" ? { mode: isDark ? "dark" : "light" } : {}) },
          containerId: element.id,
          builder: {
            ...builder,
            // It replaces what the button does, so only if the page asks for it.
            ...(builder?.homeButtonClickedHandler ? { homeButtonClickedHandler: () => tell("home") } : {}),
          },
          navigation: { handler: ({ route: current }) => tell("navigate", { route: current }) },
        },
      });
      if (result?.status === "error") {
        throw new Error(result.error);
      }
      status.remove();
      const frame = element.querySelector("iframe");
      if (frame && !frame.title) {
        // For screen readers.
        frame.title = "Activepieces";
      }
      if (route !== undefined) {
        window.activepieces.navigate({ route });
      }
      tell("ready");
    } catch (error) {
      // The SDK was not loaded, or Activepieces did not accept the token. Its page would only say so once more.
      element.querySelector("iframe")?.remove();
      status.setAttribute("role", "alert");
      status.textContent = failed;
      tell("failed", { error });
    }
  };

  // A second script of this kind, on a page with two builders, finds the others without a token.
  const elements = document.querySelectorAll("[data-activepieces-builder][data-token]");
  for (const element of elements) {
    element.querySelector("[data-activepieces-status]").hidden = false;
  }
  const startAll = () => elements.forEach(start);
  if (document.readyState === "loading") {
    // By then, the browser has run the next script, the SDK, or failed to load it.
    document.addEventListener("DOMContentLoaded", startAll);
  } else {
    startAll();
  }
})();
