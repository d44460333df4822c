// A work that is not published yet, for whoever has the link: by the templates that the pages are built with.

import { openWithin } from "./site.js";
import { Rules } from "./templates/picture.js";
import { work } from "./templates/work.js";

const { texts, api, base } = JSON.parse(document.querySelector("#site").textContent);
const site = { texts, at: (path) => encodeURI(base + path) };
const note = document.querySelector(".note");
const query = new URLSearchParams(location.search);
const slug = query.get("slug");
const token = query.get("token") ?? query.get("preview");

async function fetched() {
  if (!slug || !token) return { problem: texts.preview_gone };
  const address = `${api}/api/public/portfolios/${encodeURIComponent(slug)}/?preview=${encodeURIComponent(token)}`;
  try {
    const response = await fetch(address, { cache: "no-store", credentials: "omit", referrerPolicy: "no-referrer" });
    if (response.ok) return { entry: await response.json() };
    return { problem: response.status < 500 && response.status !== 429 ? texts.preview_gone : texts.preview_failed };
  } catch {
    return { problem: texts.preview_failed };
  }
}

const { entry, problem } = await fetched();
if (entry) {
  const rules = new Rules();
  const place = document.querySelector("#preview");
  place.innerHTML = String(work(entry, { site, rules }));
  const styles = new CSSStyleSheet();
  styles.replaceSync(String(rules));
  document.adoptedStyleSheets = [styles];
  document.title = `${entry.title} — ${texts.title}`;
  openWithin(place);
}
note.textContent = problem ?? texts.preview_note;
