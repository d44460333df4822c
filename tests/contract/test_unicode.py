"""Texts of any script go in, are found, sort and come out as they went in."""

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User

from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_portfolio, make_tag

pytestmark = pytest.mark.django_db

PATH = "/api/portfolios/"
TEXTS = {
    "persian": "طراحی وب‌سایت دیجی‌کالا",
    "arabic": "تصميم المواقع",
    "chinese": "网站设计",
    "hindi": "वेब डिज़ाइन",
    "emoji": "Shop 🛍️ 👩‍👩‍👧‍👦 🇮🇷",
    "precomposed": "Café Å",
    "astral": "𝔉𝔬𝔩𝔦𝔬 𠜎",
    "joined": "می\u200cخواهم 👩\u200d🚀",
    "isolated": "به \u2068FRANCE\u2069 رفت",
    "right_to_left_mark": "\u200fabc\u200e",
}
SLUGS = ["وب-سایت", "网站-设计", "वेब-डिज़ाइन", "café", "straße", "ѐ_1", "𠜎", "ａ", "1", "-_-"]


def body(**fields: Any) -> dict[str, Any]:
    return {"title": "Title", "slug": "slug", "excerpt": "Excerpt.", **fields}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_comes_out_as_it_went_in(client: Client, text: str) -> None:
    given = body(
        title=text,
        excerpt=text,
        description=text,
        links=[{"name": text, "description": text}],
        meta=[{"key": text, "value_text": text}],
    )

    made = client.post(PATH, given)
    read = client.get(f"{PATH}{made.json()['id']}/").json()

    assert made.status_code == 201
    assert read["title"] == read["excerpt"] == read["description"] == text
    assert read["links_data"][0]["name"] == read["links_data"][0]["description"] == text
    assert read["meta"][0]["key"] == read["meta"][0]["value_text"] == text


def test_an_answer_is_utf_8_and_not_escaped(client: Client) -> None:
    portfolio = make_portfolio(title="طراحی 🛍️")

    response = client.get(f"{PATH}{portfolio.pk}/")

    assert "طراحی 🛍️".encode() in response.content
    assert b"\\u" not in response.content
    assert response.headers["Content-Type"] == "application/json"


def test_a_body_may_be_escaped(client: Client) -> None:
    escaped = b'{"title": "\\u0637\\u0631 \\ud83d\\udecd", "slug": "a", "excerpt": "x"}'

    response = client.post(PATH, escaped, content_type="application/json")

    assert response.json()["title"] == "طر 🛍"


def test_a_combining_title_is_the_same_as_its_precomposed_twin(client: Client) -> None:
    first = client.post(PATH, body(title="Cafe\u0301", slug="a"))
    second = client.post(PATH, body(title="Café", slug="b"))

    assert first.status_code == 201
    assert first.json()["title"] == "Café"
    assert list(second.json()) == ["title"]


@pytest.mark.parametrize("slug", SLUGS)
def test_a_slug_of_any_script_makes_the_round_trip(client: Client, slug: str) -> None:
    made = client.post(PATH, body(slug=slug))
    found = client.get(f"{PATH}slug/{quote(slug)}/")
    listed = client.get(PATH, {"slug": slug})

    assert made.status_code == 201, made.content
    assert made.json()["slug"] == slug
    assert found.status_code == 200
    assert found.json()["id"] == made.json()["id"]
    assert [row["slug"] for row in listed.json()["results"]] == [slug]


def test_a_slug_url_redirects_with_its_encoding_and_arrives(client: Client) -> None:
    make_portfolio(slug="وب-سایت")

    response = client.get(f"{PATH}slug/{quote('وب-سایت')}", follow=True)

    assert response.redirect_chain == [(f"{PATH}slug/{quote('وب-سایت')}/", 301)]
    assert response.json()["slug"] == "وب-سایت"


@pytest.mark.parametrize("slug", ["a b", "a/b", "a.b", "🛍️", "a\u200cb", "a,b", "«a»", "a\nb", "a%20b"])
def test_a_slug_of_anything_else_is_refused(client: Client, slug: str) -> None:
    response = client.post(PATH, body(slug=slug))

    assert response.status_code == 400
    assert list(response.json()) == ["slug"]
    assert not Portfolio.objects.exists()


@pytest.mark.parametrize(
    ("title", "search"),
    [
        ("طراحی وب‌سایت", "وب"),
        ("STRASSE", "straße"),
        ("Straße", "STRASSE"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("Привет", "ПРИВЕТ"),
        ("Shop 🛍️", "🛍️"),
        ("ÉCOLE", "école"),
        ("网站设计", "设计"),
    ],
)
def test_a_search_finds_any_letter_case_of_any_script(client: Client, title: str, search: str) -> None:
    make_portfolio(title=title)
    make_portfolio(title="Another one")

    response = client.get(PATH, {"search": search})

    assert [row["title"] for row in response.json()["results"]] == [title]


def test_texts_sort_by_code_point(client: Client) -> None:
    names = ["a", "Z", "é", "É", "ß", "я", "و", "网", "🛍", "𠜎", "~", "0"]
    for name in names:
        make_tag(name=name)

    response = client.get("/api/tags/?ordering=name&limit=100")

    assert [row["name"] for row in response.json()["results"]] == sorted(names)


def test_lengths_are_counted_in_characters(client: Client) -> None:
    fits, too_long = client.post("/api/tags/", {"name": "🛍" * 100}), client.post("/api/tags/", {"name": "🛍" * 101})

    assert fits.status_code == 201
    assert too_long.status_code == 400
    assert list(too_long.json()) == ["name"]


def test_a_page_link_keeps_a_search_in_any_script(client: Client) -> None:
    for number in range(2):
        make_portfolio(title=f"طراحی {number}")

    page = client.get(PATH, {"search": "طراحی", "limit": "1"}).json()

    assert quote("طراحی") in page["next"]
    assert client.get(page["next"]).json()["results"][0]["title"] == "طراحی 0"


def test_an_error_repeats_a_text_as_it_was_written(client: Client) -> None:
    response = client.get(PATH, {"has_image": "بله"})

    assert response.json() == {"has_image": ["Enter true or false, not 'بله'."]}


def test_a_username_in_any_script_signs_in(client: Client) -> None:
    User.objects.create_user("مینا", password="گذرواژه-۱۲۳۴")

    response = Client().post("/api/auth/token/", {"username": "مینا", "password": "گذرواژه-۱۲۳۴"})

    assert response.status_code == 201
