import { html, markup, workPath } from "../templates/html.js";

export const data = {
  pagination: { data: "changed.sitemap", size: 1, alias: "made" },
  permalink: "sitemap.xml",
  eleventyExcludeFromCollections: true,
};

export function render({ made, site }) {
  return String(html`${markup('<?xml version="1.0" encoding="utf-8"?>')}
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>${site.absolute("/")}</loc></url>
${made.works.map(
  (row) =>
    html`<url><loc>${site.absolute(workPath(row.slug))}</loc><lastmod>${row.updated_at}</lastmod>${row.picture && html`<image:image><image:loc>${row.picture}</image:loc></image:image>`}</url>\n`,
)}</urlset>
`);
}
