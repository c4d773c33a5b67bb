// Starts the page on the document that stands beside it, wherever both are nested.
const here = document.currentScript.src;

window.ui = SwaggerUIBundle({
  url: new URL("../api/openapi.json", here).href,
  dom_id: "#swagger-ui",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  // A reload keeps the token.
  persistAuthorization: true,
  // No validator on the net is asked.
  validatorUrl: null,
});
