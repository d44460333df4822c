// What is to be seen on the page anyway, said to those who listen to it.

let region = null;

/** Say something to screen readers, without a notice on the page. */
export function say(message) {
  const home = document.querySelector("dialog:modal") ?? document.body; // all else is out of reach while one is open
  if (!region || region.parentElement !== home) {
    region?.remove();
    region = document.createElement("div");
    region.className = "folio-hidden-visually folio-said";
    region.setAttribute("role", "status");
    home.append(region);
  }
  const words = document.createElement("p"); // each its own, so that the same words are said again
  words.textContent = message;
  setTimeout(() => region.append(words), 50); // a region that is new has to be known before it changes
  setTimeout(() => words.remove(), 10_000);
}
