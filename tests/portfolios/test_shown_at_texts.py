"""What visitors are told of as a portfolio's `updated_at` moves with the pictures that its description names."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media, Thumbnail
from folio.media.replacing import replace_file
from folio.portfolios import showing
from folio.portfolios.markdown import rendered
from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import draw, make_image, make_media, make_portfolio

pytestmark = pytest.mark.django_db

OLD = datetime(2001, 1, 1, tzinfo=UTC)
BASE = "https://api.example.org"


def another() -> SimpleUploadedFile:
    return SimpleUploadedFile("new.png", draw(color=(1, 2, 3)))


def entry(description: str | None) -> Portfolio:
    """Make a portfolio that was changed long ago."""
    portfolio = make_portfolio(description=description)
    Portfolio.objects.filter(pk=portfolio.pk).update(created_at=OLD, updated_at=OLD)
    return portfolio


def moved(portfolio: Portfolio) -> bool:
    portfolio.refresh_from_db()
    assert portfolio.updated_at == OLD
    return bool(portfolio.shown_at > OLD)


WAYS: dict[str, Callable[[Client, Site, Media], Any]] = {
    "replaced by the API": lambda client, site, media: client.put(
        f"/api/media/{media.pk}/file/", {"file": another()}, format="multipart"
    ),
    "replaced on its page": lambda client, site, media: site.post(
        f"/admin/media/media/{media.pk}/replace/", {"file": another()}
    ),
    "deleted by the API": lambda client, site, media: client.delete(f"/api/media/{media.pk}/"),
    "taken off all and deleted by the API": lambda client, site, media: client.delete(
        f"/api/media/{media.pk}/?detach=true"
    ),
    "deleted on its page": lambda client, site, media: site.post(
        f"/admin/media/media/{media.pk}/delete/", {"post": "yes"}
    ),
    "taken off all and deleted on its page": lambda client, site, media: site.post(
        f"/admin/media/media/{media.pk}/delete/", {"post": "yes", "detach": "on"}
    ),
    "deleted with others in the library": lambda client, site, media: site.post(
        "/admin/media/media/", {"action": "delete_selected", "_selected_action": [media.pk], "post": "yes"}
    ),
    "deleted by a program": lambda client, site, media: media.delete(),
    "deleted as a queryset": lambda client, site, media: Media.objects.filter(pk=media.pk).delete(),
}


@pytest.mark.parametrize("way", WAYS)
def test_moves_where_a_named_file_goes(client: Client, site: Site, way: str) -> None:
    media, other = make_image("a.png"), make_image("b.png")
    portfolio, unmoved = entry(f"See ![it]({media.file.url})."), entry(f"![]({other.file.url})")
    before = rendered(str(portfolio.description), BASE)

    WAYS[way](client, site, media)

    assert 'width="' in before
    assert rendered(str(portfolio.description), BASE) != before
    assert (moved(portfolio), moved(unmoved)) == (True, False)


@pytest.mark.parametrize("way", WAYS)
def test_what_names_a_file_is_locked_before_its_media(client: Client, site: Site, way: str) -> None:
    """As everyone locks them; on SQLite there is one writer anyway."""
    if connection.vendor == "sqlite":
        pytest.skip("There are no locks of rows.")
    media = make_image()
    entry(f"![]({media.file.url})")

    with CaptureQueriesContext(connection) as captured:
        WAYS[way](client, site, media)

    found = [query["sql"] for query in captured if " FOR UPDATE" in query["sql"] or query["sql"].startswith("DELETE")]
    assert 'FROM "portfolios_portfolio"' in next(sql for sql in found if '"portfolios_' in sql or '"media_' in sql)


ADDRESSES: dict[str, Callable[[str], str]] = {
    "letters": lambda name: name.replace("%", "%25"),
    "percent signs": lambda name: quote(name),
    "percent signs for what needs none": lambda name: quote(name).replace("-", "%2d").replace("_p", "%5Fp"),
    "backslashes": lambda name: name.replace("%", "%25").replace("_", r"\_"),
    "references": lambda name: quote(name).replace("-", "&#45;"),
}
NAMES = {
    "plain": "core_media/2026/03/02/plain-1_p.png",
    "strange": "core_media/2026/03/02/100_%_\u0628\u0646\u062f\u0631_\xe9-p.png",
}


@pytest.mark.parametrize("host", ["", BASE])
@pytest.mark.parametrize("form", ADDRESSES)
@pytest.mark.parametrize("name", NAMES)
def test_moves_in_whichever_way_the_address_is_written(name: str, form: str, host: str) -> None:
    media = make_media(file=NAMES[name])
    portfolio = entry(f"![a]({host}/media/{ADDRESSES[form](NAMES[name])})")
    assert 'width="' in rendered(str(portfolio.description), BASE)

    media.delete()

    assert moved(portfolio)


def test_a_name_with_wildcards_of_sql_is_that_name_alone() -> None:
    media = make_media(file="core_media/2026/03/02/a_b%.png")
    portfolio = entry("![](/media/core_media/2026/03/02/axb%25c.png)")

    media.delete()

    assert not moved(portfolio)


def test_moves_where_a_thumbnail_is_named() -> None:
    media = make_image()
    portfolio = entry(f"![]({media.thumbnails.all()[1].file.url})")

    replace_file(media.pk, another())

    assert moved(portfolio)


def test_moves_where_a_named_thumbnail_is_made_anew() -> None:
    media = make_image()
    portfolio = entry(f"![]({media.thumbnails.all()[1].file.url})")

    call_command("makethumbnails", "--all", "--processes", "1", stdout=StringIO())

    assert moved(portfolio)


def test_thumbnails_that_were_missing_search_no_text() -> None:
    media = make_image()
    Thumbnail.objects.filter(media=media, size=512).delete()

    with CaptureQueriesContext(connection) as captured:
        call_command("makethumbnails", "--missing", "--processes", "1", stdout=StringIO())

    assert Thumbnail.objects.filter(media=media, size=512).exists()
    assert [query for query in captured if '"description"' in query["sql"]] == []


@pytest.mark.parametrize("way", ["alt", "film", "none"])
def test_stays_where_the_html_stays(client: Client, way: str) -> None:
    media = make_media(type="video", name="film.mp4") if way == "film" else make_media()
    portfolio = entry(None if way == "none" else f"![]({media.file.url})")

    if way == "alt":
        assert client.patch(f"/api/media/{media.pk}/", {"alt": "New"}).status_code == 200
    else:
        media.delete()

    assert not moved(portfolio)


def test_a_media_that_is_used_and_stays_moves_nothing(client: Client, site: Site) -> None:
    media = make_image()
    portfolio = entry(f"![]({media.file.url})")
    make_portfolio(image=media)

    assert client.delete(f"/api/media/{media.pk}/").status_code == 409
    WAYS["deleted on its page"](client, site, media)
    WAYS["deleted with others in the library"](client, site, media)

    assert Media.objects.filter(pk=media.pk).exists()
    assert not moved(portfolio)


@pytest.mark.parametrize("days", [1, 30])
def test_many_media_take_one_search(days: int) -> None:
    media = [make_media(file=f"core_media/2026/03/{day + 1:02}/a.png") for day in range(days)]
    portfolios = [entry(f"![]({row.file.url})") for row in media]
    other = entry("Nothing is named in March of 2026.")

    with CaptureQueriesContext(connection) as captured:
        Media.objects.all().delete()

    assert len([query for query in captured if '"portfolios_portfolio"."description"' in query["sql"]]) == 1
    assert all(moved(portfolio) for portfolio in portfolios)
    assert not moved(other)


def test_moves_them_all_where_too_many_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "FEW", 3)
    media = make_media()
    portfolios = [entry(f"![]({media.file.url})") for _ in range(7)]

    media.delete()

    assert all(moved(portfolio) for portfolio in portfolios)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["save", "update"])
def test_moves_where_a_program_changes_a_media_in_no_transaction(way: str) -> None:
    media = make_media()
    portfolio = make_portfolio(image=media)

    if way == "save":
        media.alt = "New"
        media.save()
    else:
        Media.objects.filter(pk=media.pk).update(alt="New")

    portfolio.refresh_from_db()
    assert portfolio.related_updated_at is not None
