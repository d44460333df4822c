"""A key for what is published: it reads portfolios that are, and opens nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.access.codes import CODES
from folio.access.models import Token
from folio.api.handler import Handler
from folio.api.rows import Rows
from folio.portfolios.models import Portfolio
from folio.portfolios.scheduling import make_drafts
from folio.snapshots import SNAPSHOT, documents
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from tests.conftest import Client
from tests.factories import make_employer, make_key, make_portfolio, make_tag, make_user
from tests.wsgi import ask

pytestmark = pytest.mark.django_db

LIST = "/api/portfolios/"
TOKENS = "/api/auth/tokens/"


@pytest.fixture
def website(client_for: Callable[..., Client], admin: User) -> Client:
    return client_for(admin, published_only=True)


@pytest.fixture
def hidden() -> Portfolio:
    return make_portfolio(
        title="Secret plan",
        slug="secret",
        is_active=False,
        employer=make_employer(name="Hidden client"),
        tags=[make_tag(name="hidden")],
        completed_at=timezone.now() - timedelta(days=900),
        order=7,
    )


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["count"] == len(body["results"])
    return [row["title"] for row in body["results"]]


# Reading


def test_lists_what_is_published(website: Client, client: Client, hidden: Portfolio) -> None:
    make_portfolio(title="Shown")

    assert names(client.get(LIST)) == ["Shown", "Secret plan"]
    assert names(website.get(LIST)) == ["Shown"]
    assert names(client.get(LIST)) == ["Shown", "Secret plan"]  # whichever asked first


def test_no_parameter_finds_the_others(website: Client, client: Client, hidden: Portfolio) -> None:
    row: Any = Portfolio.objects.get(pk=hidden.pk)
    queries: list[dict[str, Any]] = [
        {"is_active": "false"},
        {"slug": row.slug},
        {"search": "secret"},
        {"search": "Hidden client"},
        {"id_min": row.pk, "id_max": row.pk},
        {"employer_id": row.employer_id},
        {"tag_id": row.tags.get().pk},
        {"tags_in": row.tags.get().pk},
        {"order_min": 7},
        {"completed_at_to": (timezone.now() - timedelta(days=800)).date().isoformat()},
        {"ordering": "-is_active"},
        {"has_employer": "true"},
    ]
    for query in queries:
        assert names(client.get(LIST, query)) == ["Secret plan"], query
        assert names(website.get(LIST, query)) == [], query
        assert names(client.get(LIST, query)) == ["Secret plan"], query


def test_the_others_are_not_there(website: Client, client: Client, hidden: Portfolio) -> None:
    for path, what in ((f"{LIST}{hidden.pk}/", f"id {hidden.pk}"), (f"{LIST}slug/secret/", "slug secret")):
        assert client.get(path).status_code == 200

        refused = website.get(path)

        assert refused.status_code == 404
        assert refused.json() == {"detail": f"There is no portfolio with the {what}."}
        never = website.get(path.replace(str(hidden.pk), "987654").replace("secret", "never"))
        assert set(never.headers) == set(refused.headers)


@pytest.mark.django_db(transaction=True)
def test_what_another_key_was_told_in_the_same_snapshot_is_not_told(
    website: Client, client: Client, hidden: Portfolio
) -> None:
    paths = [LIST, f"{LIST}?search=secret", f"{LIST}{hidden.pk}/", f"{LIST}slug/secret/"]
    now: Any = {SNAPSHOT: documents.number + 1}

    for path in paths:
        assert b"Secret plan" in client.get(path, **now).content
        assert b"Secret plan" not in website.get(path, **now).content
        assert b"Secret plan" in client.get(path, **now).content
    assert (documents.number, bool(documents.entries)) == (now[SNAPSHOT], True)


def test_the_tag_of_an_answer_to_another_key_opens_nothing(admin: User, editor: User, hidden: Portfolio) -> None:
    front = SnapshotFront(Handler(), None, SnapshotCache(1_000_000))
    all_of_it, published = make_key(editor), make_key(admin, published_only=True)

    def read(key: str, **headers: str) -> Any:
        sent = {"Authorization": f"Token {key}", "Host": "testserver", **headers}
        return ask(front, "GET", f"{LIST}{hidden.pk}/", headers=sent)

    found = read(all_of_it)
    assert found.status_code == 200
    assert read(all_of_it, **{"If-None-Match": found.headers["ETag"]}).status_code == 304

    refused = read(published, **{"If-None-Match": found.headers["ETag"]})

    assert refused.status_code == 404
    assert {"ETag", "Last-Modified"}.isdisjoint(refused.headers)


def test_reads_what_is_published(website: Client) -> None:
    portfolio = make_portfolio(title="Shown", slug="shown")

    assert website.get(f"{LIST}{portfolio.pk}/").json()["title"] == "Shown"
    assert website.get(f"{LIST}slug/shown/").json()["title"] == "Shown"


def test_an_entry_comes_and_goes_with_its_publication(website: Client, hidden: Portfolio) -> None:
    hidden.is_active = True
    hidden.save()
    assert website.get(f"{LIST}{hidden.pk}/").status_code == 200

    make_drafts(Portfolio.objects.filter(pk=hidden.pk))

    assert website.get(f"{LIST}{hidden.pk}/").status_code == 404
    assert names(website.get(LIST)) == []


@pytest.mark.parametrize("path", [LIST, f"{LIST}{{pk}}/", f"{LIST}slug/shown/"])
def test_what_is_hidden_while_it_is_read_is_not_told(
    website: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    portfolio = make_portfolio(title="Shown", slug="shown")
    rows: Any = Rows
    read = rows.read

    def read_late(self: Any, ids: Any) -> Any:
        Portfolio.objects.filter(pk=portfolio.pk).update(is_active=False, excerpt="Not meant for anyone yet.")
        return read(self, ids)

    monkeypatch.setattr(Rows, "read", read_late)

    assert b"Not meant" not in website.get(path.format(pk=portfolio.pk)).content


def test_a_list_takes_the_same_queries_for_any_number_of_rows(website: Client, django_assert_num_queries: Any) -> None:
    make_portfolio()
    with CaptureQueriesContext(connection) as few:
        website.get(LIST, {"limit": 100})
    for _ in range(20):
        make_portfolio()

    with django_assert_num_queries(len(few)):
        assert len(names(website.get(LIST, {"limit": 100}))) == 21


# What it can do


@pytest.mark.parametrize(
    ("codes", "usable"),
    [(None, [4202, 4203]), ([4202], [4202]), ([4203, 4204], [4203]), ([4201, 4102], [])],
)
def test_can_do_no_more_than_read_portfolios(
    client_for: Callable[..., Client], admin: User, codes: list[int] | None, usable: list[int]
) -> None:
    me = client_for(admin, published_only=True, codes=codes).get("/api/auth/me/").json()

    assert me["permission_codes"] == usable
    assert me["token"]["published_only"] is True


def test_can_do_nothing_that_its_owner_may_not(client_for: Callable[..., Client]) -> None:
    owner = make_user(is_staff=True, codes=[code for code in CODES if code not in (4202, 4203)])

    website = client_for(owner, published_only=True)

    assert website.get("/api/auth/me/").json()["permission_codes"] == []
    assert website.get(LIST).status_code == 403


@pytest.mark.parametrize("key", [{}, {"HTTP_IDEMPOTENCY_KEY": "one"}])
def test_writes_nothing(website: Client, client: Client, key: dict[str, Any]) -> None:
    portfolio = make_portfolio()
    body = {"title": "New", "slug": "new", "excerpt": "New."}
    assert client.post(LIST, body, **key).status_code == 201

    for answer in (
        website.post(LIST, body, **key),
        website.patch(f"{LIST}{portfolio.pk}/", {"title": "Other"}),
        website.delete(f"{LIST}{portfolio.pk}/"),
    ):
        assert answer.status_code == 403
    assert Portfolio.objects.count() == 2


def test_makes_no_keys(website: Client, admin: User) -> None:
    for answer in (website.get(TOKENS), website.post(TOKENS, {"name": "x"}), website.delete(f"{TOKENS}1/")):
        assert answer.status_code == 403
        assert "published" in answer.json()["detail"]
    assert admin.tokens.count() == 1


# Making one


def test_is_made_by_a_field_of_its_own(client_for: Callable[..., Client], admin: User) -> None:
    client = client_for(admin)

    made = client.post(TOKENS, {"name": "site", "published_only": True}).json()

    assert list(made) == ["id", "name", "codes", "created_at", "expires_at", "published_only", "key"]
    assert (made["codes"], made["published_only"]) == (None, True)
    assert client.get(TOKENS).json()["results"][0] == {name: made[name] for name in made if name != "key"}
    assert Token.objects.get(pk=made["id"]).published_only


def test_is_not_the_default(client_for: Callable[..., Client], admin: User) -> None:
    assert client_for(admin).post(TOKENS, {"name": "site"}).json()["published_only"] is False


def test_may_be_narrowed_to_one_of_its_codes(client_for: Callable[..., Client], admin: User) -> None:
    made = client_for(admin).post(TOKENS, {"name": "site", "published_only": True, "codes": [4203]}).json()

    assert (made["codes"], made["published_only"]) == ([4203], True)


def test_refuses_other_codes(client_for: Callable[..., Client], admin: User) -> None:
    answer = client_for(admin).post(TOKENS, {"name": "site", "published_only": True, "codes": [4102, 4202, 4204]})

    assert answer.status_code == 400
    assert answer.json() == {
        "codes": ["A key that is published_only can use 4202 and 4203 alone; leave out 4102, 4204, or published_only."]
    }
    assert Token.objects.count() == 1


@pytest.mark.parametrize("value", [None, "perhaps", 2, []])
def test_refuses_what_is_neither_true_nor_false(client_for: Callable[..., Client], admin: User, value: Any) -> None:
    answer = client_for(admin).post(TOKENS, {"name": "site", "published_only": value})

    assert answer.status_code == 400
    assert list(answer.json()) == ["published_only"]
