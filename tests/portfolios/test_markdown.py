"""What is made of a text in Markdown, and how texts stay apart from the page that they are shown in."""

import html
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media, Thumbnail
from folio.media.uploads import store_upload
from folio.portfolios import markdown
from folio.portfolios.markdown import CELLS, KEPT, LONGEST, new_parser, plain, rendered, rendered_all
from folio.snapshots.caches import SnapshotCache
from tests.factories import draw, make_media

from .vectors import VECTORS

BASE = "https://api.example.com"
MAY_STAND = {
    "a": {"href", "title", "rel"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
}
BARE = {*("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "li", "pre", "code", "em", "strong", "s")}
BARE |= {"table", "thead", "tbody", "tr"}


class Page(HTMLParser):
    """Notes what stands in HTML: its tags with their attributes, and whatever may not stand there."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.strange: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        allowed = MAY_STAND.get(tag, set())
        if (tag not in MAY_STAND and tag not in BARE) or not {name for name, _value in attrs} <= allowed:
            self.strange.append(self.get_starttag_text() or tag)
        for name, value in attrs:
            if name in {"href", "src"} and urlsplit(value or "").scheme not in {"", "http", "https", "mailto", "tel"}:
                self.strange.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.strange.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment  # type: ignore[assignment]


def found(source: str, tag: str) -> list[dict[str, str | None]]:
    return [attributes for name, attributes in Page(source).tags if name == tag]


def picture(name: str, size: tuple[int, int] = (20, 10)) -> Media:
    return store_upload(ContentFile(draw(size), name=name))


def html_of(text: str) -> str:
    return rendered(text, BASE)


def test_makes_html_of_the_marks() -> None:
    text = "One *word*, **two**, ~~three~~, `four`.\n\n- a\n- b\n\n3. c\n\n> said\n\n---\n\n"
    text += "[there](https://example.org 'T')"

    assert html_of(text) == (
        "<p>One <em>word</em>, <strong>two</strong>, <s>three</s>, <code>four</code>.</p>\n"
        "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"
        '<ol start="3">\n<li>c</li>\n</ol>\n'
        "<blockquote>\n<p>said</p>\n</blockquote>\n<hr>\n"
        '<p><a href="https://example.org" title="T" rel="noopener">there</a></p>\n'
    )


def test_begins_headings_below_the_pages_own() -> None:
    text = "\n\n".join(f"{'#' * level} {level}" for level in range(1, 7))

    assert html_of(text) == "<h2>1</h2>\n<h3>2</h3>\n<h4>3</h4>\n<h5>4</h5>\n<h6>5</h6>\n<h6>6</h6>\n"
    assert html_of("Title\n===\n\nSmaller\n---") == "<h2>Title</h2>\n<h3>Smaller</h3>\n"


def test_keeps_line_breaks() -> None:
    assert html_of("one\ntwo\n\nthree") == "<p>one<br>\ntwo</p>\n<p>three</p>\n"


def test_makes_tables_whose_cells_are_aligned_by_an_attribute() -> None:
    source = html_of("|a|b|c|\n|:-|:-:|-:|\n|1|2|3|")

    assert [cell.get("align") for cell in found(source, "td")] == ["left", "center", "right"]
    assert Page(source).strange == []


@pytest.mark.parametrize("indent", ["    ", "\t", "  "])
def test_takes_no_indented_line_for_code(indent: str) -> None:
    assert html_of(f"One.\n\n{indent}Two,\n{indent}{indent}three.") == "<p>One.</p>\n<p>Two,<br>\nthree.</p>\n"


def test_fenced_code_stays_as_it_is() -> None:
    assert html_of("```js\nif (a < b)\n  *c*\n```") == "<pre><code>if (a &lt; b)\n  *c*\n</code></pre>\n"


def test_shows_html_as_text() -> None:
    assert html_of("a <b>bold</b> & <!-- c -->") == "<p>a &lt;b&gt;bold&lt;/b&gt; &amp; &lt;!-- c --&gt;</p>\n"
    assert html_of("<div>\n\n# a\n\n</div>") == "<p>&lt;div&gt;</p>\n<h2>a</h2>\n<p>&lt;/div&gt;</p>\n"


@pytest.mark.parametrize(
    ("address", "rel"),
    [("https://example.org", "noopener"), ("//example.org", "noopener"), ("/about/", None), ("mailto:a@b.c", None)],
)
def test_gives_links_to_other_sites_their_rel(address: str, rel: str | None) -> None:
    (link,) = found(html_of(f"[a]({address})"), "a")

    assert (link["href"], link.get("rel")) == (address, rel)


def test_lets_nothing_hostile_through() -> None:
    for vector in VECTORS:
        page = Page(html_of(vector))

        assert page.strange == [], vector
        assert "data:" not in str(page.tags), vector


@pytest.mark.parametrize("address", ["javascript:hit()", "data:image/png;base64,AAAA", "vbscript:a", "ftp://a/b"])
def test_shows_what_may_be_no_address_as_it_was_written(address: str) -> None:
    for text in (f"[a]({address})", f"![a]({address})"):
        assert html_of(text) == f"<p>{html.escape(text)}</p>\n"


def test_there_are_more_than_a_hundred_hostile_texts() -> None:
    assert len(set(VECTORS)) == len(VECTORS) > 200


@pytest.mark.django_db
class TestPictures:
    def test_a_media_of_this_installation_gets_its_size(self) -> None:
        media = picture("a b.png", (200, 100))

        for written in (
            f"{BASE}/media/{media.file}",
            f"/media/{media.file}",
            f"http://api.example.com/media/{media.file}",
        ):
            (image,) = found(html_of(f"![Letters](<{written}> 'T')"), "img")

            assert image == {
                "src": f"{BASE}{media.file.url}",
                "alt": "Letters",
                "title": "T",
                "width": "200",
                "height": "100",
                "loading": "lazy",
            }

    def test_a_thumbnail_gets_its_own_size(self) -> None:
        media = picture("a.png", (400, 100))
        thumbnail = Thumbnail.objects.get(media=media, size=128)

        (image,) = found(html_of(f"![]({thumbnail.file.url})"), "img")

        assert (image["src"], image["width"], image["height"]) == (f"{BASE}{thumbnail.file.url}", "128", "32")

    def test_names_of_any_script_are_known(self) -> None:
        media = picture("نقاشی.png", (20, 10))

        (image,) = found(html_of(f"![](/media/{media.file})"), "img")

        assert (image["width"], image["src"]) == ("20", f"{BASE}{media.file.url}")

    def test_a_name_that_no_database_knows_has_no_size(self) -> None:
        (image,) = found(html_of("![](/media/a%00b.png)"), "img")

        assert image["src"] == f"{BASE}/media/a%00b.png"
        assert "width" not in image

    def test_more_of_them_than_a_database_takes_at_once_are_no_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is made of their Markdown is here already: to make it of so many would take half a minute."""
        media = picture("a.png", (20, 10))
        monkeypatch.setattr(markdown, "html_of", lambda text: text)
        pages = ["".join(f'<img src="/media/{page}{n}" alt="">' for n in range(5_000)) for page in range(20, 46)]

        htmls = rendered_all([*pages, f'<img src="{media.file.url}" alt="">'], BASE)

        assert [html.count(f'<img src="{BASE}/media/') for html in htmls] == [5_000] * 26 + [1]
        assert found(htmls[-1], "img")[0]["width"] == "20"

    def test_below_a_path_too(self, settings: Any) -> None:
        settings.MEDIA_URL = "/folio/media/"  # as FOLIO_PUBLIC_URL with a path makes it
        media = picture("a.png", (20, 10))

        for written in (f"/folio/media/{media.file}", f"{BASE}/folio/media/{media.file}"):
            (image,) = found(html_of(f"![]({written})"), "img")

            assert (image["src"], image["width"]) == (f"{BASE}/folio/media/{media.file}", "20")

    @pytest.mark.parametrize(
        "address", ["https://example.org/media/{}", "/other/{}", "{}", "/media/{}?a=b", "/media/x{}"]
    )
    def test_others_get_none(self, address: str) -> None:
        media = picture("a.png", (20, 10))

        (image,) = found(html_of(f"![]({address.format(media.file)})"), "img")

        assert "width" not in image
        assert "loading" not in image

    def test_what_is_no_image_has_no_size(self) -> None:
        media = make_media(type="video", name="film.mp4")

        (image,) = found(html_of(f"![]({media.file.url})"), "img")

        assert set(image) == {"src", "alt"}

    def test_a_link_to_a_file_of_this_installation_is_made_absolute(self) -> None:
        (link,) = found(html_of("[PDF](/media/core_media/a%20b.pdf)"), "a")

        assert link["href"] == f"{BASE}/media/core_media/a%20b.pdf"

    def test_the_pictures_of_many_texts_take_one_query(self) -> None:
        texts = [f"![]({picture(f'{number}.png').file.url}) ![](/media/core_media/no.png)" for number in range(5)]

        with CaptureQueriesContext(connection) as queries:
            sources = rendered_all(texts, BASE)

        assert len(queries) == 1
        assert all('loading="lazy"' in source for source in sources)

    def test_an_address_can_not_break_out_of_its_attribute(self) -> None:
        page = Page(html_of('![](</media/a" onerror="hit()>) [a](</media/"><script>hit()</script>>)'))

        assert page.strange == []


def test_texts_without_pictures_ask_nothing() -> None:
    assert rendered_all(["*a*", "", "b"], BASE) == ["<p><em>a</em></p>\n", "", "<p>b</p>\n"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# One\n\ntwo *three*\nfour", "One\ntwo three\nfour"),
        ("- a\n- b\n  1. c", "a\nb\nc"),
        ("|a|b|\n|-|-|\n|1|2|", "a b\n1 2"),
        ("AT&amp;T <b> 1 < 2", "AT&T <b> 1 < 2"),
        ('[to](https://example.org "a > b") ![alt](x.png)', "to"),
        ("```\nif a < b\n```\n\n---\n\nend", "if a < b\nend"),
        ("", ""),
    ],
)
def test_plain_is_what_the_html_says(text: str, said: str) -> None:
    assert plain(text) == said


def test_threads_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"# {number}\n\n- *a*\n- [b](/{number})\n\n|a|b|\n|-|-|\n|{number}|2|" for number in range(200)]
    expected = [html_of(text) for text in texts]
    monkeypatch.setattr(markdown, "made", SnapshotCache(KEPT))  # an empty one

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(html_of, texts)) == expected


