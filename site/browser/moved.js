// A preview's link may lead to the page that the work will have: the one page of previews shows it.

const token = new URLSearchParams(location.search).get("preview");
const slug = location.pathname.split("/").filter(Boolean).at(-1);

if (token && slug) {
  const base = document.querySelector(".brand").pathname;
  const query = new URLSearchParams({ slug: decodeURIComponent(slug), token });
  location.replace(`${base}preview/?${query}`);
}
