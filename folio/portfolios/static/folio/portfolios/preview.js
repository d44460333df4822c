// The preview: the theme that was chosen in the admin site, pictures shown large, commands copied.

import "../admin/moments.js";
import { copy } from "../admin/page.js";

try {
  const theme = JSON.parse(localStorage.getItem("adminTheme"));
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage, the system's theme is shown.
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const words = button.textContent;
  button.addEventListener("click", async () => {
    const code = document.getElementById(button.dataset.copy);
    try {
      await copy(code.textContent);
      button.textContent = button.dataset.copied;
      setTimeout(() => (button.textContent = words), 2000);
    } catch {
      getSelection().selectAllChildren(code); // it is one key press away
    }
  });
}

const dialog = document.getElementById("large");
if (dialog) {
  const links = [...document.querySelectorAll("[data-large]")];
  const image = dialog.querySelector("img");
  let current = 0;

  const show = (index) => {
    current = (index + links.length) % links.length;
    const link = links[current];
    image.src = link.href;
    image.width = link.dataset.width;
    image.height = link.dataset.height;
    image.alt = link.querySelector("img:not(.placeholder)").alt;
    dialog.querySelector("p").textContent = `${current + 1} / ${links.length}`;
  };

  links.forEach((link, index) =>
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(index);
      dialog.showModal();
    }),
  );
  for (const button of dialog.querySelectorAll("[data-step]")) {
    button.hidden = links.length < 2;
    button.addEventListener("click", () => show(current + Number(button.dataset.step)));
  }
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => links[current].focus());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) show(current + (document.dir === "rtl" ? -step : step));
  });
}