def test_its_rules_are_gathered_before_threads_use_them() -> None:
    fresh = new_parser()

    rulers: list[Any] = [fresh.core.ruler, fresh.block.ruler, fresh.inline.ruler, fresh.inline.ruler2]
    assert all(ruler.__cache__ for ruler in rulers)


def test_what_was_made_is_kept_within_a_bound() -> None:
    for number in range(60):
        html_of(f"{number} " + "word " * 10_000)

    assert 0 < markdown.made.size <= KEPT


class TestBounds:
    """Measured, no text of 100,000 characters takes longer than a second or two; here sizes are looked at."""

    def test_what_is_too_long_keeps_its_paragraphs(self) -> None:
        source = html_of("*a*\nb\n\n" + "c" * LONGEST)

        assert source == f"<p>*a*<br>\nb</p>\n<p>{'c' * LONGEST}</p>\n"

    def test_quotes_nested_without_end_are_text(self) -> None:
        source = html_of(">" * (LONGEST - 5) + " deep")

        assert source.count("<blockquote>") == 12
        assert plain(">" * (LONGEST - 5) + " deep").endswith("deep")

    def test_lists_nested_without_end_lose_nothing(self) -> None:
        text = "".join("  " * depth + f"- item{depth}\n" for depth in range(40))

        assert all(f"item{depth}" in plain(text) for depth in range(40))
        assert html_of(text).count("<ul>") == 6

    def test_quotes_in_lists_in_quotes_lose_nothing(self) -> None:
        text = "> - " * 20 + "deep\n\nafter"

        assert "deep" in plain(text)
        assert html_of(text).endswith("<p>after</p>\n")

    def test_a_reference_can_not_repeat_a_long_address_without_end(self) -> None:
        text = f"[a]: /{'u' * 1000}\n\n" + "[a] " * 10_000

        assert len(html_of(text)) < 2 * len(text)
        assert len(found(html_of("[a]: /" + "u" * 100 + "\n\n" + "[a] " * 20), "a")) == 20

    def test_a_table_can_not_fill_rows_without_end(self) -> None:
        rows = "|a" * 200 + "\n" + "|-" * 200 + "\n" + "a\n" * 100

        assert "<table>" not in html_of(rows)
        assert "<p>|a|a" in html_of(rows)
        assert html_of((rows[: 200 * 4 + 2] + "a\n" * 20 + "\n") * 100).count("<td") <= CELLS

    @pytest.mark.parametrize("part", ["[", "![", "[a](", "`a", "*a", "- a\n", "a|b\n", "\\", "&", "<a@", "> a\n- "])
    def test_marks_without_end_are_answered_in_proportion(self, part: str) -> None:
        text = part * (20_000 // len(part))

        assert len(html_of(text)) < 10 * len(text)
