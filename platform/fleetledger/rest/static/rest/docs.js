// Shows the OpenAPI document; a change that is tried out carries the session's CSRF token.
"use strict";

(() => {
  const place = document.getElementById("swagger-ui");
  const safe = new Set(["GET", "HEAD", "OPTIONS"]);
  const root = document.documentElement;
  if (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches) {
    root.classList.add("dark-mode");
  }
  window.SwaggerUIBundle({
    url: place.dataset.schema,
    domNode: place,
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    requestInterceptor: (request) => {
      if (!safe.has((request.method || "GET").toUpperCase())) {
        request.headers["X-CSRFToken"] = place.dataset.csrf;
      }
      return request;
    },
  });
})();
