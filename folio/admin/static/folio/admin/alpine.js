// unfold's components for Alpine's build without eval, which reads expressions by a parser of its own.
//
// That parser knows no global names and no statements. What unfold's templates call by global names is registered
// here, and the few expressions that are more than an expression are read as one that says the same.

document.addEventListener("alpine:init", () => {
  Alpine.$persist = () => ({ as: () => window.folioTheme.get() }); // unfold's theme() asks for it
  Alpine.directive("resize", resize);
  Alpine.data("theme", wholePage);
  Alpine.data("searchForm", searchForm);
  Alpine.data("searchDropdown", searchDropdown);
  Alpine.data("searchCommand", searchCommand);
  Alpine.data("folioPage", page);
  Alpine.mapAttributes(({ name, value }) => ({ name, value: typeof value === "string" ? expression(value) : value }));
  Alpine.interceptInit(makeReachable);
});

/** unfold's state of the page, with the theme as head.js keeps it, and with what an opened part needs loaded then. */
function wholePage(...given) {
  const made = theme(...given);
  const { init } = made;
  delete made.themeBindings["x-bind:class"];
  made.init = function () {
    init.call(this);
    this.$watch("adminTheme", (value) => window.folioTheme.set(value));
    this.$watch("filterOpen", (isOpen) => isOpen && loadFilters());
  };
  return made;
}

/** Load what the opened filters need: styles, then scripts in their order. */
function loadFilters() {
  const parts = document.getElementById("folio-filter-parts");
  if (!parts) return;
  const wanted = parts.content.cloneNode(true);
  parts.remove();
  for (const script of wanted.querySelectorAll("script")) script.replaceWith(loading(script.src));
  document.head.append(wanted);
}

function loading(source) {
  const script = document.createElement("script"); // one that was parsed within a template never runs
  script.src = source;
  script.async = false;
  return script;
}

// The search over everything asks the server through htmx, which is loaded when it is opened.
document.addEventListener("focusin", ({ target }) => {
  if (target.id !== "search-input-command" || window.htmx) return;
  window.htmx = "coming";
  const script = loading(document.getElementById("folio-page-texts").dataset.search);
  script.addEventListener("load", () => {
    window.htmx.process(document.body); // by itself it waits for an event that a page with slow pictures has had long ago
    askFor(target);
  });
  document.head.append(script);
});

/** Ask for what was typed before htmx came: it takes what it finds in the box for asked already. */
function askFor(box) {
  const typed = box.value;
  for (const value of ["", typed]) {
    box.value = value;
    box.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
  }
}

// unfold scrolls its sidebar to the page that is open by the library that draws its bars; the browser draws them here.
window.SimpleBar = { instances: { get: (element) => ({ getScrollElement: () => element }) } };

/** As Alpine's plugin of this name: tell an expression its element's width. */
function resize(element, { expression }, { evaluateLater, cleanup }) {
  const evaluate = evaluateLater(expression);
  const observer = new ResizeObserver(([entry]) => {
    const [{ inlineSize, blockSize }] = entry.borderBoxSize;
    evaluate(() => {}, { scope: { $width: inlineSize, $height: blockSize } });
  });
  observer.observe(element);
  cleanup(() => observer.disconnect());
}

/** What the whole page knows: which tab is open, whether the sidebar is, and unfold's functions for dragging. */
function page() {
  return {
    activeTab: "",
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    init() {
      this.activeTab = getCurrentTab() || this.$el.dataset.firstTab;
      this.$watch("sidebarDesktopOpen", (isOpen) => localStorage.setItem("sidebarDesktopOpen", isOpen ? "1" : "0"));
    },
    get formAction() {
      const tab = this.activeTab && this.activeTab !== "general" ? `#${this.activeTab}` : "";
      return location.pathname + location.search + tab;
    },
    follow(link) {
      location.href = link.href + location.hash;
    },
    /** Close a menu of which Escape was pressed; the focus goes back to its button. */
    closeMenu(isOpen, button) {
      if (isOpen) button.focus();
      return false;
    },
    sortRecords: (event) => sortRecords(event),
    moveRecords: (event) => moveRecords(event),
  };
}

function expression(value) {
  if (value.startsWith("activeTab && ") && value.includes("window.location")) return "formAction";
  if (value.startsWith("window.location.href = $el.href")) return "follow($el)";
  return value.replace(/^if \((.*)\) (\w+\([^)]*\))$/, "$1 && $2");
}

/** Let the keyboard reach what unfold's templates made for the mouse only. */
function makeReachable(element) {
  if (!element.hasAttribute("x-on:click") || element.closest("label, summary")) return;
  if (element.matches("button, a[href], input, select, textarea, #changelist-filter-close, #changelist-filter *")) return;
  if (!element.hasAttribute("role")) element.setAttribute("role", "button");
  if (!element.hasAttribute("tabindex")) element.tabIndex = 0;
  element.addEventListener("keydown", (event) => {
    if (event.target !== element || (event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    element.click();
  });
}
