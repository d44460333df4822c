"""The tags and employers that published portfolios have."""

import unicodedata
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Employer, Portfolio, PortfolioTag, Tag
from tests.factories import make_employer, make_media, make_portfolio, make_tag
from tests.snapshots.stage import StubLooks

from .fronts import Front

TAGS, EMPLOYERS = "/api/public/tags/", "/api/public/employers/"


@pytest.fixture(autouse=True)
def open_to_all(db: None, settings: Any) -> None:
    settings.PUBLIC_READ = True


@pytest.fixture
def public() -> Client:
    return Client()


def names(public: Client, url: str) -> list[str]:
    answer = public.get(url)
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["results"]]


# Shapes


def test_a_tag(public: Client) -> None:
    tag = make_tag(name="Print", slug="print", image=make_media(alt="A press"))
    make_portfolio(tags=[tag])

    row = public.get(f"{TAGS}print/").json()

    assert list(row) == ["id", "slug", "name", "image", "count"]
    assert (row["id"], row["slug"], row["name"], row["count"]) == (tag.pk, "print", "Print", 1)
    assert row["image"]["alt"] == "A press"
    assert public.get(TAGS).json() == {"count": 1, "next": None, "previous": None, "results": [row]}


def test_an_employer(public: Client) -> None:
    employer = make_employer(name="Bakery", slug="bakery", description="Since 1909.")
    make_portfolio(employer=employer)
    make_portfolio(employer=employer)

    row = public.get(f"{EMPLOYERS}bakery/").json()

    assert row == {
        "id": employer.pk,
        "slug": "bakery",
        "name": "Bakery",
        "image": None,
        "description": "Since 1909.",
        "count": 2,
    }
    assert list(row) == ["id", "slug", "name", "image", "description", "count"]
    assert public.get(EMPLOYERS).json()["results"] == [row]


def test_an_image_is_as_in_an_entry(public: Client) -> None:
    make_portfolio(slug="sign", tags=[make_tag(slug="print", image=make_media())])

    entry = public.get("/api/public/portfolios/sign/").json()

    assert public.get(f"{TAGS}print/").json()["image"] == entry["tags"][0]["image"]


@pytest.mark.parametrize("slug", ["نشان", "ünï", "печать"])
def test_a_slug_of_any_script_and_in_any_normal_form(public: Client, slug: str) -> None:
    make_portfolio(tags=[make_tag(slug=slug)], employer=make_employer(slug=slug))

    for url in (TAGS, EMPLOYERS):
        assert public.get(f"{url}{slug}/").json()["slug"] == slug
        assert public.get(f"{url}{unicodedata.normalize('NFD', slug)}/").json()["slug"] == slug


@pytest.mark.parametrize("slug", ["none", "%00", "a%00b", "%ff", "x" * 5000, "1", "."])
def test_any_other_slug_is_not_there(public: Client, slug: str) -> None:
    make_portfolio(tags=[make_tag(slug="print")])

    for url in (TAGS, EMPLOYERS):
        answer = public.get(f"{url}{slug}/")
        assert (answer.status_code, list(answer.json())) == (404, ["detail"])


# Only while a published portfolio has it


@pytest.mark.parametrize("url", [TAGS, EMPLOYERS])
def test_it_is_public_only_while_a_published_portfolio_has_it(public: Client, url: str) -> None:
    make_tag(slug="xyz")
    make_employer(slug="xyz")
    never = public.get(f"{url}was/")

    def is_public() -> bool:
        alone, listed = public.get(f"{url}xyz/"), public.get(url).json()
        assert (alone.status_code == 200) is (listed["count"] == 1) is bool(listed["results"])
        if alone.status_code == 404:
            told = alone.content.replace(b"xyz", b"was")
            assert (told, alone.headers) == (never.content, never.headers), "nobody can tell why"
        return alone.status_code == 200

    assert not is_public()
    portfolio = make_portfolio(
        tags=[Tag.objects.get(slug="xyz")], employer=Employer.objects.get(slug="xyz"), is_active=False
    )
    assert not is_public()
    Portfolio.objects.update(is_active=True)
    assert is_public()
    Portfolio.objects.update(is_active=False)
    assert not is_public()
    portfolio.delete()
    assert not is_public()


def test_the_published_alone_are_counted(public: Client) -> None:
    tag, employer = make_tag(slug="it"), make_employer(slug="it")
    for is_active in (True, False, True, False, False):
        make_portfolio(tags=[tag], employer=employer, is_active=is_active)

    for url in (TAGS, EMPLOYERS):
        assert public.get(f"{url}it/").json()["count"] == 2
        assert [row["count"] for row in public.get(url).json()["results"]] == [2]


