import { layout } from "../templates/layout.js";
import { list } from "../templates/list.js";
import { Rules } from "../templates/picture.js";

export const data = {
  pagination: { data: "changed.lists", size: 1, alias: "made" },
  permalink: ({ made }) => `${made.path}index.html`,
  eleventyExcludeFromCollections: true,
};

export function render({ made, site }) {
  const rules = new Rules();
  return layout(list(made, { site, rules }), { site, rules, path: made.path, title: made.title });
}
