// unfold's components for Alpine's build without eval, which reads expressions by a parser of its own.
//
// That parser knows no global names and no statements. What unfold's templates call by global names is registered
// here, and the few expressions that are more than an expression are read as one that says the same.

document.addEventListener("alpine:init", () => {
  Alpine.data("theme", theme);
  Alpine.data("searchForm", searchForm);
  Alpine.data("searchDropdown", searchDropdown);
  Alpine.data("searchCommand", searchCommand);
  Alpine.data("folioPage", page);
  Alpine.mapAttributes(({ name, value }) => ({ name, value: typeof value === "string" ? expression(value) : value }));
  Alpine.interceptInit(makeReachable);
});

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
