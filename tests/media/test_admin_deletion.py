"""Deletion in the media library: of what is used, which asks first, and of what is not."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media, RemovedFile, Thumbnail
from folio.portfolios.models import Portfolio
from tests.factories import make_employer, make_image, make_media, make_portfolio, make_user

from .library import LIST, files_in, use


def delete_selected(*media: Media) -> dict[str, Any]:
    return {"action": "delete_selected", "_selected_action": [row.pk for row in media], "post": "yes"}


# Deletion


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ("cover", "Portfolio “The portfolio” (Image)"),
        ("gallery", "Portfolio “The user of it” (Images)"),
        ("employer", "Employer “The user of it” (Image)"),
        ("link", "Link “The portfolio: The user of it” (Image)"),
        ("meta", "Meta “The portfolio: The user of it” (Value file)"),
    ],
)
def test_keeps_those_of_several_that_are_used_and_names_where(site: Site, how: str, named: str) -> None:
    media, unused = make_media(name="crane.png"), make_media()
    use(media, how)

    asked = site.post(LIST, {**delete_selected(media, unused), "post": ""})
    page = site.post(LIST, delete_selected(media, unused), follow=True)

    assert "The portfolio" in asked.content.decode() or "The user of it" in asked.content.decode()
    assert list(Media.objects.all()) == [media]
    assert f"“crane.png” was kept: it is used by {named}." in [str(message) for message in page.context["messages"]]


@pytest.mark.parametrize("how", ["cover", "gallery", "employer", "link", "meta"])
def test_keeps_one_that_is_used_and_shows_where(site: Site, how: str) -> None:
    media = make_media()
    use(media, how)

    pages = [site.get(f"{LIST}{media.pk}/delete/"), site.post(f"{LIST}{media.pk}/delete/", {"post": "yes"})]

    assert Media.objects.exists()
    for page in pages:
        assert page.status_code == 200
        assert "so it can’t be deleted as it is" in page.content.decode()
        assert "The portfolio" in page.content.decode() or "The user of it" in page.content.decode()
        assert 'name="detach"' in page.content.decode()


@pytest.mark.parametrize("how", ["cover", "gallery", "employer", "link", "meta"])
def test_takes_one_off_everything_if_asked_to(site: Site, how: str) -> None:
    media = make_media()
    use(media, how)

    answer = site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", "detach": "yes"})

    assert answer.status_code == 302
    assert not Media.objects.exists()
    assert Portfolio.objects.filter(image=None).count() == Portfolio.objects.count()
    assert not Portfolio.objects.filter(images__isnull=False).exists()


def test_locks_what_uses_a_media_before_it_takes_it_off(site: Site) -> None:
    media = make_media()
    use(media, "cover")

    with CaptureQueriesContext(connection) as captured:
        site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", "detach": "yes"})

    statements = [query["sql"] for query in captured]
    locked = [table for sql in statements for table in ("portfolios_portfolio", "media_media") if is_lock(sql, table)]
    assert locked[0] == "portfolios_portfolio"
    assert "media_media" in locked


def is_lock(sql: str, table: str) -> bool:
    """Tell whether a statement locks rows of a table; on SQLite, whether it would on PostgreSQL."""
    return sql.startswith(f'SELECT "{table}"."id" AS "pk" FROM') and (connection.vendor == "sqlite" or "UPDATE" in sql)


def test_takes_nothing_off_what_the_user_may_not_change(site_for: Callable[[User], Site]) -> None:
    media = make_media()
    use(media, "cover")
    use_of_another = make_employer(name="Quay", image=media)
    site = site_for(make_user(is_staff=True, codes=[4102, 4105, 4204]))

    page = site.get(f"{LIST}{media.pk}/delete/").content.decode()
    answer = site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", "detach": "yes"})

    assert 'name="detach"' not in page
    assert answer.status_code == 403
    use_of_another.refresh_from_db()
    assert use_of_another.image == media
    assert Portfolio.objects.get().image == media


# Deletion of what is unused


@pytest.mark.usefixtures("_removed_at_once")
@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_deletes_rows_with_their_files(
    site: Site, media_root: Path, django_capture_on_commit_callbacks: Any, at_once: bool
) -> None:
    images = [make_image(), make_image()]
    kept = make_image("kept.png")

    with django_capture_on_commit_callbacks(execute=True):
        if at_once:
            site.post(LIST, delete_selected(*images))
        else:
            for media in images:
                site.post(f"{LIST}{media.pk}/delete/", {"post": "yes"})

    assert [media.pk for media in Media.objects.all()] == [kept.pk]
    assert Thumbnail.objects.count() == 4
    assert all(name.startswith("kept") for name in files_in(media_root))
    assert len(files_in(media_root)) == 5


# How long the files stay


BOX = "Remove its files at once: pages that show them break"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("posted", "kept"), [({}, 5), ({"now": "yes"}, 0)], ids=["kept", "now"])
@pytest.mark.parametrize("one", [True, False], ids=["one", "several"])
def test_files_stay_for_a_while_unless_the_box_is_ticked(
    site: Site, media_root: Path, posted: dict[str, str], kept: int, one: bool
) -> None:
    media = make_image()

    if one:
        site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", **posted})
    else:
        site.post(LIST, {**delete_selected(media), **posted})

    assert not Media.objects.exists()
    assert RemovedFile.objects.count() == len(list(files_in(media_root))) == kept


@pytest.mark.django_db(transaction=True)
def test_the_box_is_good_for_one_that_is_taken_off_everything(site: Site, media_root: Path) -> None:
    media = make_image()
    use(media, "cover")

    site.post(f"{LIST}{media.pk}/delete/", {"post": "yes", "detach": "yes", "now": "yes"})

    assert not Media.objects.exists()
    assert list(files_in(media_root)) == []


def test_the_page_says_how_long_the_files_stay(site: Site, settings: Any) -> None:
    media = make_media()
    page = site.get(f"{LIST}{media.pk}/delete/").content.decode()
    several = site.post(LIST, {**delete_selected(media), "post": ""}).content.decode()

    assert "show its files can still load them for 7 days." in page
    assert BOX in page
    assert "show their files can still load them for 7 days." in several
    assert "Remove their files at once: pages that show them break" in several

    settings.KEEP_REMOVED = timedelta(hours=36)
    assert "for 36 hours." in site.get(f"{LIST}{media.pk}/delete/").content.decode()


def test_without_a_grace_there_is_no_box(site: Site, settings: Any) -> None:
    settings.KEEP_REMOVED = timedelta(0)
    media = make_media()
    page = site.get(f"{LIST}{media.pk}/delete/").content.decode()
    several = site.post(LIST, {**delete_selected(media), "post": ""}).content.decode()

    assert 'name="now"' not in page + several
    assert "can still load" not in page + several


@pytest.mark.parametrize("part", ["file", "thumbnail"])
def test_names_the_texts_that_show_one(site: Site, part: str) -> None:
    media, other = make_image(name="Räder.png"), make_image(name="other.png")
    file = media.file if part == "file" else media.thumbnails.get(size=512).file
    make_portfolio(title="Wheels", description=f"![]({file.url})")
    make_portfolio(title="Wheels in a text", description=f"They lie at `{file.name}`.")
    make_portfolio(title="Others", description=f"![]({other.file.url})")

    page = site.get(f"{LIST}{media.pk}/delete/").content.decode()
    unnamed = site.get(f"{LIST}{make_image().pk}/delete/").content.decode()

    assert "These texts show it" in page
    assert "used nowhere" not in page
    assert ">Wheels</a>" in page
    assert ">Wheels in a text</a>" in page
    assert "Others" not in page
    assert "used nowhere" in unnamed
    assert "These texts show it" not in unnamed
