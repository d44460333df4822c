import { html, markup } from "../templates/html.js";
import { layout, safeJSON } from "../templates/layout.js";

export const data = {
  pagination: { data: "changed.preview", size: 1, alias: "made" },
  permalink: "preview/index.html",
  eleventyExcludeFromCollections: true,
};

export function render({ made, site }) {
  const { texts } = site;
  const known = safeJSON({ texts, api: site.api, base: site.base });
  const content = html`<p class="note" role="status">${texts.preview_loading}</p>
<noscript><p class="note">${texts.preview_scripts}</p></noscript>
<div id="preview"></div>
<script type="application/json" id="site">${markup(known)}</script>`;
  return layout(content, {
    site,
    title: texts.preview,
    isPrivate: true,
    script: "preview.js",
    connects: [new URL(site.api).origin],
    images: [...made.origins, "https:"], // what a text shows from elsewhere is not known yet
  });
}
