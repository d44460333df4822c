"""`/api/public/portfolios/`: which are found, in which order, and what is refused."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.test import Client

from folio.portfolios.models import Portfolio
from tests.delivery.entries import OPTIONAL, PATH, ask, errors, listed, make_picture
from tests.factories import make_employer, make_portfolio, make_tag

NAMES = [
    *("limit", "offset", "search", "ordering", "tag", "tags_any", "employer", "year", "completed_at_from"),
    *("completed_at_to", "has_image", "slugs", "exclude", "include", "fields"),
]


def make_several(*slugs: str, **fields: Any) -> list[Portfolio]:
    """Make portfolios that come in this order."""
    return [make_portfolio(slug=slug, order=place, **fields) for place, slug in enumerate(slugs)]


def test_tells_how_many_there_are_and_the_first_twelve(visitor: Client) -> None:
    make_several(*(f"s{number:02}" for number in range(15)))

    answer = ask(visitor)

    assert list(answer) == ["count", "next", "previous", "results"]
    assert (answer["count"], answer["previous"]) == (15, None)
    assert answer["next"] == f"http://testserver{PATH}?limit=12&offset=12"
    assert [row["slug"] for row in answer["results"]] == [f"s{number:02}" for number in range(12)]
    assert listed(visitor, offset=12) == ["s12", "s13", "s14"]


def test_a_limit_above_the_most_is_cut(visitor: Client) -> None:
    make_several(*(f"s{number}" for number in range(101)))

    assert len(listed(visitor, limit=1000)) == 100
    assert "limit=100" in ask(visitor, limit=1000)["next"]


def test_pages_lead_to_each_other_with_all_parameters(visitor: Client) -> None:
    one, other = make_tag(slug="یک"), make_tag(slug="b&c=d".replace("&", "").replace("=", ""))
    make_several("a", "b", "c", tags=[one, other])

    answer = ask(visitor, tag=["یک", other.slug], limit=1, fields="slug", slugs="c,b,a", offset=1)

    following = urlsplit(answer["next"])
    assert visitor.get(f"{following.path}?{following.query}").json()["results"] == [{"slug": "a"}]
    assert following.query.count("tag=") == 2
    before = urlsplit(answer["previous"])
    assert visitor.get(f"{before.path}?{before.query}").json()["results"] == [{"slug": "c"}]


def test_entries_are_in_the_editors_order(visitor: Client) -> None:
    make_several("a", "b", "c")
    Portfolio.objects.filter(slug="a").update(order=9)

    assert listed(visitor) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("ordering", "slugs"),
    [
        ("slug", ["a", "b", "c"]),
        ("-slug", ["c", "b", "a"]),
        ("title", ["b", "a", "c"]),
        ("year,-slug", ["c", "b", "a"]),
        ("client__name", ["c", "a", "b"]),
        ("-employer__name", ["a", "c", "b"]),
        ("-updated_at", ["a", "c", "b"]),
        ("created_at", ["a", "b", "c"]),
    ],
)
def test_entries_are_put_in_order(visitor: Client, ordering: str, slugs: list[str]) -> None:
    one, other = make_employer(name="A"), make_employer(name="B")
    make_portfolio(slug="a", title="2", employer=other)
    make_portfolio(slug="b", title="1", completed_at=datetime(2021, 1, 1, tzinfo=UTC))
    make_portfolio(slug="c", title="3", employer=one, completed_at=datetime(2020, 1, 1, tzinfo=UTC))
    Portfolio.objects.filter(slug="a").update(related_updated_at=datetime(2099, 1, 1, tzinfo=UTC))

    assert listed(visitor, ordering=ordering) == slugs


def test_several_tags_are_all_asked_for(visitor: Client) -> None:
    one, other = make_tag(slug="one"), make_tag(slug="other")
    make_portfolio(slug="both", tags=[other, one])
    make_portfolio(slug="single", tags=[one])

    assert listed(visitor, tag="one", ordering="slug") == ["both", "single"]
    assert listed(visitor, tag=["one", "other"]) == ["both"]
    assert listed(visitor, tag=["one", "none"]) == []
    assert listed(visitor, tags_any="other, one,none", ordering="slug") == ["both", "single"]
    assert listed(visitor, tags_any="other") == ["both"]
    assert listed(visitor, tags_any="none") == []


def test_an_employer_and_a_year_are_asked_for(visitor: Client) -> None:
    make_portfolio(slug="a", employer=make_employer(slug="acme"), completed_at=datetime(2020, 6, 1, tzinfo=UTC))
    make_portfolio(slug="b")

    assert listed(visitor, employer="acme") == listed(visitor, year=2020) == ["a"]
    assert listed(visitor, employer="none") == listed(visitor, year=2021) == []
    assert listed(visitor, completed_at_from="2020-06-01", completed_at_to="2020-06-01") == ["a"]
    assert listed(visitor, completed_at_to="2020-05-31") == []


def test_those_with_a_cover_are_asked_for(visitor: Client) -> None:
    make_portfolio(slug="with", image=make_picture())
    make_portfolio(slug="without")

    assert (listed(visitor, has_image="true"), listed(visitor, has_image=0)) == (["with"], ["without"])


def test_some_are_named_in_their_order(visitor: Client) -> None:
    make_several("a", "b", "c")

    assert listed(visitor, slugs="c, none ,a,c") == ["c", "a"]
    assert listed(visitor, slugs="c,none,a", ordering="slug") == ["a", "c"]
    assert listed(visitor, slugs="c,b,a", limit=1, offset=1) == ["b"]
    assert ask(visitor, slugs="c,none,a", limit=1)["count"] == 2
    assert listed(visitor, slugs="c,b,a", exclude="b") == ["c", "a"]


def test_one_is_left_out(visitor: Client) -> None:
    make_several("a", "b")

    assert listed(visitor, exclude="a") == ["b"]
    assert listed(visitor, exclude="none") == ["a", "b"]


@pytest.mark.parametrize("slug", ["نمایشگاه", "καφέ", "写真", "café", "a_b-c", "हिन्दी", "ß"])
def test_slugs_are_of_any_script(visitor: Client, slug: str) -> None:
    make_portfolio(slug=slug, tags=[make_tag(slug=slug)], employer=make_employer(slug=slug))
    make_portfolio(slug="other")

    for name in ("slugs", "tag", "tags_any", "employer"):
        assert listed(visitor, **{name: slug}) == [slug], name
    assert listed(visitor, exclude=slug) == ["other"]
    assert ask(visitor, f"{PATH}{quote(slug)}/")["slug"] == slug


def test_slugs_are_compared_in_their_normal_form(visitor: Client) -> None:
    make_portfolio(slug="café", tags=[make_tag(slug="thé")])

    assert listed(visitor, slugs="cafe\u0301") == listed(visitor, tag="the\u0301") == ["café"]
    assert ask(visitor, f"{PATH}{quote('cafe' + chr(0x301))}/")["slug"] == "café"


def test_more_is_told_where_asked_for(visitor: Client) -> None:
    make_portfolio(description="Text")

    (row,) = ask(visitor, include="related,description")["results"]

    assert list(row)[-3:] == ["description", "description_html", "related"]


def test_fields_alone_are_told_in_the_order_of_the_shape(visitor: Client) -> None:
    make_portfolio(slug="a", description="*Text*")

    assert ask(visitor, fields="title,slug,id,slug")["results"][0].keys() == {"id", "slug", "title"}
    assert list(ask(visitor, fields="title,slug,id")["results"][0]) == ["id", "slug", "title"]
    assert ask(visitor, fields="description_html,slug")["results"] == [
        {"slug": "a", "description_html": "<p><em>Text</em></p>\n"}
    ]
    assert ask(visitor, fields="description", include="gallery")["results"] == [{"description": "*Text*"}]


def test_empty_parameters_count_as_absent(visitor: Client) -> None:
    make_portfolio()

    assert ask(visitor, **dict.fromkeys(NAMES, ""))["results"] == ask(visitor)["results"]


@pytest.mark.parametrize(
    ("query", "name", "message"),
    [
        ("tags=x", "tags", f"Unknown parameter. Did you mean tag or tags_any? Allowed: {', '.join(NAMES)}."),
        ("has_imag=1", "has_imag", f"Unknown parameter. Did you mean has_image? Allowed: {', '.join(NAMES)}."),
        ("is_active=0", "is_active", f"Unknown parameter. Allowed: {', '.join(NAMES)}."),
        ("year=then", "year", "Enter a whole number, not 'then'."),
        ("has_image=maybe", "has_image", "Enter true or false, not 'maybe'."),
        ("limit=0", "limit", "Enter 1 or more, not 0."),
        ("employer=a&employer=b", "employer", "Give this parameter once, not 2 times."),
        ("include=gallery&include=meta", "include", "Give this parameter once, not 2 times."),
        (
            "include=galery",
            "include",
            f"There is no 'galery' here. Did you mean gallery? Allowed: {', '.join(OPTIONAL)}.",
        ),
        ("slugs=a%00", "slugs", "The null character is not allowed."),
    ],
)
def test_what_is_wrong_is_told_by_its_name(visitor: Client, query: str, name: str, message: str) -> None:
    assert errors(visitor, query=query) == {name: [message]}


def test_an_order_that_would_tell_what_is_hidden_is_unknown(visitor: Client) -> None:
    assert errors(visitor, query="ordering=is_active")["ordering"][0].startswith("Can't order by 'is_active'.")


def test_a_tag_with_a_comma_is_told_apart_from_several(visitor: Client) -> None:
    assert errors(visitor, query="tag=a,b") == {
        "tag": [
            "Give one slug, and the parameter again for each further one; tags_any takes several, separated by commas."
        ]
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("&".join(f"tag={number}" for number in range(33)), {"tag": ["Give at most 32 tags, not 33."]}),
        ("slugs=" + ",".join(map(str, range(1001))), {"slugs": ["Enter at most 1000 slugs, not 1001."]}),
        ("tags_any=" + ",".join(map(str, range(1001))), {"tags_any": ["Enter at most 1000 slugs, not 1001."]}),
    ],
)
def test_lists_are_bounded(visitor: Client, query: str, message: Any) -> None:
    assert errors(visitor, query=query) == message


def test_the_most_of_each_list_is_answered(visitor: Client) -> None:
    tags = [make_tag(slug=f"t{number}") for number in range(32)]
    make_portfolio(slug="a", tags=tags)
    many = ",".join([*(f"x{number}" for number in range(999)), "a"])

    assert listed(visitor, tag=[tag.slug for tag in tags], slugs=many, tags_any=many.replace(",a", ",t1")) == ["a"]
