// In place of Activepieces' embedding SDK: shows the stand-in's builder in a frame, and passes the token to it.
(() => {
  "use strict";

  let frame = null;
  let origin = "";
  let stop = new AbortController();

  const post = (message) => frame.contentWindow.postMessage(message, origin);

  const configure = ({ instanceUrl, jwtToken, prefix = "/", embedding = {} }) => {
    const container = document.getElementById(embedding.containerId);
    if (!container) {
      return Promise.reject(new Error("Activepieces: container not found"));
    }
    stop.abort();
    stop = new AbortController();
    frame?.remove();
    origin = new URL(instanceUrl).origin;
    frame = document.createElement("iframe");
    frame.title = "Activepieces";
    frame.style.cssText = "width: 100%; height: 100%; border: 0";
    frame.src = `${instanceUrl}/embed`;
    const { builder = {}, dashboard = {}, navigation = {}, styling = {}, ...rest } = embedding;

    return new Promise((resolve) => {
      const receive = (event) => {
        if (event.source !== frame.contentWindow) {
          return;
        }
        const { type, data } = event.data;
        if (type === "CLIENT_INIT") {
          const flat = { ...builder, ...dashboard, ...styling, ...rest };
          // Functions cannot be sent to a frame.
          delete flat.homeButtonClickedHandler;
          post({ type: "VENDOR_INIT", data: { ...flat, jwtToken, prefix, initialRoute: "/" } });
        } else if (type === "CLIENT_CONFIGURATION_FINISHED") {
          resolve({ status: "success" });
        } else if (type === "CLIENT_AUTHENTICATION_FAILED") {
          resolve({ status: "error", error: data });
        } else if (type === "CLIENT_ROUTE_CHANGED") {
          navigation.handler?.({ route: data.route });
        } else if (type === "CLIENT_BUILDER_HOME_BUTTON_CLICKED") {
          builder.homeButtonClickedHandler?.();
        }
      };
      window.addEventListener("message", receive, { signal: stop.signal });
      container.append(frame);
    });
  };

  const navigate = ({ route }) => {
    const vendorRoute = route.startsWith("/") ? route : `/${route}`;
    post({ type: "VENDOR_ROUTE_CHANGED", data: { vendorRoute } });
  };

  window.activepieces = { configure, navigate };
})();
