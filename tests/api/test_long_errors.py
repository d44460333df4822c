"""Errors stay small, in size and in what they take: counted in messages, bytes, comparisons and rows."""

import difflib
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.api import hints, parameters
from folio.api.errors import LONGEST_MESSAGE, MORE, MOST_MESSAGES
from folio.api.serializers import MOST_LISTED, MOST_WRONG_ITEMS
from folio.api.usage import MOST_USES
from folio.media.admin.posted import MOST_NAMED, Posted
from folio.portfolios.admin.type_ahead import TypeAheadListField
from folio.portfolios.models import Employer, Portfolio, Tag
from tests.conftest import Client
from tests.factories import make_employer, make_media, make_portfolio, make_tag

pytestmark = pytest.mark.django_db

PATH = "/api/portfolios/"
LARGEST = 120_000  # bytes: a hundred messages of a thousand characters, and names


def body(**fields: Any) -> dict[str, Any]:
    return {"title": "Title", "slug": "slug", "excerpt": "Excerpt.", **fields}


def messages(errors: Any) -> list[str]:
    if isinstance(errors, str):
        return [errors]
    inner = errors.values() if isinstance(errors, dict) else errors
    return [message for part in inner for message in messages(part)]


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names whose nearest was looked for."""
    names: list[str] = []
    real = difflib.get_close_matches

    def get_close_matches(word: str, *arguments: Any, **named: Any) -> Any:
        names.append(word)
        return real(word, *arguments, **named)

    monkeypatch.setattr(difflib, "get_close_matches", get_close_matches)
    return names


def test_a_thousand_items_with_fifty_unknown_keys_each(client: Client, compared: list[str]) -> None:
    item = {"name": "x", **{f"unknown{number}": 1 for number in range(50)}}

    response = client.post(PATH, body(links=[item] * 1000))

    assert response.status_code == 400
    assert len(compared) <= MOST_WRONG_ITEMS * parameters.MAX_UNKNOWN
    assert len(messages(response.json())) == MOST_MESSAGES + 1
    assert response.json()["non_field_errors"] == [MORE]
    assert len(response.content) < 20_000
    assert not Portfolio.objects.exists()


def test_each_of_a_few_wrong_items_is_told_in_its_place(client: Client) -> None:
    items = [{"name": "x"}, {"name": ""}, {"name": "y"}, {"nam": "z"}, {"name": "z"}]

    errors = client.post(PATH, body(links=items)).json()

    assert [list(item) for item in errors["links"]] == [[], ["name"], [], ["nam"], []]
    assert "non_field_errors" not in errors


@pytest.mark.parametrize(
    "given",
    [
        {"links": [{"name": "", "url": "x", "image": "y"}] * 1000},
        {"links": [{"id": 10**300 + number} for number in range(1000)]},
        {"meta": [{"key": "same"}] * 1000},
        {"meta": ["no object"] * 1000},
        {"images": list(range(1, 1001))},
        {"images": [10**300 + number for number in range(1000)]},
        {"tags": [number // 2 for number in range(1000)]},
        {"n" * 1_000_000: 1},
        {f"{number}{'n' * 10_000}": 1 for number in range(100)},
        {"slug": "a b" * 100_000},
    ],
    ids=["items", "ids", "keys", "kinds", "missing", "digits", "repeated", "name", "names", "text"],
)
def test_no_body_makes_a_large_error(client: Client, given: dict[str, Any], compared: list[str]) -> None:
    response = client.post(PATH, body(**given))

    assert response.status_code == 400
    assert len(response.content) < LARGEST
    assert len(messages(response.json())) <= MOST_MESSAGES + 1
    assert all(len(message) <= LONGEST_MESSAGE + 1 for message in messages(response.json()))
    assert len(compared) <= parameters.MAX_UNKNOWN


def test_a_list_of_ids_tells_the_first_and_how_many_more(client: Client) -> None:
    (message,) = client.post(PATH, body(images=list(range(1001, 1101)))).json()["images"]

    assert message.count(",") == MOST_LISTED - 1
    assert message.endswith(f"1020 and {100 - MOST_LISTED} more.")


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"{'p' * 50}{number}=1" for number in range(900)),
        "&".join(f"p{number // 2}=1" for number in range(900)),
        f"ordering={'x' * 50_000}",
        f"tags_in={','.join('x' * 40 for _ in range(1000))}",
        f"has_image={'y' * 50_000}",
        f"{'n' * 50_000}=1",
    ],
    ids=["unknown", "repeated", "ordering", "ids", "value", "name"],
)
def test_no_query_makes_a_large_error(client: Client, query: str, compared: list[str]) -> None:
    response = client.generic("GET", PATH, QUERY_STRING=query)

    assert response.status_code == 400
    assert len(response.content) < LARGEST
    assert len(messages(response.json())) <= MOST_MESSAGES + 1
    assert len(compared) <= parameters.MAX_UNKNOWN
    assert all(len(name) <= hints.MAX_NAME for name in compared)


def test_unknown_codes_are_told_as_they_were_sent(client: Client) -> None:
    codes = [{"a": None}, *(10**300 + number for number in range(5_000))]

    response = client.post("/api/auth/tokens/", {"name": "x", "codes": codes})

    assert response.json()["codes"][0].startswith('There is no permission code {"a": null}, 1000')
    assert len(response.content) < 2000


def test_a_conflict_names_the_first_of_what_uses_a_row(client: Client) -> None:
    employer = make_employer()
    Portfolio.objects.bulk_create(
        [Portfolio(title=f"{n}", slug=f"{n}", excerpt="x", employer=employer) for n in range(MOST_USES + 50)]
    )

    with CaptureQueriesContext(connection) as queries:
        response = client.delete(f"/api/employers/{employer.pk}/")

    assert response.status_code == 409
    assert not any("excerpt" in query["sql"] for query in queries), "what uses it is not read"
    assert len(response.json()["used_by"]) == MOST_USES
    assert Employer.objects.exists()


def test_a_form_of_the_admin_site_names_the_first_of_many_missing_rows(site: Site) -> None:
    gone = [str(10**6 + number) for number in range(20_000)]
    path = f"/admin/portfolios/portfolio/{make_portfolio().pk}/change/"

    with CaptureQueriesContext(connection) as queries:
        page = site.post(path, {"tags": gone}).content.decode()

    assert page.count(f"and {20_000 - MOST_NAMED} more were deleted meanwhile") <= 2
    assert f"and {20_000 - MOST_NAMED} more were deleted meanwhile" in page
    assert len(queries) < 60


def test_a_page_lists_the_first_of_what_uses_a_media(site: Site) -> None:
    media = make_media()
    Tag.objects.bulk_create([Tag(name=f"tag {number}", image=media) for number in range(150)])

    for page in ("change", "delete"):
        shown = site.get(f"/admin/media/media/{media.pk}/{page}/").content.decode()
        assert shown.count('class="folio-place-kind"') == 100
        assert "and 50 more" in shown


@pytest.mark.parametrize("posted", [["1", "2"] * 10_000, ["1"] * 20_000])
def test_repeated_rows_of_a_form_are_found_in_one_walk(posted: list[str]) -> None:
    class Counted(Posted):
        walks = 0

        def __iter__(self) -> Any:
            self.walks += 1
            return super().__iter__()

        def __getitem__(self, place: Any) -> Any:
            raise AssertionError("Each is compared with those before it.")

    given = Counted(posted)
    make_tag(pk=1), make_tag(pk=2)

    with pytest.raises(ValidationError, match="twice"):
        TypeAheadListField(Tag.objects.all(), "portfolios.portfolio.tags").rows(given)
    assert given.walks <= 5
