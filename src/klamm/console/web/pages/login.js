import { get, post } from "../api.js";
import { h, show } from "../dom.js";
import { Page } from "../page.js";

class LogIn extends Page {
  static every = 0;

  title() {
    return "Log in";
  }

  load(signal) {
    return get("api/config/authentication", { signal });
  }

  view({ authType, oAuthProviders }) {
    const { problem } = this.words;
    return [
      problem ? h("p", { class: "problem", role: "alert", key: "back" }, problem) : null,
      authType === "OAUTH2" ? this.providers(oAuthProviders) : authType === "DISABLED" ? h("p", null, "Nobody needs to log in here. ", h("a", { href: "./" }, "To the clusters")) : this.form(authType),
    ];
  }

  providers(lines) {
    const next = encodeURIComponent(this.next.pathname + this.next.search);
    // A link of the browser's own: the provider's page is no page of this console.
    return h("ul", { class: "providers", key: "providers" }, lines.map((one) => h("li", null, h("a", { class: "button", href: `${one.authorizationUri}?next=${next}`, target: "_self" }, `Log in with ${one.clientName}`))));
  }

  form(authType) {
    const wrong = h("p", { class: "problem", role: "alert", hidden: true, key: "wrong" });
    const button = h("button", { type: "submit", class: "main" }, "Log in");
    return h(
      "form",
      {
        class: "log-in",
        key: "form",
        onsubmit: async (event) => {
          event.preventDefault();
          const { username, password } = event.target.elements;
          button.disabled = true;
          wrong.hidden = true;
          try {
            await post("api/login", { username: username.value, password: password.value });
            location.assign(this.next);
          } catch (error) {
            wrong.hidden = false;
            show(wrong, error.message);
            password.value = "";
            password.focus();
          } finally {
            button.disabled = false;
          }
        },
      },
      authType === "LDAP" ? h("p", null, "With the name and password of your organisation's directory.") : null,
      h("div", { class: "field" }, h("label", { for: "username" }, "User"), h("input", { id: "username", name: "username", autocomplete: "username", autocapitalize: "none", spellcheck: "false", required: true })),
      h("div", { class: "field" }, h("label", { for: "password" }, "Password"), h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true })),
      wrong,
      h("div", { class: "buttons" }, button),
    );
  }

  /** Where one wanted to go; only within this console. */
  get next() {
    const base = new URL(document.baseURI);
    try {
      const wanted = new URL(this.words.next ?? "", base);
      if (wanted.origin === base.origin && wanted.pathname.startsWith(base.pathname)) return wanted;
    } catch {
      // no address
    }
    return base;
  }
}
customElements.define("klamm-login", LogIn);
