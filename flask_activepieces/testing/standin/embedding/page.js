// The stand-in's builder: signs the user of the token in, and lists the flows of their project.
(() => {
  "use strict";

  const { apiRoot } = document.body.dataset;
  const show = (id, text) => {
    document.getElementById(id).textContent = text;
  };
  const post = (type, data = {}) => window.parent.postMessage({ type, data }, "*");

  const call = async (method, path, { body, token } = {}) => {
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(apiRoot + path, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) {
      throw new Error(`${path} answered ${response.status}`);
    }
    return response.json();
  };

  const signIn = async ({ jwtToken, initialRoute, disableNavigation, hideSidebar }) => {
    const user = await call("POST", "/managed-authn/external-token", { body: { externalAccessToken: jwtToken } });
    const token = user.token;
    const project = await call("GET", `/projects/${user.projectId}`, { token });
    const flows = await call("GET", `/flows?projectId=${user.projectId}`, { token });
    show("user", `${user.firstName} ${user.lastName}`);
    show("project", project.displayName);
    show("route", initialRoute);
    document.getElementById("flows").replaceChildren(
      ...flows.data.map((flow) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = flow.version.displayName;
        button.addEventListener("click", () => go(`/flows/${flow.id}`));
        item.append(button, ` ${flow.status === "ENABLED" ? "on" : "off"}`);
        return item;
      }),
    );
    document.getElementById("empty").hidden = flows.data.length > 0;
    document.getElementById("home").hidden = disableNavigation === true;
    document.getElementById("sidebar").hidden = hideSidebar === true;
    document.getElementById("builder").hidden = false;
    show("status", "");
  };

  const go = (route) => {
    show("route", route);
    post("CLIENT_ROUTE_CHANGED", { route });
  };

  window.addEventListener("message", async ({ source, data: message }) => {
    if (source !== window.parent) {
      return;
    }
    if (message.type === "VENDOR_ROUTE_CHANGED") {
      show("route", message.data.vendorRoute);
    } else if (message.type === "VENDOR_INIT") {
      try {
        await signIn(message.data);
      } catch (error) {
        show("status", "Activepieces did not accept the token.");
        post("CLIENT_AUTHENTICATION_FAILED", String(error));
        return;
      }
      post("CLIENT_CONFIGURATION_FINISHED");
    }
  });
  document.getElementById("home").addEventListener("click", () => post("CLIENT_BUILDER_HOME_BUTTON_CLICKED"));

  post("CLIENT_INIT");
})();
