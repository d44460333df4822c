"""Slugs of tags and employers: made from the name where they are left out, and kept when the name changes."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Employer, Tag
from folio.portfolios.slugs import slug_of
from tests.conftest import Client
from tests.factories import make_employer, make_portfolio, make_tag
from tests.forms import errors, shown_values

MODELS: dict[str, Any] = {"tags": Tag, "employers": Employer}
EVERY = pytest.mark.parametrize("resource", MODELS)


def made(client: Client, resource: str, name: str, **fields: Any) -> Any:
    response = client.post(f"/api/{resource}/", {"name": name, **fields})
    assert response.status_code == 201, response.json()
    return response.json()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Web design", "web-design"),
        ("  Straße & Söhne, GmbH!  ", "straße-söhne-gmbh"),
        ("وب‌سایت زعفران", "وب-سایت-زعفران"),
        ("नदी", "नदी"),
        ("Ｗｉｄｅ ２", "wide-2"),
        ("Cafe\u0301", "café"),
        ("C++ / C#", "c-c"),
        ("snake_case", "snake-case"),
        ("👍🏽", ""),
        ("–", ""),
        ("x" * 200, "x" * 192),
    ],
)
def test_is_the_letters_and_digits_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


@EVERY
def test_is_made_of_the_name_where_it_is_left_out(client: Client, resource: str) -> None:
    answer = made(client, resource, "خانهٔ زعفران")

    assert list(answer)[-1] == "slug"
    assert answer["slug"] == "خانهٔ-زعفران"
    assert client.get(f"/api/{resource}/{answer['id']}/").json() == answer
    assert client.get(f"/api/{resource}/").json()["results"] == [answer]


@EVERY
def test_gets_a_number_where_it_is_taken(client: Client, resource: str) -> None:
    names = ["Print", "Print!", "Print?", "print-2", "(Print)"]

    found = [made(client, resource, name)["slug"] for name in names]

    assert found == ["print", "print-2", "print-3", "print-2-2", "print-4"]


@EVERY
def test_is_the_id_where_the_name_has_no_letter_or_digit(client: Client, resource: str) -> None:
    noun = resource.removesuffix("s")

    first = made(client, resource, "???")
    named = made(client, resource, f"{noun} {first['id'] + 2}")
    second = made(client, resource, "!!!")

    assert first["slug"] == f"{noun}-{first['id']}"
    assert second["id"] == first["id"] + 2
    assert (named["slug"], second["slug"]) == (f"{noun}-{second['id']}", f"{noun}-{second['id']}-2")


@EVERY
def test_is_taken_as_it_is_given(client: Client, resource: str) -> None:
    assert made(client, resource, "Web design", slug="Web_Cafe\u0301")["slug"] == "Web_Café"


@EVERY
@pytest.mark.parametrize("method", ["put", "patch"])
def test_is_kept_when_the_name_changes(client: Client, resource: str, method: str) -> None:
    path = f"/api/{resource}/{made(client, resource, 'Print')['id']}/"

    answer = getattr(client, method)(path, {"name": "Paper"}).json()

    assert (answer["name"], answer["slug"]) == ("Paper", "print")


@EVERY
@pytest.mark.parametrize("method", ["put", "patch"])
def test_can_be_changed(client: Client, resource: str, method: str) -> None:
    path = f"/api/{resource}/{made(client, resource, 'Print')['id']}/"

    assert getattr(client, method)(path, {"name": "Print", "slug": "paper"}).json()["slug"] == "paper"


@EVERY
@pytest.mark.parametrize("method", ["post", "put", "patch"])
def test_one_that_is_taken_is_a_400_that_names_the_field(client: Client, resource: str, method: str) -> None:
    made(client, resource, "Print")
    other = made(client, resource, "Paper")
    path = f"/api/{resource}/" if method == "post" else f"/api/{resource}/{other['id']}/"

    response = getattr(client, method)(path, {"name": "New", "slug": "print"})

    noun = resource.removesuffix("s")
    assert (response.status_code, response.json()) == (400, {"slug": [f"{noun} with this slug already exists."]})


@EVERY
@pytest.mark.parametrize("slug", ["", "  ", None, "two words", "a/b", "x" * 201, "😀", "a\nb", ["a"]])
def test_refuses_what_is_no_slug(client: Client, resource: str, slug: Any) -> None:
    response = client.post(f"/api/{resource}/", {"name": "Print", "slug": slug})

    assert response.status_code == 400
    assert list(response.json()) == ["slug"]
    assert not MODELS[resource].objects.exists()


@EVERY
def test_sorts_the_list(client: Client, resource: str) -> None:
    for name, slug in (("a", "z"), ("b", "y")):
        made(client, resource, name, slug=slug)

    found = client.get(f"/api/{resource}/?ordering=slug").json()["results"]

    assert [row["slug"] for row in found] == ["y", "z"]


def test_is_absent_within_portfolios(client: Client) -> None:
    portfolio = make_portfolio(employer=make_employer(), tags=[make_tag()])

    for answer in (
        client.get(f"/api/portfolios/{portfolio.pk}/").json(),
        client.get("/api/portfolios/").json()["results"][0],
    ):
        assert "slug" not in answer["employer_data"]
        assert "slug" not in answer["tags_data"][0]


@EVERY
def test_many_of_one_name_cost_few_queries(client: Client, resource: str) -> None:
    model = MODELS[resource]
    model.objects.bulk_create(model(name=f"Print{'!' * number}", slug="") for number in range(80))
    assert set(model.objects.values_list("slug", flat=True)) == {"print", *(f"print-{n}" for n in range(2, 81))}

    with CaptureQueriesContext(connection) as captured:
        row = model.objects.create(name="Print?")

    assert row.slug == "print-81"
    assert len(captured) == 3


@pytest.mark.django_db(transaction=True)
def test_rows_of_before_get_theirs_by_the_migration() -> None:
    executor = MigrationExecutor(connection)
    old = executor.migrate([("portfolios", "0005_texts_in_normal_form")]).apps
    for model in MODELS.values():
        old.get_model("portfolios", model.__name__).objects.bulk_create(
            old.get_model("portfolios", model.__name__)(name=name) for name in ("A b", "a-b", "?", "نقشه")
        )

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())

    for resource, model in MODELS.items():
        rows = list(model.objects.order_by("pk"))
        nameless = f"{resource.removesuffix('s')}-{rows[2].pk}"
        assert [row.slug for row in rows] == ["a-b", "a-b-2", nameless, "نقشه"]


@EVERY
def test_the_admin_s_form_makes_it_where_it_is_empty(site: Site, resource: str) -> None:
    noun = resource.removesuffix("s")

    answer = site.post(f"/admin/portfolios/{noun}/add/", {"name": "Web design", "slug": ""})

    assert answer.status_code == 302, errors(answer)
    assert MODELS[resource].objects.get().slug == "web-design"


@EVERY
def test_the_admin_s_form_changes_it_and_names_one_that_is_taken(site: Site, resource: str) -> None:
    noun, model = resource.removesuffix("s"), MODELS[resource]
    model.objects.create(name="Paper")
    row = model.objects.create(name="Print")
    url = f"/admin/portfolios/{noun}/{row.pk}/change/"

    taken = site.post(url, {**shown_values(site.get(url)), "slug": "paper"})
    wrong = site.post(url, {**shown_values(site.get(url)), "slug": "two words"})
    changed = site.post(url, {**shown_values(site.get(url)), "slug": "printed"})

    assert list(errors(taken)) == list(errors(wrong)) == ["slug"]
    assert changed.status_code == 302, errors(changed)
    row.refresh_from_db()
    assert row.slug == "printed"


@EVERY
def test_a_name_typed_in_another_form_gets_one(site: Site, resource: str) -> None:
    url = f"/admin/portfolios/{resource.removesuffix('s')}/make/"

    site.post(url, {"name": "Web design"}, content_type="application/json")

    assert MODELS[resource].objects.get().slug == "web-design"
