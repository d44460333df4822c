// Pictures open within the page. Without this script their links open them by themselves.

const SWIPE = 40; // pixels

/** Let the pictures of a page open in its <dialog>. */
export function openWithin(root) {
  const links = [...root.querySelectorAll("a.zoom")];
  const template = root.querySelector("#lightbox");
  if (!links.length || !template || !("showModal" in HTMLDialogElement.prototype)) return;
  let box = null;
  let place = 0;

  function show(next) {
    place = (next + links.length) % links.length;
    const picture = links[place].firstElementChild.cloneNode(true);
    const image = picture.matches("img") ? picture : picture.querySelector("img");
    for (const each of [image, ...picture.querySelectorAll("source")]) each.sizes = "100vw";
    image.loading = "eager";
    const caption = links[place].closest("figure")?.querySelector("figcaption")?.cloneNode(true);
    box.querySelector("figure").replaceChildren(picture, ...(caption ? [caption] : []));
  }

  function made() {
    const dialog = template.content.firstElementChild.cloneNode(true);
    const on = (name, act) => dialog.querySelector(name).addEventListener("click", act);
    on(".close", () => dialog.close());
    on(".prev", () => show(place - 1));
    on(".next", () => show(place + 1));
    if (links.length === 1) for (const button of dialog.querySelectorAll(".prev, .next")) button.hidden = true;
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.matches("figure")) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || links.length === 1) return;
      event.preventDefault();
      show(place + (getComputedStyle(dialog).direction === "rtl" ? -step : step));
    });
    dialog.addEventListener("close", () => links[place].focus());
    let from = null;
    dialog.addEventListener("pointerdown", (event) => (from = event.clientX));
    dialog.addEventListener("pointerup", (event) => {
      const way = event.clientX - from;
      if (event.pointerType !== "mouse" && Math.abs(way) > SWIPE && links.length > 1) show(place + (way < 0 ? 1 : -1));
    });
    document.body.append(dialog);
    return dialog;
  }

  links.forEach((link, index) => {
    link.addEventListener("click", (event) => {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      box ??= made();
      show(index);
      box.showModal();
    });
  });
}

openWithin(document);
