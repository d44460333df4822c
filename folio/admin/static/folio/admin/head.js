// What must be known before anything is painted: that scripts run at all, and which colours the page has.
//
// It is the one script that the page waits for; where it fails, it comes once more with the others. If one of those
// doesn't load, the page turns into what it is without scripts, and says so.

if (!window.folioTheme) {
  const page = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function storedTheme() {
    try {
      return JSON.parse(localStorage.getItem("adminTheme")) ?? "auto";
    } catch {
      return "auto"; // storage is forbidden, or holds what is not ours
    }
  }

  window.folioTheme = {
    get: storedTheme,
    set(theme) {
      localStorage.setItem("adminTheme", JSON.stringify(theme));
      this.show();
    },
    show() {
      const theme = storedTheme();
      page.classList.toggle("dark", theme === "dark" || (theme === "auto" && dark.matches));
      page.classList.toggle("light", theme === "light");
    },
  };

  page.dataset.scripts = "";
  window.folioTheme.show();
  dark.addEventListener("change", () => window.folioTheme.show());
  document.addEventListener(
    "error",
    (event) => {
      if (event.target.localName === "script") delete page.dataset.scripts;
    },
    true,
  );
  document.addEventListener("alpine:initialized", () => (page.dataset.ready = ""));
}
