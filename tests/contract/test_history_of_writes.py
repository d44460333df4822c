"""Every write through the API leaves one entry in the history, with who it was; what changes nothing leaves none."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models

from folio.media.models import Media
from folio.portfolios.models import Employer, Portfolio, Tag
from tests.conftest import Client
from tests.factories import (
    draw,
    make_employer,
    make_image,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)

from .routes import api_routes

Made = dict[str, Any]  # a row of each resource


def upload(name: str = "new.png", size: tuple[int, int] = (40, 30)) -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, draw(size))}


# By route: the request, the flag of the entry, the model that it is about, and the fields whose values it has.
WRITES: dict[str, tuple[Callable[[Client, Made], Any], int, type[models.Model], list[str]]] = {
    "POST portfolios/": (
        lambda c, on: c.post("/api/portfolios/", {"title": "New", "slug": "new", "excerpt": "E.", "is_active": False}),
        ADDITION,
        Portfolio,
        ["title", "slug", "excerpt", "is_active"],
    ),
    "PUT portfolios/<int:pk>/": (
        lambda c, on: c.put(on["path"]("portfolios"), {"title": "Other", "slug": "slug", "excerpt": "An excerpt."}),
        CHANGE,
        Portfolio,
        ["title"],
    ),
    "PATCH portfolios/<int:pk>/": (
        lambda c, on: c.patch(on["path"]("portfolios"), {"order": 4, "images": [on["media"].pk], "tags": []}),
        CHANGE,
        Portfolio,
        ["order", "images", "tags"],
    ),
    "POST portfolios/<int:pk>/preview/": (
        lambda c, on: c.post(on["path"]("portfolios") + "preview/", {}),
        CHANGE,
        Portfolio,
        ["preview_link"],
    ),
    "DELETE portfolios/<int:pk>/preview/": (
        lambda c, on: c.delete(on["path"]("portfolios") + "preview/"),
        CHANGE,
        Portfolio,
        ["preview_link"],
    ),
    "DELETE portfolios/<int:pk>/": (lambda c, on: c.delete(on["path"]("portfolios")), DELETION, Portfolio, []),
    "POST employers/": (lambda c, on: c.post("/api/employers/", {"name": "New"}), ADDITION, Employer, ["name"]),
    "PUT employers/<int:pk>/": (
        lambda c, on: c.put(on["path"]("employers"), {"name": "O"}),
        CHANGE,
        Employer,
        ["name"],
    ),
    "PATCH employers/<int:pk>/": (
        lambda c, on: c.patch(on["path"]("employers"), {"image": on["media"].pk}),
        CHANGE,
        Employer,
        ["image"],
    ),
    "DELETE employers/<int:pk>/": (lambda c, on: c.delete(on["path"]("employers")), DELETION, Employer, []),
    "POST tags/": (lambda c, on: c.post("/api/tags/", {"name": "New"}), ADDITION, Tag, ["name"]),
    "PUT tags/<int:pk>/": (lambda c, on: c.put(on["path"]("tags"), {"name": "Other"}), CHANGE, Tag, ["name"]),
    "PATCH tags/<int:pk>/": (lambda c, on: c.patch(on["path"]("tags"), {"name": "Other"}), CHANGE, Tag, ["name"]),
    "DELETE tags/<int:pk>/": (lambda c, on: c.delete(on["path"]("tags")), DELETION, Tag, []),
    "POST links/": (
        lambda c, on: c.post("/api/links/", {"portfolio": on["portfolios"].pk, "name": "New"}),
        CHANGE,
        Portfolio,
        ["links"],
    ),
    "PUT links/<int:pk>/": (
        lambda c, on: c.put(on["path"]("links"), {"portfolio": on["portfolios"].pk, "name": "Other"}),
        CHANGE,
        Portfolio,
        ["links"],
    ),
    "PATCH links/<int:pk>/": (lambda c, on: c.patch(on["path"]("links"), {"url": None}), CHANGE, Portfolio, ["links"]),
    "DELETE links/<int:pk>/": (lambda c, on: c.delete(on["path"]("links")), CHANGE, Portfolio, ["links"]),
    "POST meta/": (
        lambda c, on: c.post("/api/meta/", {"portfolio": on["portfolios"].pk, "key": "new"}),
        CHANGE,
        Portfolio,
        ["meta"],
    ),
    "PUT meta/<int:pk>/": (
        lambda c, on: c.put(on["path"]("meta"), {"portfolio": on["portfolios"].pk, "key": "other"}),
        CHANGE,
        Portfolio,
        ["meta"],
    ),
    "PATCH meta/<int:pk>/": (lambda c, on: c.patch(on["path"]("meta"), {"key": "other"}), CHANGE, Portfolio, ["meta"]),
    "DELETE meta/<int:pk>/": (lambda c, on: c.delete(on["path"]("meta")), CHANGE, Portfolio, ["meta"]),
    "POST media/": (
        lambda c, on: c.post("/api/media/", {**upload(), "alt": "A crane."}, format="multipart"),
        ADDITION,
        Media,
        ["file", "name", "alt"],
    ),
    "PUT media/<int:pk>/": (lambda c, on: c.put(on["path"]("media"), {"name": "Other"}), CHANGE, Media, ["name"]),
    "PATCH media/<int:pk>/": (lambda c, on: c.patch(on["path"]("media"), {"alt": "A."}), CHANGE, Media, ["alt"]),
    "PUT media/<int:pk>/file/": (
        lambda c, on: c.put(
            on["path"]("media") + "file/", {"file": SimpleUploadedFile("n.png", draw((9, 9)))}, "multipart"
        ),
        CHANGE,
        Media,
        ["file", "placeholder", "size", "width", "height"],
    ),
    "DELETE media/<int:pk>/": (lambda c, on: c.delete(on["path"]("media")), DELETION, Media, []),
}
NO_WRITES: dict[str, Callable[[Client, Made], Any]] = {
    "PATCH of nothing": lambda c, on: c.patch(on["path"]("portfolios"), {}),
    "PUT of the same": lambda c, on: c.put(on["path"]("portfolios"), c.get(on["path"]("portfolios")).json()),
    "the same links": lambda c, on: c.patch(on["path"]("portfolios"), {"links": [{"id": on["links"].pk}]}),
    "the same meta": lambda c, on: c.patch(on["path"]("portfolios"), {"meta": [{"id": on["meta"].pk, "key": "key"}]}),
    "PATCH of a link to the same": lambda c, on: c.patch(on["path"]("links"), {"name": "site"}),
    "refused": lambda c, on: c.patch(on["path"]("portfolios"), {"title": "New", "employer": 999_999}),
    "refused deletion": lambda c, on: c.delete(f"/api/employers/{on['portfolios'].employer_id}/"),
    "refused upload": lambda c, on: c.post(
        "/api/media/", {"file": SimpleUploadedFile("a.png", b"<html>")}, format="multipart"
    ),
    "the same bytes": lambda c, on: c.post("/api/media/?deduplicate=1", upload("picture.png"), format="multipart"),
    "GET": lambda c, on: c.get(on["path"]("portfolios")),
}


@pytest.fixture
def made(db: None) -> Made:
    portfolio = make_portfolio(title="Title", slug="slug", tags=[make_tag()], employer=make_employer())
    rows: Made = {
        "portfolios": portfolio,
        "employers": make_employer(),
        "tags": make_tag(),
        "links": make_link(portfolio),
        "meta": make_meta(portfolio, key="key"),
        "media": make_image(),
    }
    return {**rows, "path": lambda resource: f"/api/{resource}/{rows[resource].pk}/"}


def entry() -> tuple[LogEntry, dict[str, Any]]:
    """Return the only entry of the log, and the only part of its message."""
    found = LogEntry.objects.get()
    (part,) = json.loads(found.change_message)
    return found, part


def key(row: models.Model) -> tuple[int, str]:
    return ContentType.objects.get_for_model(row).pk, str(row.pk)


@pytest.mark.parametrize("route", WRITES)
def test_leaves_one_entry_with_who_and_what(client: Client, editor: User, made: Made, route: str) -> None:
    request, flag, model, fields = WRITES[route]

    response = request(client, made)

    assert response.status_code in {200, 201, 204}, response.json()
    found, part = entry()
    assert (found.user, found.action_flag) == (editor, flag)
    assert found.content_type == ContentType.objects.get_for_model(model)
    assert part["by"] == {"token": "test"}
    told = part.get("changed") or part.get("added") or part["deleted"]
    assert sorted(told.get("values", {})) == sorted(fields)
    assert "folio_" not in found.change_message


def test_knows_every_route_that_writes() -> None:
    routes = {f"{method} {path.removeprefix('/api/')}" for method, path in api_routes() if method != "GET"}

    others = ("auth/", "webhooks/")  # whose writers are admins, and whose history tests of their own read
    assert {route for route in routes if not route.split()[1].startswith(others)} == set(WRITES)


@pytest.mark.parametrize("request_", NO_WRITES.values(), ids=NO_WRITES)
def test_leaves_nothing_where_nothing_changes(client: Client, made: Made, request_: Callable[..., Any]) -> None:
    request_(client, made)

    assert not LogEntry.objects.exists()


def test_has_old_and_new_values(client: Client, made: Made) -> None:
    portfolio, tag = made["portfolios"], made["tags"]
    was = list(portfolio.tags.values_list("pk", flat=True))

    client.patch(
        made["path"]("portfolios"),
        {"title": "Harbour", "employer": None, "completed_at": "2024-12-12", "tags": [tag.pk, *was]},
    )

    assert entry()[1]["changed"] == {
        "fields": ["Title", "Employer", "Completed at", "Tags"],
        "values": {
            "title": ["Title", "Harbour"],
            "employer": [portfolio.employer_id, None],
            "completed_at": [None, "2024-12-12T00:00:00Z"],
            "tags": [was, [tag.pk, *was]],
        },
    }
    assert LogEntry.objects.get().get_change_message().startswith("Changed Title, Employer, Completed at")


def test_has_of_a_list_the_rows_that_differ(client: Client, made: Made) -> None:
    link, other = made["links"], make_link(made["portfolios"], name="other", place=1)

    client.patch(
        made["path"]("portfolios"), {"links": [{"id": link.pk}, {"id": other.pk, "url": None}, {"name": "new"}]}
    )

    old, new = entry()[1]["changed"]["values"]["links"]
    fields = {"url": None, "description": None, "image": None}
    assert old == [{"link": other.pk, "name": "other", **fields, "url": "https://example.com"}]
    assert new[0] == {"link": other.pk, "name": "other", **fields}
    assert [row["name"] for row in new] == ["other", "new"]


def test_has_the_whole_of_a_list_whose_rows_changed_places(client: Client, made: Made) -> None:
    link, other = made["links"], make_link(made["portfolios"], name="other", place=1)

    client.patch(made["path"]("portfolios"), {"links": [{"id": other.pk}, {"id": link.pk}]})

    old, new = entry()[1]["changed"]["values"]["links"]
    assert [row["link"] for row in old] == [link.pk, other.pk]
    assert [row["link"] for row in new] == [other.pk, link.pk]


def test_records_a_move_on_both_sides(client: Client, made: Made) -> None:
    there = make_portfolio()

    client.patch(made["path"]("links"), {"portfolio": there.pk})

    entries = {entry.object_id: json.loads(entry.change_message)[0] for entry in LogEntry.objects.all()}
    left = entries[str(made["portfolios"].pk)]["changed"]["values"]["links"]
    joined = entries[str(there.pk)]["changed"]["values"]["links"]
    assert (len(left[0]), left[1], joined[0], len(joined[1])) == (1, [], [], 1)


def test_records_what_a_deleted_media_was_taken_off(client: Client, made: Made) -> None:
    media = made["media"]
    portfolio = make_portfolio(image=media, images=[media, make_media()])
    link = make_link(made["portfolios"], image=media)
    employer = make_employer(image=media)

    response = client.delete(f"/api/media/{media.pk}/?detach=true")

    assert response.status_code == 204
    values = {
        (entry.content_type_id, entry.object_id): part.get("changed", {}).get("values")
        for entry in LogEntry.objects.all()
        for part in json.loads(entry.change_message)
    }
    assert values.pop(key(media)) is None
    assert values.pop(key(portfolio)) == {
        "image": [media.pk, None],
        "images": [[media.pk], []],
    }
    assert values.pop(key(employer)) == {"image": [media.pk, None]}
    ((old,), (new,)) = values.pop(key(made["portfolios"]))["links"]
    assert (old["link"], old["image"], new["image"]) == (link.pk, media.pk, None)
    assert not values


@pytest.mark.django_db(transaction=True)
def test_goes_with_the_change_that_fails(client_for: Callable[..., Client], monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_for(make_user(is_superuser=True))
    employer = make_employer(name="Before")

    def fail(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("folio.api.viewsets.ResourceViewSet.read", fail)
    client.patch(f"/api/employers/{employer.pk}/", {"name": "After"})

    employer.refresh_from_db()
    assert employer.name == "Before"
    assert not LogEntry.objects.exists()
