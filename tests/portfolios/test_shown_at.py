"""What visitors are told of as a portfolio's `updated_at` moves with all that it shows, through whichever writer.

Its own changes renew `updated_at`, of which another file tells; those of employer, tags and media renew
`related_updated_at`. The later of the two is `shown_at`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.media.models import Media
from folio.media.renewing import fill_in
from folio.media.uploads import store_upload
from folio.portfolios import showing
from folio.portfolios.models import Employer, Portfolio, Tag
from tests.conftest import Client
from tests.factories import draw, make_employer, make_image, make_link, make_meta, make_portfolio, make_tag
from tests.forms import errors, shown_values
from tests.media.paged import pdf

OLD = datetime(2001, 1, 1, tzinfo=UTC)


@dataclass
class Scene:
    """A portfolio that shows an image in each of its places, and another one that shows none of it."""

    client: Client
    site: Site
    media: dict[str, Media]
    employer: Employer
    tag: Tag
    portfolio: Portfolio
    other: Portfolio

    def moved(self) -> list[bool]:
        """Tell of the portfolio and of the other one whether it is shown as changed; neither is itself."""
        found = [Portfolio.objects.get(pk=row.pk) for row in (self.portfolio, self.other)]
        assert [row.updated_at for row in found] == [OLD, OLD]
        assert [row.shown_at for row in found] == [row.related_updated_at or OLD for row in found]
        return [row.shown_at > OLD for row in found]

    def patch(self, resource: str, pk: int, **fields: Any) -> None:
        response = self.client.patch(f"/api/{resource}/{pk}/", fields)
        assert response.status_code == 200, response.json()

    def submit(self, model: str, pk: int, **fields: Any) -> None:
        url = f"/admin/{model}/{pk}/change/"
        answer = self.site.post(url, {**shown_values(self.site.get(url)), **fields})
        assert answer.status_code == 302, errors(answer)


PLACES = ("cover", "gallery", "link", "employer", "tag")
EVERYWHERE = pytest.mark.parametrize("place", [*PLACES, "meta"])


@pytest.fixture
def scene(client: Client, site: Site) -> Scene:
    media = {place: make_image(f"{place}.png", alt="Old") for place in [*PLACES, "meta"]}
    employer, tag = make_employer(image=media["employer"]), make_tag(image=media["tag"])
    portfolio = make_portfolio(image=media["cover"], images=[media["gallery"]], employer=employer, tags=[tag])
    make_link(portfolio, image=media["link"])
    make_meta(portfolio, value_file=media["meta"])
    shown = make_image()
    other = make_portfolio(image=shown, images=[shown], employer=make_employer(image=shown), tags=[make_tag()])
    Portfolio.objects.update(created_at=OLD, updated_at=OLD)
    return Scene(client, site, media, employer, tag, portfolio, other)


def test_is_when_it_was_changed_until_something_else_is(scene: Scene) -> None:
    assert scene.moved() == [False, False]


CHANGES: dict[str, Callable[[Scene, Media], Any]] = {
    "alt text by the API": lambda on, media: on.patch("media", media.pk, alt="New"),
    "alt text on its page": lambda on, media: on.submit("media/media", media.pk, alt="New"),
    "alt text in the library": lambda on, media: on.site.post(
        f"/admin/media/media/{media.pk}/texts/", {"alt": "New"}, content_type="application/json"
    ),
    "file by the API": lambda on, media: on.client.put(
        f"/api/media/{media.pk}/file/",
        {"file": SimpleUploadedFile("new.png", draw(color=(1, 2, 3)))},
        format="multipart",
    ),
    "file on its page": lambda on, media: on.site.post(
        f"/admin/media/media/{media.pk}/replace/", {"file": SimpleUploadedFile("new.png", draw(color=(1, 2, 3)))}
    ),
    "update of a queryset": lambda on, media: Media.objects.filter(pk=media.pk).update(alt="New"),
    "bulk update": lambda on, media: Media.objects.bulk_update([Media(pk=media.pk, alt="New")], ["alt"]),
}


@EVERYWHERE
@pytest.mark.parametrize("change", CHANGES)
def test_moves_with_what_is_shown_of_a_media(scene: Scene, place: str, change: str) -> None:
    CHANGES[change](scene, scene.media[place])

    assert scene.moved() == [True, False]


@pytest.mark.parametrize("place", PLACES)
def test_moves_with_a_focal_point(scene: Scene, place: str) -> None:
    scene.patch("media", scene.media[place].pk, focal_x=0.2)

    assert scene.moved() == [True, False]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("arguments", [["--all"], ["--missing"]])
def test_moves_with_thumbnails_that_are_made_anew(scene: Scene, place: str, arguments: list[str]) -> None:
    media = scene.media[place]
    if arguments == ["--missing"]:
        media.thumbnails.filter(size=512).delete()
    else:
        Media.objects.exclude(pk=media.pk).update(type="document")
        Portfolio.objects.update(related_updated_at=None)

    call_command("makethumbnails", *arguments, "--processes", "1", stdout=StringIO())

    assert scene.moved() == [True, False]


def test_moves_with_a_picture_that_is_made_of_a_file(scene: Scene) -> None:
    media = store_upload(SimpleUploadedFile("brochure.pdf", pdf()))
    make_meta(scene.portfolio, key="brochure", value_file=media)
    media.thumbnails.all().delete()
    Portfolio.objects.update(updated_at=OLD, related_updated_at=None)

    call_command("makethumbnails", "--missing", "--processes", "1", stdout=StringIO())

    assert media.thumbnails.count() == 4
    assert scene.moved() == [True, False]


@pytest.mark.parametrize("place", PLACES)
def test_moves_with_what_is_filled_in(scene: Scene, place: str) -> None:
    assert fill_in(scene.media[place], placeholder="data:image/webp;base64,AAAA")

    assert scene.moved() == [True, False]


def test_only_a_file_is_shown_by_its_name(scene: Scene) -> None:
    for place in PLACES:
        scene.patch("media", scene.media[place].pk, name="New")
    assert scene.moved() == [False, False]

    scene.patch("media", scene.media["meta"].pk, name="New")
    assert scene.moved() == [True, False]


def test_stays_where_nothing_of_what_is_shown_changes(scene: Scene) -> None:
    for media in scene.media.values():
        scene.patch("media", media.pk, alt="Old")
        fill_in(media, sha256="0" * 64)
    scene.patch("media", scene.media["meta"].pk, focal_x=0.5)
    scene.patch("employers", scene.employer.pk, description="New")
    scene.patch("tags", scene.tag.pk, name=scene.tag.name)
    call_command("makethumbnails", "--missing", "--processes", "1", stdout=StringIO())

    assert scene.moved() == [False, False]


@pytest.mark.parametrize("field", ["name", "slug", "image"])
@pytest.mark.parametrize("resource", ["tags", "employers"])
@pytest.mark.parametrize("way", ["api", "page", "queryset"])
def test_moves_with_what_is_shown_of_a_tag_and_an_employer(scene: Scene, resource: str, field: str, way: str) -> None:
    row = {"tags": scene.tag, "employers": scene.employer}[resource]
    value: Any = make_image().pk if field == "image" else "new"
    if way == "api":
        scene.patch(resource, row.pk, **{field: value})
    elif way == "page":
        scene.submit(f"portfolios/{resource.removesuffix('s')}", row.pk, **{field: value})
    else:
        type(row).objects.filter(pk=row.pk).update(**{field: value})

    assert scene.moved() == [True, False]


def test_moves_where_a_picture_is_taken_off_its_tag(scene: Scene) -> None:
    assert scene.client.delete(f"/api/media/{scene.media['tag'].pk}/?detach=true").status_code == 204

    assert scene.moved() == [True, False]


def test_does_not_move_with_a_change_that_fails(scene: Scene) -> None:
    make_tag(name="taken")

    assert scene.client.patch(f"/api/tags/{scene.tag.pk}/", {"name": "taken"}).status_code == 400
    assert scene.client.patch(f"/api/media/{scene.media['cover'].pk}/", {"focal_x": 2}).status_code == 400

    assert scene.moved() == [False, False]


def test_managing_answers_know_nothing_of_it(scene: Scene) -> None:
    before = scene.client.get("/api/portfolios/?ordering=id").json()["results"]

    scene.patch("tags", scene.tag.pk, slug="other")

    assert scene.client.get("/api/portfolios/?ordering=id").json()["results"] == before


def test_who_edits_a_portfolio_meanwhile_is_not_stopped(scene: Scene) -> None:
    url = f"/admin/portfolios/portfolio/{scene.portfolio.pk}/change/"
    opened = shown_values(scene.site.get(url))

    scene.patch("tags", scene.tag.pk, name="Renamed")

    answer = scene.site.post(url, {**opened, "order": "5"})
    assert answer.status_code == 302, errors(answer)


@pytest.mark.parametrize("count", [1, 30])
def test_costs_two_statements_however_many_portfolios(
    client: Client, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(showing, "FEW", 10)
    tag = make_tag()
    for _ in range(count):
        make_portfolio(tags=[tag])

    with CaptureQueriesContext(connection) as captured:
        client.patch(f"/api/tags/{tag.pk}/", {"name": "Renamed"})

    finding = [query["sql"] for query in captured if 'FROM "portfolios_portfoliotag"' in query["sql"]]
    renewing = [query["sql"] for query in captured if '"related_updated_at" =' in query["sql"]]
    locking = 2 if connection.vendor == "postgresql" else 0
    assert (len(finding) - locking <= 2, len(renewing)) == (True, 1)
    assert Portfolio.objects.filter(related_updated_at=None).count() == 0


@pytest.mark.parametrize("size", [0, 1080])
def test_moves_where_a_picture_in_its_description_is_replaced(scene: Scene, size: int) -> None:
    """Its address tells no size any more, which the rendered text had."""
    media = make_image("über.png")
    file = media.thumbnails.get(size=size).file if size else media.file
    Portfolio.objects.filter(pk=scene.portfolio.pk).update(description=f"Text\n\n![]({file.url})", updated_at=OLD)

    CHANGES["file by the API"](scene, media)

    assert scene.moved() == [True, False]