# Order and pages


@pytest.fixture
def several() -> None:
    """Tags and employers `a` to `d` of counts 2, 3, 2, 1; made in another order, with one that nobody may see."""
    wanted = {"b": 3, "d": 1, "a": 2, "c": 2, "hidden": 0}
    make_portfolio(is_active=False, tags=[make_tag(name="hidden")], employer=make_employer(name="hidden"))
    for name, count in wanted.items():
        if count:
            tag, employer = make_tag(name=name), make_employer(name=name)
            for _ in range(count):
                make_portfolio(tags=[tag], employer=employer)


@pytest.mark.parametrize("url", [TAGS, EMPLOYERS])
@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("", "abcd"),
        ("name", "abcd"),
        ("-name", "dcba"),
        ("count", "dacb"),
        ("-count", "bacd"),
        ("count,-name", "dcab"),
        ("-count,name", "bacd"),
        ("-count,-name", "bcad"),
        ("name,count", "abcd"),
    ],
)
def test_ordered_by_name_and_count_ties_by_id(
    public: Client, several: None, url: str, ordering: str, expected: str
) -> None:
    assert "".join(names(public, f"{url}?ordering={ordering}")) == expected


@pytest.mark.parametrize("url", [TAGS, EMPLOYERS])
def test_paged_like_portfolios(public: Client, several: None, url: str) -> None:
    page = public.get(f"{url}?limit=2&offset=1&ordering=-count").json()

    assert page["count"] == 4
    assert [row["name"] for row in page["results"]] == ["a", "c"]
    assert page["next"] == f"http://testserver{url}?ordering=-count&limit=2&offset=3"
    assert page["previous"] == f"http://testserver{url}?ordering=-count&limit=2"
    assert names(public, f"{url}?offset=4") == names(public, f"{url}?offset=999999999999") == []


def test_twelve_unless_asked_for_more_and_a_hundred_at_most(public: Client) -> None:
    make_portfolio(tags=Tag.objects.bulk_create(Tag(name=f"{number:03}") for number in range(110)))

    assert len(names(public, TAGS)) == 12
    assert len(names(public, f"{TAGS}?limit=1000")) == 100
    assert public.get(f"{TAGS}?offset=100").json()["previous"] == f"http://testserver{TAGS}?limit=12&offset=88"


@pytest.mark.parametrize(
    "query",
    ["ordering=id", "ordering=slug", "search=a", "id_min=1", "limit=0", "limit=x", "offset=-1", "limit=1&limit=2"],
)
@pytest.mark.parametrize("url", [TAGS, EMPLOYERS])
def test_other_parameters_are_refused(public: Client, url: str, query: str) -> None:
    answer = public.get(f"{url}?{query}")

    assert answer.status_code == 400
    assert list(answer.json()) == [query.partition("=")[0]]


@pytest.mark.parametrize("url", [f"{TAGS}it/", f"{EMPLOYERS}it/"])
def test_by_itself_it_takes_no_parameters(public: Client, url: str) -> None:
    make_portfolio(tags=[make_tag(slug="it")], employer=make_employer(slug="it"))

    assert public.get(f"{url}?limit=1").status_code == 400


# Cost


@pytest.mark.parametrize("url", [TAGS, EMPLOYERS, f"{TAGS}it/", f"{EMPLOYERS}it/"])
def test_a_constant_number_of_queries(public: Client, url: str) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert public.get(url if url.endswith("it/") else f"{url}?limit=100&ordering=-count").status_code == 200
        return len(captured)

    make_portfolio(
        tags=[make_tag(slug="it", image=make_media())], employer=make_employer(slug="it", image=make_media())
    )
    one = cost()
    for _ in range(50):
        make_portfolio(tags=[make_tag(image=make_media())], employer=make_employer(image=make_media()))

    assert cost() == one <= 7


@pytest.mark.django_db(transaction=True)
def test_what_was_counted_is_kept_for_as_long_as_nothing_changes(settings: Any) -> None:
    settings.PUBLIC_READ = True
    make_portfolio(tags=[make_tag(name="a"), make_tag(name="b")])
    looks = StubLooks()
    front = Front(looks)
    front.ask("tags/")

    with CaptureQueriesContext(connection) as captured:
        page = front.ask("tags/?offset=1").json()
    PortfolioTag.objects.filter(tag__name="a").delete()
    looks.number = (looks.number or 0) + 1

    assert [row["name"] for row in page["results"]] == ["b"]
    assert not [query for query in captured if "COUNT" in query["sql"]]
    assert [row["name"] for row in front.ask("tags/").json()["results"]] == ["b"]
    assert front.ask("tags/").json()["count"] == 1
