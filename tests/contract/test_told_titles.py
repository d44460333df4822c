"""Titles of portfolios are told to those alone who may view portfolios: on no page and in no answer to anyone else."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Site
from django.urls import reverse

from folio.access.admin.people import GRANTABLE
from folio.access.codes import CODES
from folio.history.changes import log
from folio.media.models import Media
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, Tag
from tests.conftest import Client
from tests.delivery.webhooks.hooks import make_delivery, make_webhook
from tests.factories import (
    make_employer,
    make_key,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
    permissions,
)
from tests.forms import shown_values
from tests.pages import admin_pages

pytestmark = pytest.mark.django_db

TITLE = "Xylograph"
VIEWING = {"portfolios.view_portfolio", "portfolios.change_portfolio", "portfolios.draft_portfolio"}
JSON = "application/json"


@pytest.fixture(autouse=True)
def portfolio() -> Portfolio:
    """An entry that uses everything there is, with a history, by someone who may be deleted."""
    author = make_user("author", is_staff=True)
    make_key(author, name="website")
    portfolio = make_portfolio(
        title=TITLE, slug="quay", image=make_media(), employer=make_employer(), images=[make_media()], tags=[make_tag()]
    )
    make_link(portfolio, image=make_media())
    make_meta(portfolio, key="camera", value_file=make_media())
    log(author, portfolio, ADDITION, {"title": ("", TITLE)})
    log(author, portfolio.links.get(), CHANGE, {"name": ("before", "site")})
    log(author, portfolio.meta.get(), CHANGE, {"value_text": ("before", "v")})
    Group.objects.get_or_create(name="Editor")
    make_delivery(make_webhook())
    return portfolio


@pytest.fixture
def blind() -> User:
    """Someone who may do everything but see portfolios; they once made one, when they might."""
    user = make_user("ben", is_staff=True)
    user.user_permissions.set(permissions(*(GRANTABLE - VIEWING)))
    log(user, Portfolio.objects.get(), CHANGE, {"title": (f"{TITLE} of before", TITLE)})
    return user


@pytest.fixture
def seeing(blind: User) -> User:
    user = make_user("sara", is_staff=True)
    user.user_permissions.set(permissions(*GRANTABLE))
    return user


def first_rows() -> dict[str, int]:
    """Return a row of each model, by its label."""
    rows = {model._meta.label: model._default_manager.order_by("pk").first() for model in apps.get_models()}
    return {label: row.pk for label, row in rows.items() if row is not None}


def read(site: Site) -> Iterator[tuple[str, Any]]:
    """Yield what every page shows, and what their scripts ask for."""
    pages = admin_pages(first_rows())
    author = User.objects.get(username="author").pk
    pages["deletion of who wrote"] = reverse("admin:auth_user_delete", args=[author])
    for media in Media.objects.all():
        for page in ("change", "delete", "history"):
            pages[f"{page} of media {media.pk}"] = reverse(f"admin:media_media_{page}", args=[media.pk])
    for name in ("link", "metaentry"):
        query = f"portfolio__id__exact={Portfolio.objects.get().pk}"
        pages[f"{name} by portfolio"] = f"{reverse(f'admin:portfolios_{name}_changelist')}?{query}"
    pages["pick"] = f"{reverse('admin:media_media_pick')}?q={TITLE.lower()}"
    pages["restore"] = reverse("admin:portfolios_portfolio_restore", args=first_entry())
    pages["search"] = f"/admin/search/?s={TITLE.lower()}&extended=1"
    for reference in ("link portfolio", "metaentry portfolio", "portfolio tags", "portfolio employer"):
        model, field = reference.split()
        query = f"app_label=portfolios&model_name={model}&field_name={field}&term={TITLE[:4]}"
        pages[f"autocomplete {reference}"] = f"{reverse('admin:autocomplete')}?{query}"
    for name, path in pages.items():
        yield name, site.get(path)


def first_entry() -> list[int]:
    portfolio = Portfolio.objects.get()
    entry = LogEntry.objects.filter(object_id=str(portfolio.pk)).order_by("pk").last()
    assert entry is not None
    return [portfolio.pk, entry.pk]


def wrong(site: Site) -> Iterator[tuple[str, Any]]:
    """Yield refusals: of deletions, of forms that are wrong or stale, and of files that are no pictures."""
    selected = {"action": "delete_selected", "_selected_action": list(Media.objects.values_list("pk", flat=True))}
    for post in ({}, {"post": "yes"}):
        yield f"deletion of media {post}", site.post("/admin/media/media/", {**selected, **post}, follow=True)
    for media in Media.objects.all():
        yield f"deletion of {media}", site.post(f"/admin/media/media/{media.pk}/delete/", {"post": "yes"}, follow=True)
        text = SimpleUploadedFile("notes.txt", b"notes", "text/plain")
        path = f"/admin/media/media/{media.pk}/replace/"
        yield f"replacing of {media}", site.post(path, {"file": text}, headers={"accept": JSON})
    for model in (Employer, Tag, Link, MetaEntry):
        row = model._default_manager.get()
        name = model._meta.model_name
        path = f"/admin/portfolios/{name}/"
        selected = {"action": "delete_selected", "_selected_action": [row.pk]}
        yield f"deletion of a {name}", site.post(path, selected, follow=True)
        change = f"{path}{row.pk}/change/"
        sent = shown_values(site.get(change))
        yield f"stale {name}", site.post(change, {**sent, "_version": "stale", "name": "", "key": ""}, follow=True)
        yield f"wrong {name}", site.post(change, {**sent, "name": "", "key": ""}, follow=True)
        yield f"new {name}", site.post(f"{path}add/", {"portfolio": Portfolio.objects.get().pk, "key": "camera"})
    form = {"title": TITLE.lower(), "slug": "quay", "excerpt": "An excerpt.", "order": "0"}
    lists = {f"{name}-{count}_FORMS": "0" for name in ("links", "meta") for count in ("TOTAL", "INITIAL")}
    page = site.post("/admin/portfolios/portfolio/add/", {**form, **lists, "title": "Another"}, follow=True)
    yield "a portfolio whose slug is taken", page
    selected = {"action": "delete_selected", "_selected_action": [Portfolio.objects.get().pk]}
    yield "deletion of portfolios", site.post("/admin/portfolios/portfolio/", selected, follow=True)


def test_no_page_tells_them_to_who_may_not_view_portfolios(blind: User, site_for: Callable[[User], Site]) -> None:
    site = site_for(blind)

    answers = dict(read(site))

    assert [name for name, answer in answers.items() if TITLE in answer.content.decode()] == []
    number = f"#{Portfolio.objects.get().pk}"
    for name in ("admin:portfolios_link_changelist", "admin:portfolios_metaentry_change"):
        assert number in answers[name].content.decode()
    for media in Media.objects.all():
        assert number in answers[f"change of media {media.pk}"].content.decode()


def test_no_refusal_tells_them_to_who_may_not_view_portfolios(blind: User, site_for: Callable[[User], Site]) -> None:
    site = site_for(blind)

    answers = dict(wrong(site))

    assert [name for name, answer in answers.items() if TITLE in answer.content.decode()] == []
    assert [name for name, answer in answers.items() if answer.status_code >= 500] == []
    assert Portfolio.objects.filter(title=TITLE).exists()


def test_these_pages_do_tell_them_to_who_may(seeing: User, site_for: Callable[[User], Site]) -> None:
    site = site_for(seeing)

    told = {name for name, answer in read(site) if TITLE in answer.content.decode()}

    assert told >= {
        "admin:index",
        "admin:portfolios_portfolio_changelist",
        "admin:portfolios_link_changelist",
        "admin:portfolios_link_change",
        "admin:portfolios_metaentry_changelist",
        "admin:portfolios_employer_delete",
        "autocomplete link portfolio",
        "link by portfolio",
        *(f"{page} of media {media.pk}" for media in Media.objects.all() for page in ("change", "delete")),
    }


def test_these_refusals_do_tell_them_to_who_may(seeing: User, site_for: Callable[[User], Site]) -> None:
    site = site_for(seeing)

    told = {name for name, answer in wrong(site) if TITLE in answer.content.decode()}

    assert {"deletion of media {'post': 'yes'}", "deletion of a employer", "a portfolio whose slug is taken"} <= told


def test_no_answer_of_the_api_tells_them_to_a_key_without_the_codes(
    blind: User, client_for: Callable[..., Client]
) -> None:
    client = client_for(blind, codes=[code for code in CODES if not 4201 <= code <= 4205])
    portfolio, media = Portfolio.objects.get(), list(Media.objects.all())
    answers = [
        client.get(f"/api/{resource}/{path}")
        for resource in ("portfolios", "employers", "tags", "links", "meta", "media", "auth/tokens", "auth/me")
        for path in ("", f"?search={TITLE}", *(f"{pk}/" for pk in range(1, 20)))
    ]
    answers += [client.get("/api/portfolios/slug/quay/"), client.get("/api/schema/")]
    for each in media:
        answers.append(client.get(f"/api/media/{each.pk}/usage/"))
        answers += [client.delete(f"/api/media/{each.pk}/{query}") for query in ("", "?detach=true")]
        text = SimpleUploadedFile("notes.txt", b"notes", "text/plain")
        answers.append(client.put(f"/api/media/{each.pk}/file/", {"file": text}, format="multipart"))
    answers.append(client.delete(f"/api/employers/{Employer.objects.get().pk}/"))
    answers.append(client.post("/api/meta/", {"portfolio": portfolio.pk, "key": "camera"}))
    answers.append(client.post("/api/links/", {"portfolio": portfolio.pk, "name": ""}))
    answers.append(client.patch(f"/api/links/{Link.objects.get().pk}/", {"description": "New."}))

    assert {409, 403, 400, 200} <= {answer.status_code for answer in answers}
    assert [answer.content for answer in answers if TITLE in answer.content.decode()] == []


def test_who_only_creates_portfolios_learns_no_title_but_their_own(
    client_for: Callable[..., Client],
) -> None:
    client = client_for(make_user(is_staff=True, codes=[4201]))

    answers = [
        client.post("/api/portfolios/", {"title": "Another", "slug": "quay", "excerpt": "An excerpt."}),
        client.post("/api/portfolios/", {"title": "Another", "slug": "x", "excerpt": "x", "links": [{"id": 1}]}),
        client.post("/api/portfolios/", {"title": "Another", "slug": "x", "excerpt": "x", "images": [10**6]}),
    ]

    assert [answer.status_code for answer in answers] == [400] * 3
    assert all(TITLE not in json.dumps(answer.json()) for answer in answers)
