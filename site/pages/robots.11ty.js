export const data = {
  pagination: { data: "changed.robots", size: 1, alias: "made" },
  permalink: "robots.txt",
  eleventyExcludeFromCollections: true,
};

export function render({ site }) {
  const map = site.address ? `\nSitemap: ${site.absolute("/sitemap.xml")}\n` : "";
  return `User-agent: *\nAllow: /\n${map}`;
}
