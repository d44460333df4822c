"""`/api/public/feed.xml`: valid by RFC 4287 and as readers of feeds take it, and of what is published alone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from django.test import Client
from lxml import etree

from folio.delivery import feed
from folio.media.models import Media
from folio.portfolios.models import Portfolio
from folio.snapshots.looks import Looks
from tests.clock import Clock
from tests.delivery.entries import errors, make_full, make_picture, queries
from tests.delivery.fronts import Front
from tests.factories import make_portfolio, make_tag
from tests.snapshots.stage import StillWatch

FEED = "/api/public/feed.xml"
SCHEMA = etree.RelaxNG(etree.parse(Path(__file__).parent / "schemas" / "atom.rng"))
EVERY_CHARACTER = "".join(map(chr, [*range(1, 0x300), 0xD7FF, 0xE000, 0xFFFD, 0xFFFE, 0xFFFF, 0x1F600, 0x10FFFF]))
NOT_IN_XML = {*range(0x20), 0xFFFE, 0xFFFF} - {9, 10, 13}


def read(visitor: Client) -> Any:
    """Return the feed as a reader has it, once it was found valid."""
    response = visitor.get(FEED)
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    document = etree.fromstring(response.content)
    SCHEMA.assertValid(document)
    for texts in (document.findall("{*}entry/{*}id"), document.findall("{*}entry/{*}link")):
        assert len({str(text.attrib) + str(text.text) for text in texts}) == len(texts)
    found = feedparser.parse(response.content, sanitize_html=False, resolve_relative_uris=False)
    assert not found.bozo, found.bozo_exception
    return found


def slugs(visitor: Client) -> list[str]:
    return [entry.link.rstrip("/").rpartition("/")[2] for entry in read(visitor).entries]


def test_tells_of_the_website(visitor: Client) -> None:
    made = make_portfolio()

    told = read(visitor).feed

    assert told.title == told.author == "studio.example"
    assert {link.rel: link.href for link in told.links} == {
        "alternate": "https://studio.example/",
        "self": f"http://testserver{FEED}",
    }
    assert told.id.startswith("urn:uuid:")
    assert told.author_detail.href == "https://studio.example/"
    assert told.updated_parsed == made.updated_at.utctimetuple()


def test_tells_of_an_entry(visitor: Client) -> None:
    tag = make_tag(slug="print", name="Print & paper")
    made = make_full(
        slug="sign", title="Signs <b>&</b> letters", excerpt="5 < 6 & so\non", tags=[tag], description="A *text*."
    )
    cover = made.image
    assert cover is not None

    (entry,) = read(visitor).entries

    assert (entry.title, entry.summary) == ("Signs <b>&</b> letters", "5 < 6 & so\non")
    assert entry.title_detail.type == entry.summary_detail.type == "text/plain"
    assert entry.link == "https://studio.example/work/sign/"
    assert [(each.term, each.label) for each in entry.tags] == [("print", "Print & paper")]
    src = f"http://testserver/media/core_media/thumbnails/{cover.pk}_1080.jpg"
    assert entry.media_thumbnail == [{"url": src, "width": "1080", "height": "810"}]
    (content,) = entry.content
    assert (content.type, content.base) == ("text/html", "https://studio.example/work/sign/")
    picture, text = content.value.split("\n", 1)
    assert picture == f'<p><img src="{src}" alt="{cover.alt}" width="1080" height="810"></p>'
    assert text.strip() == "<p>A <em>text</em>.</p>"


@pytest.mark.parametrize(
    ("has_cover", "description", "content"),
    [
        (False, None, None),
        (False, "", None),
        (False, "Text.", "<p>Text.</p>"),
        (True, None, '<p><img src="…" alt="&quot;A&quot; &lt;b&gt;" width="1080" height="810"></p>\n<p>1 &lt; 2</p>'),
    ],
)
def test_an_entry_has_content_where_there_is_more_to_show_than_its_summary(
    visitor: Client, has_cover: bool, description: str | None, content: str | None
) -> None:
    cover = make_picture(alt='"A" <b>') if has_cover else None
    make_portfolio(excerpt="1 < 2", description=description, image=cover)

    (entry,) = read(visitor).entries

    found = [each.value.strip() for each in entry.get("content", [])]
    src = entry.media_thumbnail[0]["url"] if has_cover else "-"
    assert found == ([] if content is None else [content.replace("…", src)])
    assert entry.summary == "1 < 2"


def test_no_content_is_dangerous_or_lazy(visitor: Client) -> None:
    picture = make_picture()
    make_portfolio(
        description=f'<script>x</script> [a](javascript:x) ![A > "B"](/media/{picture.file.name}) loading="lazy"'
    )

    (entry,) = read(visitor).entries

    html = entry.content[0].value
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert html.count(' loading="lazy"') == 1  # the text's own
    assert f'src="http://testserver/media/{picture.file.name}" width="4000" height="3000"' in html


def test_characters_that_xml_cannot_hold_are_left_out(visitor: Client) -> None:
    portfolio = make_portfolio(tags=[make_tag(slug="t")], image=make_picture(), description="x")
    # Past all that would refuse them.
    Portfolio.objects.update(title=EVERY_CHARACTER[:190], excerpt=EVERY_CHARACTER, description=EVERY_CHARACTER)
    portfolio.tags.update(name=EVERY_CHARACTER[:90])
    Media.objects.update(alt=EVERY_CHARACTER[:400])

    (entry,) = read(visitor).entries

    assert "\U0001f600" in entry.content[0].value
    written = etree.fromstring(visitor.get(FEED).content).findtext("{*}entry/{*}summary") or ""
    kept = "".join(character for character in EVERY_CHARACTER if ord(character) not in NOT_IN_XML)
    assert written == kept.replace("\r", "\n")  # as every reader of XML takes it


@pytest.mark.parametrize("slug", ["کتاب", "größe", "a'b", "x" * 200, "字" * 200])
def test_addresses_are_uris(visitor: Client, settings: Any, slug: str) -> None:
    settings.SITE_URL = "https://студия.example:8443/работы/{slug}/?a=1&b=2"
    Portfolio.objects.filter(pk=make_portfolio().pk).update(slug=slug)

    told = read(visitor)

    assert told.feed.title == "студия.example"
    assert told.feed.link == "https://xn--d1aizef8e.example:8443/"
    assert told.entries[0].link.startswith("https://xn--d1aizef8e.example:8443/%D1%80")
    assert told.entries[0].link.endswith("/?a=1&b=2")


def test_a_site_whose_pages_are_hosts_of_their_own(visitor: Client, settings: Any) -> None:
    settings.SITE_URL = "https://{slug}.studio.example/"
    make_portfolio(slug="sign")

    told = read(visitor)

    assert (told.feed.link, told.entries[0].link) == ("https://studio.example/", "https://sign.studio.example/")


def test_an_id_stays_whatever_is_changed(visitor: Client, settings: Any) -> None:
    portfolio = make_portfolio(slug="first")
    before = read(visitor).entries[0].id

    Portfolio.objects.update(slug="second", title="Other", publish_at=portfolio.created_at)
    settings.SITE_URL = "https://other.example/{slug}"

    assert read(visitor).entries[0].id == before
    assert before.startswith("urn:uuid:")


def test_the_newest_are_those_that_were_published_last(visitor: Client) -> None:
    now = datetime.now(UTC)
    for slug, created, published, completed in (
        ("made-last", 1, None, 900),
        ("published-last", 100, 0.5, 800),
        ("made-first", 200, None, 1),
        ("published-long-ago", 2, 300, 2),
        ("published-between", 3, 50, 700),
    ):
        row = make_portfolio(slug=slug, completed_at=now - timedelta(days=completed), order=int(completed))
        Portfolio.objects.filter(pk=row.pk).update(
            created_at=now - timedelta(days=created),
            publish_at=None if published is None else now - timedelta(days=published),
        )

    assert slugs(visitor) == ["published-last", "made-last", "published-between", "made-first", "published-long-ago"]
    assert [entry.published for entry in read(visitor).entries] == sorted(
        (entry.published for entry in read(visitor).entries), reverse=True
    )


def test_of_many_only_the_newest_are_told(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert feed.NEWEST == 50
    monkeypatch.setattr(feed, "NEWEST", 3)
    now = datetime.now(UTC)
    for number in range(4):
        make_portfolio(slug=f"a{number}")
        make_portfolio(slug=f"b{number}", publish_at=now - timedelta(days=1 + number))
    Portfolio.objects.filter(slug__in=["a0", "a1", "a2"]).update(created_at=now - timedelta(days=9))

    assert slugs(visitor) == ["a3", "b0", "b1"]


def test_without_entries_it_is_valid_and_stays_the_same(visitor: Client) -> None:
    make_portfolio(is_active=False)
    first = visitor.get(FEED).content

    assert read(visitor).entries == []
    assert visitor.get(FEED).content == first


def test_updated_is_that_of_the_entry(visitor: Client) -> None:
    tag = make_tag(name="Before")
    make_portfolio(tags=[tag])
    Portfolio.objects.update(updated_at=datetime(2020, 1, 2, 3, 4, 5, 678, tzinfo=UTC), related_updated_at=None)

    told = read(visitor)

    assert told.entries[0].updated == "2020-01-02T03:04:05.000678Z"
    assert told.feed.updated == "2020-01-02T03:04:05.000678+00:00"


@pytest.mark.django_db(transaction=True)
def test_entries_come_and_go_at_their_moments(clock: Clock, settings: Any) -> None:
    settings.PUBLIC_READ, settings.SITE_URL = True, "https://studio.example/{slug}"
    front = Front(Looks(StillWatch()))  # type: ignore[arg-type]
    make_portfolio(title="Always")
    make_portfolio(title="Later", publish_at=clock.after(minutes=5), unpublish_at=clock.after(minutes=10))

    def titles() -> list[str]:
        return [entry.title for entry in feedparser.parse(front.ask("feed.xml").content).entries]

    assert titles() == titles() == ["Always"]
    clock.move(minutes=5)
    assert titles() == ["Later", "Always"]
    clock.move(minutes=5)
    assert titles() == ["Always"]


def test_without_a_website_it_says_what_is_missing(visitor: Client, settings: Any) -> None:
    settings.SITE_URL = ""

    response = visitor.get(FEED)

    assert response.status_code == 404
    assert "FOLIO_SITE_URL" in response.json()["detail"]


def test_takes_no_parameters(visitor: Client) -> None:
    assert errors(visitor, FEED, "limit=1") == {"limit": ["Unknown parameter. This address takes no parameters."]}


def test_has_no_slash(visitor: Client) -> None:
    assert visitor.get(f"{FEED}/").status_code == 404
    assert visitor.get("/api/public/feed/").status_code == 404


def test_costs_as_much_for_fifty_as_for_one(visitor: Client) -> None:
    make_full(1)
    one = queries(visitor, FEED)
    for _ in range(50):
        make_full(2)

    assert queries(visitor, FEED) == one <= 10
