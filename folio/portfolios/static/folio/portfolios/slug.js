// The slug of a new entry follows its title until somebody writes one; that of an old one only when it is asked for.
// Employers and tags have a name in place of a title.

const MOST = 200;
const title = document.getElementById("id_title") ?? document.getElementById("id_name");
const slug = document.getElementById("id_slug");
const button = document.querySelector(".folio-slug-make");

/** Return the letters, marks and digits of a title, of any script, in lower case and with hyphens between. */
export function slugOf(text) {
  const words = text.normalize("NFC").toLowerCase().replaceAll("i\u0307", "i").split(/[^\p{L}\p{Mn}\p{Mc}\p{N}_]+/u);
  // Half a letter would be none: they are counted as the server counts them.
  return [...words.filter(Boolean).join("-")].slice(0, MOST).join("").replace(/-+$/, "");
}

if (title && slug) {
  let follows = button?.dataset.new === "true" && (!slug.value || slug.value === slugOf(title.value));

  const make = () => {
    const made = slugOf(title.value);
    if (made === slug.value) return;
    slug.value = made;
    slug.dispatchEvent(new Event("change", { bubbles: true }));
  };

  title.addEventListener("input", () => follows && make());
  slug.addEventListener("input", () => (follows = false));
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      make();
      slug.focus();
    });
  }
}
