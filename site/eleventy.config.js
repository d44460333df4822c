// Eleventy renders the templates in pages/ with what lib/plan.js has planned: `changed` by kinds of pages, and `site`.

export default function (config) {
  config.setTemplateFormats(["11ty.js"]);
  return { dir: { input: "pages" } };
}
