import { html } from "../templates/html.js";
import { layout } from "../templates/layout.js";

export const data = {
  pagination: { data: "changed.missing", size: 1, alias: "made" },
  permalink: "404.html",
  eleventyExcludeFromCollections: true,
};

export function render({ site }) {
  const { texts } = site;
  const content = html`<header class="opening"><h1 dir="auto">${texts.not_found}</h1><p class="excerpt">${texts.not_found_text}</p></header>
<p><a href="${site.at("/")}">${texts.all}</a></p>`;
  return layout(content, { site, title: texts.not_found, isPrivate: true, script: "moved.js" });
}
