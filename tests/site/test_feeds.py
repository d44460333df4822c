"""What the site has for readers of feeds, for search engines and their robots."""

from urllib.parse import quote
from xml.etree import ElementTree

from tests.live import Server

from .building import ADDRESS, Build

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def test_the_feed_has_the_newest_works(site: Build, server: Server) -> None:
    feed = ElementTree.fromstring(site.text("feed.xml"))
    entries = feed.findall(f"{ATOM}entry")
    published = server.session().get("/api/public/portfolios/?limit=1").json()["count"]
    assert len(entries) == published
    assert len({each.findtext(f"{ATOM}id") for each in entries}) == published
    assert entries[0].findtext(f"{ATOM}title")
    assert feed.findtext(f"{ATOM}updated") == max(each.findtext(f"{ATOM}updated") or "" for each in entries)
    moments = [each.findtext(f"{ATOM}published") or "" for each in entries]
    assert moments == sorted(moments, reverse=True)
    [everything] = [each for each in entries if each.findtext(f"{ATOM}title") == "Everything <b>there</b> is"]
    link = everything.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"{ADDRESS}/work/everything/"
    content = everything.findtext(f"{ATOM}content") or ""
    assert content.startswith("<p><img src=")
    assert "All of it &amp; more." in content


def test_the_sitemap_has_all_works_with_their_covers(site: Build, server: Server) -> None:
    found = ElementTree.fromstring(site.text("sitemap.xml"))
    addresses = [each.findtext(f"{MAP}loc") for each in found.findall(f"{MAP}url")]
    rows = server.session().get("/api/public/portfolios/?limit=100&fields=slug,cover").json()["results"]
    assert addresses == [f"{ADDRESS}/", *(f"{ADDRESS}/work/{quote(row['slug'])}/" for row in rows)]
    images = "{http://www.google.com/schemas/sitemap-image/1.1}"
    assert len(found.findall(f".//{images}loc")) == sum(row["cover"] is not None for row in rows)
    assert f"Sitemap: {ADDRESS}/sitemap.xml" in site.text("robots.txt")


def test_links_of_a_site_below_a_path_begin_with_it(server: Server, site: Build) -> None:
    build = Build(site.folder / "below", server.url, {"SITE_URL": f"{ADDRESS}/portfolio/"})
    build.folder.mkdir()
    build.run()

    text = build.text("work/everything/index.html")

    assert f'<link rel="canonical" href="{ADDRESS}/portfolio/work/everything/">' in text
    assert 'href="/portfolio/assets/' in text
    assert 'href="/work/' not in text


def test_without_an_address_nothing_claims_one(server: Server, site: Build) -> None:
    build = Build(site.folder / "nowhere", server.url, {"SITE_URL": ""})
    build.folder.mkdir()
    build.run()

    assert not (build.output / "feed.xml").exists()
    assert not (build.output / "sitemap.xml").exists()
    assert "canonical" not in build.text("index.html")
