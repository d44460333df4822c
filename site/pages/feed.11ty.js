import { html, markup, workPath } from "../templates/html.js";
import { largest } from "../templates/picture.js";

export const data = {
  pagination: { data: "changed.feed", size: 1, alias: "made" },
  permalink: "feed.xml",
  eleventyExcludeFromCollections: true,
};

const NEVER = "1970-01-01T00:00:00Z"; // of a feed that has nothing in it

export function render({ made, site }) {
  const { texts } = site;
  const updated = made.works.map((row) => row.updated_at).sort().at(-1) ?? NEVER;
  return String(html`${markup('<?xml version="1.0" encoding="utf-8"?>')}
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${texts.lang}">
<id>${site.absolute("/")}</id>
<title>${texts.title}</title>
<subtitle>${texts.description}</subtitle>
<updated>${updated}</updated>
<link rel="self" type="application/atom+xml" href="${site.absolute("/feed.xml")}"/>
<link rel="alternate" type="text/html" href="${site.absolute("/")}"/>
<author><name>${texts.title}</name></author>
${made.works.map((row) => entry(row, site))}</feed>
`);
}

function entry(row, site) {
  const address = site.absolute(workPath(row.slug));
  const picture = row.cover && html`<p><img src="${largest(row.cover)}" alt="${row.cover.alt}" width="${row.cover.width}" height="${row.cover.height}"/></p>`;
  const content = html`${picture}<p>${row.excerpt}</p>`;
  return html`<entry>
<id>${site.absolute("/")}?work=${row.id}</id>
<title>${row.title}</title>
<link rel="alternate" type="text/html" href="${address}"/>
${row.completed_at && html`<published>${row.completed_at}</published>\n`}<updated>${row.updated_at}</updated>
${row.tags.map(({ name }) => html`<category term="${name}"/>\n`)}<summary>${row.excerpt}</summary>
<content type="html">${String(content)}</content>
</entry>
`;
}
