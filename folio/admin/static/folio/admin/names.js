// What Django's and unfold's scripts leave out: names that a screen reader can say, arrows from right to left.
{
  function nameOf(select) {
    const label = select.labels?.[0] ?? select.closest("[data-label]");
    if (label) return (label.dataset.label ?? label.textContent).replace("*", "").trim();
    const group = select.closest("fieldset, li, .flex-col");
    return group?.querySelector("legend, h3, label")?.textContent.trim() ?? "";
  }

  function nameSelect2(container) {
    const select = container.previousElementSibling;
    const name = select?.matches("select") ? nameOf(select) : "";
    const box = container.querySelector(".select2-selection");
    if (!name || !box) return;
    const shown = container.querySelector(".select2-selection__rendered");
    box.setAttribute("aria-label", name);
    if (shown?.id) {
      box.id ||= `${shown.id}-box`;
      box.setAttribute("aria-labelledby", `${box.id} ${shown.id}`);
      shown.removeAttribute("role"); // a textbox of its own, and without a name, says nothing more
      shown.removeAttribute("aria-readonly");
    }
    container.querySelector(".select2-search__field")?.setAttribute("aria-label", name);
  }

  function nameSearch(field) {
    const open = document.querySelector(".select2-container--open .select2-selection");
    if (open) field.setAttribute("aria-label", open.getAttribute("aria-label") ?? "");
  }

  function nameTooltip(tip) {
    tip.setAttribute("role", "img");
  }

  const DIRECTED = new Set(["arrow_back", "arrow_forward", "chevron_left", "chevron_right", "dock_to_right", "logout", "undo", "redo"]);

  function mirror() {
    for (const symbol of document.querySelectorAll(".material-symbols-outlined")) {
      symbol.classList.toggle("folio-mirrored", DIRECTED.has(symbol.textContent.trim()));
    }
  }

  function nameAll() {
    for (const container of document.querySelectorAll("select + .select2-container")) {
      if (!container.querySelector(".select2-selection[aria-label]")) nameSelect2(container);
    }
    for (const field of document.querySelectorAll(".select2-dropdown .select2-search__field:not([aria-label])")) nameSearch(field);
    for (const tip of document.querySelectorAll("span.help-tooltip[aria-label]:not([role])")) nameTooltip(tip);
  }

  new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
  nameAll();
  if (document.dir === "rtl") mirror();
}
