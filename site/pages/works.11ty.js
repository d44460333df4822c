import { layout } from "../templates/layout.js";
import { Rules } from "../templates/picture.js";
import { linkedData, work } from "../templates/work.js";

export const data = {
  pagination: { data: "changed.works", size: 1, alias: "made" },
  permalink: ({ made }) => `${made.path}index.html`,
  eleventyExcludeFromCollections: true,
};

export function render({ made, site }) {
  const { entry, path } = made;
  const rules = new Rules();
  return layout(work(entry, { site, rules }), {
    site,
    rules,
    path,
    title: entry.title,
    description: entry.excerpt,
    kind: "article",
    image: entry.share_image,
    imageAlt: entry.cover?.alt,
    data: linkedData(entry, { site }),
    script: "site.js",
  });
}
