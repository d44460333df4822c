"""The `search` of the list of portfolios."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Client
from tests.factories import make_employer, make_link, make_meta, make_portfolio, make_tag

PATH = "/api/portfolios/"


def found(client: Client, search: str) -> set[str]:
    response = client.get(PATH, {"search": search})
    assert response.status_code == 200, response.json()
    return {row["slug"] for row in response.json()["results"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"title": "A needle here"},
        {"slug": "the-needle"},
        {"excerpt": "Hay, hay, needle."},
        {"employer": "Needle & Sons"},
    ],
)
def test_looks_into_title_slug_excerpt_and_employer(client: Client, fields: dict[str, Any]) -> None:
    if "employer" in fields:
        fields = {"employer": make_employer(name=fields["employer"])}
    portfolio = make_portfolio(**fields)
    make_portfolio()

    assert found(client, "needle") == {portfolio.slug}


def test_looks_into_nothing_else(client: Client) -> None:
    portfolio = make_portfolio(
        description="needle", tags=[make_tag(name="needle")], employer=make_employer(description="needle")
    )
    make_link(portfolio, name="needle")
    make_meta(portfolio, key="needle", value_text="needle")

    assert found(client, "needle") == set()


def test_finds_the_year_of_completion_as_text(client: Client) -> None:
    make_portfolio(slug="eve", title="Eve", completed_at=datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC))
    make_portfolio(slug="new", title="New", completed_at=datetime(2020, 1, 1, tzinfo=UTC))
    make_portfolio(slug="open", title="Open")

    assert found(client, "2019") == {"eve"}
    assert found(client, "2020") == {"new"}
    assert found(client, "20") == {"eve", "new"}
    assert found(client, "12") == set()


@pytest.mark.parametrize(
    ("text", "searches"),
    [
        ("WordPress", ["wordpress", "WORDPRESS", "ordpr"]),
        ("École", ["école", "ÉCOLE"]),
        ("éclair", ["ÉCLAIR", "ÉCL"]),
        ("Яндекс", ["яндекс", "ЯНДЕКС", "Я"]),
        ("я и ты", ["Я", "ТЫ"]),
        ("Straße", ["strasse", "STRASSE", "straße", "STRAẞE"]),
        ("STRASSE", ["straße", "STRAẞE"]),
        ("STRAẞE", ["strasse", "straße"]),
        ("ΟΔΥΣΣΕΥΣ", ["οδυσσευς", "οδυσσευσ", "Σ", "ς", "σ"]),
        ("οδός", ["ΟΔΌΣ", "οδόσ"]),
        ("İstanbul", ["İSTANBUL", "stanbul", "i"]),
        ("ılık", ["ILIK", "ılık"]),
        ("طراحی سایت دیجی‌کالا", ["سایت", "دیجی‌کالا", "طراحی دیجی"]),
        ("हिन्दी", ["हिन्दी", "न्दी"]),
        ("网站设计", ["设计"]),
        ("ﬁne", ["FINE", "ﬁNE"]),
        ("🎨 art", ["🎨"]),
        ("École", ["e\u0301cole"]),  # a letter and its accent as two characters
        ("E\u0301cole", ["école"]),
    ],
)
def test_finds_a_text_in_any_letter_case_of_any_script(client: Client, text: str, searches: list[str]) -> None:
    make_portfolio(slug="match", title=text)
    make_portfolio(slug="other", title="Z")

    for search in searches:
        assert found(client, search) == {"match"}, search


@pytest.mark.parametrize(
    ("text", "searches"),
    [
        ("École", ["ecole", "ecolé"]),
        ("Ångström", ["angstrom", "angström"]),
        ("Việt Nam", ["viet nam"]),
        ("ёлка", ["елка"]),
        ("Ｗｉｄｅ", ["wide", "ＷＩＤＥ"]),
        ("كتاب عربي", ["کتاب", "عربی", "كتاب"]),
        ("خانهٔ ما", ["خانه", "خانة"]),
        ("دیجی‌کالا", ["دیجیکالا", "دیجی‌کالا"]),
        ("سال ۱۴۰۳", ["1403", "١٤٠٣", "۱۴۰۳"]),
        ("Version 1403", ["۱۴۰۳"]),
        ("well-known", ["wellknown", "well-known", "well‑known"]),
        ("ـــسلام", ["سلام"]),
        ("l’été", ["l'ete"]),
    ],
)
def test_finds_a_text_whatever_its_accents_variants_and_digits(client: Client, text: str, searches: list[str]) -> None:
    make_portfolio(slug="match", title=text)
    make_portfolio(slug="other", title="Z")

    for search in searches:
        assert found(client, search) == {"match"}, search


def test_a_word_of_hyphens_alone_is_no_word(client: Client) -> None:
    portfolio = make_portfolio(title="Alpha - beta")

    assert found(client, "alpha - beta") == {portfolio.slug}
    assert found(client, "-") == set()


@pytest.mark.parametrize("search", ["istаnbul", "0ne"])
def test_does_not_find_what_only_looks_alike(client: Client, search: str) -> None:
    make_portfolio(title="Istanbul One")

    assert found(client, search) == set()


def test_every_word_must_occur_in_one_field_or_another(client: Client) -> None:
    make_portfolio(slug="alpha", title="Beta", excerpt="gamma", employer=make_employer(name="Delta"))
    make_portfolio(slug="only-alpha")

    assert found(client, "ALPHA beta Gamma delta") == {"alpha"}
    assert found(client, "delta  alpha") == {"alpha"}
    assert found(client, "alpha") == {"alpha", "only-alpha"}
    assert found(client, "alpha beta epsilon") == set()


def test_a_word_does_not_reach_across_fields(client: Client) -> None:
    make_portfolio(title="alpha", slug="beta", excerpt="gamma")

    assert found(client, "alphabeta") == set()
    assert found(client, "betagamma") == set()


@pytest.mark.parametrize("character", ["%", "_", "\\", "*", "?", "'", '"', "[", ".", "^", "$", "|", "&", "+", ";--"])
def test_takes_every_character_literally(client: Client, character: str) -> None:
    make_portfolio(slug="match", title=f"a{character}b", excerpt="Text")
    make_portfolio(slug="other", title="aXb", excerpt="Text")

    assert found(client, character) == {"match"}
    assert found(client, f"a{character}b") == {"match"}


@pytest.mark.parametrize("search", ["a%b", "a_b", "%%", "\\%", "a\\_b"])
def test_knows_no_wildcards(client: Client, search: str) -> None:
    make_portfolio(title="aXb 100")

    assert found(client, search) == set()


def test_finds_nothing_where_nothing_matches(client: Client) -> None:
    make_portfolio()

    assert client.get(PATH, {"search": "nothing like it"}).json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }


def test_refuses_the_null_character(client: Client) -> None:
    response = client.get(PATH, {"search": "a\0b"})

    assert response.status_code == 400
    assert list(response.json()) == ["search"]


@pytest.mark.parametrize("search", [" ".join("abcdefghijklmnop" * 3), "x" * 60_000])
def test_refuses_more_than_it_can_search_for(client: Client, search: str) -> None:
    response = client.get(PATH, {"search": search})

    assert response.status_code == 400
    assert list(response.json()) == ["search"]


def test_takes_as_many_words_as_a_long_title_has(client: Client) -> None:
    portfolio = make_portfolio(title=" ".join("abcdefghijklmnopqrstuvwxyz"))

    assert found(client, portfolio.title.upper()) == {portfolio.slug}
