"""`/api/public/portfolios/{slug}/`: what is told of one, and where a slug leads."""

from urllib.parse import quote

import pytest
from django.test import Client
from django.test.utils import override_script_prefix

from folio.portfolios.models import FormerSlug
from tests.delivery.entries import OPTIONAL, PATH, REST, ROW, ask, errors, make_full
from tests.factories import make_portfolio


def test_include_leaves_out_what_it_does_not_name(visitor: Client) -> None:
    path = f"{PATH}{make_full().slug}/"

    assert list(ask(visitor, path)) == [*ROW, *REST]
    assert list(ask(visitor, path, include="")) == [*ROW, *REST]
    assert list(ask(visitor, path, include="related, links")) == [*ROW, "links", "related"]
    assert list(ask(visitor, path, include="description")) == [*ROW, "description", "description_html"]


def test_fields_alone_are_told(visitor: Client) -> None:
    path = f"{PATH}{make_full(slug='a').slug}/"

    assert list(ask(visitor, path, fields="meta,title,description_html")) == ["title", "description_html", "meta"]
    assert ask(visitor, path, fields="slug", include="gallery") == {"slug": "a"}


def test_each_part_is_the_same_in_every_combination(visitor: Client) -> None:
    full = make_full(2)
    make_full(2)
    path = f"{PATH}{full.slug}/"
    whole = ask(visitor, path)

    for name in OPTIONAL:
        told = ask(visitor, path, include=name)
        assert told == {key: whole[key] for key in told}
    for key in whole:
        assert ask(visitor, path, fields=key) == {key: whole[key]}
        assert [row for row in ask(visitor, fields=f"id,{key}")["results"] if row["id"] == full.pk] == [
            {"id": full.pk, key: whole[key]}
        ]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("include=highlight", "There is no 'highlight' here."),
        ("fields=highlight", "There is no 'highlight' here."),
        ("fields=titel", "There is no 'titel' here. Did you mean title? Allowed: id, slug, title,"),
        ("inclde=meta", "Unknown parameter. Did you mean include? Allowed: include, fields, preview."),
        ("search=x", "Unknown parameter. Allowed: include, fields, preview."),
    ],
)
def test_what_is_wrong_is_told_by_its_name(visitor: Client, query: str, told: str) -> None:
    path = f"{PATH}{make_portfolio().slug}/"
    name = query.partition("=")[0]

    found = errors(visitor, path, query)

    assert list(found) == [name]
    assert found[name][0].startswith(told)


def test_an_unknown_slug_is_missing(visitor: Client) -> None:
    response = visitor.get(f"{PATH}none/")

    assert response.status_code == 404
    assert response.json() == {"detail": "There is no portfolio with the slug none."}


@pytest.mark.parametrize("slug", ["%00", "a%00b", "x" * 5000, "%FF", "..%2F", "' OR 1=1"])
def test_no_slug_fails(visitor: Client, slug: str) -> None:
    assert visitor.get(f"{PATH}{slug}/").status_code == 404


def test_a_former_slug_leads_to_the_present_one(visitor: Client) -> None:
    portfolio = make_portfolio(slug="اکنون")
    FormerSlug.objects.create(portfolio=portfolio, slug="پیش")

    response = visitor.get(f"{PATH}{quote('پیش')}/?include=meta&fields=slug%2Cmeta")

    assert (response.status_code, response.content) == (301, b"")
    assert response.headers["Location"] == f"{PATH}{quote('اکنون')}/?include=meta&fields=slug%2Cmeta"
    assert visitor.get(response.headers["Location"]).json() == {"slug": "اکنون", "meta": []}
    assert visitor.get(f"{PATH}{quote('پیش')}/").headers["Location"] == f"{PATH}{quote('اکنون')}/"


def test_a_former_slug_leads_below_the_public_address(visitor: Client) -> None:
    FormerSlug.objects.create(portfolio=make_portfolio(slug="now"), slug="then")

    with override_script_prefix("/studio/"):
        response = visitor.get(f"{PATH}then/")

    assert response.headers["Location"] == f"/studio{PATH}now/"


def test_wrong_parameters_are_refused_before_a_former_slug_leads_anywhere(visitor: Client) -> None:
    FormerSlug.objects.create(portfolio=make_portfolio(), slug="then")

    assert list(errors(visitor, f"{PATH}then/", "none=1")) == ["none"]


def test_a_present_slug_beats_a_former_one(visitor: Client) -> None:
    FormerSlug.objects.create(portfolio=make_portfolio(slug="other"), slug="a")
    present = make_portfolio(slug="a")

    assert ask(visitor, f"{PATH}a/")["id"] == present.pk


def test_a_hidden_entry_with_a_former_slug_is_as_if_it_were_not_there(visitor: Client) -> None:
    FormerSlug.objects.create(portfolio=make_portfolio(slug="other"), slug="a")
    make_portfolio(slug="a", is_active=False)

    assert visitor.get(f"{PATH}a/").headers["Location"] == f"{PATH}other/"


def test_a_former_slug_of_what_is_hidden_leads_nowhere(visitor: Client) -> None:
    FormerSlug.objects.create(portfolio=make_portfolio(slug="hidden", is_active=False), slug="then")

    response = visitor.get(f"{PATH}then/")

    assert (response.status_code, response.headers.get("Location")) == (404, None)
    assert response.json() == {"detail": "There is no portfolio with the slug then."}
