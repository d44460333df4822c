"""The filters of the list of portfolios, each by itself."""

from datetime import UTC, datetime
from typing import Any

import pytest

from folio.portfolios.models import Portfolio
from tests.conftest import Client
from tests.factories import make_employer, make_media, make_portfolio, make_tag

PATH = "/api/portfolios/"
MOMENTS = {
    "before": datetime(2024, 3, 9, 23, 59, 59, 999_999, tzinfo=UTC),
    "start": datetime(2024, 3, 10, tzinfo=UTC),
    "noon": datetime(2024, 3, 10, 12, tzinfo=UTC),
    "end": datetime(2024, 3, 10, 23, 59, 59, 999_999, tzinfo=UTC),
    "after": datetime(2024, 3, 11, tzinfo=UTC),
}
FIELDS = {"created": "created_at", "updated": "updated_at", "completed_at": "completed_at"}
MOMENT_FILTERS = [f"{name}_{side}" for name in FIELDS for side in ("from", "to")]
BOOLEAN_FILTERS = ["has_image", "has_description", "has_employer", "is_active"]
INTEGER_FILTERS = ["id_min", "id_max", "order_min", "order_max", "employer_id", "tag_id"]
NO_ID = 999_999


def found(client: Client, query: str = "", /, **parameters: Any) -> set[str]:
    """Return the slugs of the portfolios that match, each of which must come once."""
    response = client.get(f"{PATH}?{query}" if query else PATH, parameters)
    assert response.status_code == 200, response.json()
    slugs = [row["slug"] for row in response.json()["results"]]
    assert len(slugs) == len(set(slugs)) == response.json()["count"]
    return set(slugs)


def refuses(client: Client, name: str, value: str) -> bool:
    """Tell whether the value is a 400 under the parameter's name alone."""
    response = client.get(PATH, {name: value})
    return response.status_code == 400 and list(response.json()) == [name]


def make_moments(field: str) -> None:
    """Make a portfolio for each of the moments, which alone sets them apart."""
    for slug, moment in MOMENTS.items():
        portfolio = make_portfolio(slug=slug)
        Portfolio.objects.filter(pk=portfolio.pk).update(**{field: moment})


def test_bounds_the_id_inclusively(client: Client) -> None:
    one, two, three = (make_portfolio(slug=slug) for slug in ("one", "two", "three"))

    assert found(client, id_min=two.pk) == {"two", "three"}
    assert found(client, id_max=two.pk) == {"one", "two"}
    assert found(client, id_min=one.pk + 1, id_max=three.pk - 1) == {"two"}
    assert found(client, id_min=three.pk + 1) == set()
    assert found(client, id_max=one.pk - 1) == set()


def test_bounds_the_order_inclusively(client: Client) -> None:
    for order in (-(2**31), -1, 0, 1, 2**31 - 1):
        make_portfolio(slug=f"order{order}", order=order)
    low, high = f"order{-(2**31)}", f"order{2**31 - 1}"

    assert found(client, order_min=0) == {"order0", "order1", high}
    assert found(client, order_max=0) == {low, "order-1", "order0"}
    assert found(client, order_min=-1, order_max=1) == {"order-1", "order0", "order1"}
    assert found(client, order_min=2**31 - 1) == {high}
    assert found(client, order_max=-(2**31)) == {low}


@pytest.mark.parametrize("name", ["id_min", "order_min"])
def test_knows_no_end_of_numbers(client: Client, name: str) -> None:
    make_portfolio(slug="only")
    other = name.replace("min", "max")

    for number in (2**31, 2**63, 10**40):
        assert found(client, **{name: number}) == set()
        assert found(client, **{other: number}) == {"only"}
        assert found(client, **{name: -number}) == {"only"}
        assert found(client, **{other: -number}) == set()


@pytest.mark.parametrize("value", ["one", "1.5", "1,2", "0x1", "١", "true", "1 2", "--1", "9" * 4001])
@pytest.mark.parametrize("name", INTEGER_FILTERS)
def test_refuses_what_is_no_whole_number(client: Client, name: str, value: str) -> None:
    assert refuses(client, name, value)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    ("side", "value", "expected"),
    [
        ("from", "2024-03-10", {"start", "noon", "end", "after"}),
        ("to", "2024-03-10", {"before", "start", "noon", "end"}),
        ("from", "2024-03-10T00:00:00Z", {"start", "noon", "end", "after"}),
        ("to", "2024-03-10T00:00:00Z", {"before", "start"}),
        ("from", "2024-03-10T12:00:00Z", {"noon", "end", "after"}),
        ("to", "2024-03-10T12:00:00Z", {"before", "start", "noon"}),
        ("from", "2024-03-10T12:00:00.000001Z", {"end", "after"}),
        ("to", "2024-03-10T11:59:59.999999Z", {"before", "start"}),
        ("from", "2024-03-10T12:00:00", {"noon", "end", "after"}),
        ("to", "2024-03-10T12:00", {"before", "start", "noon"}),
        ("from", "2024-03-10T15:30:00+03:30", {"noon", "end", "after"}),
        ("to", "2024-03-10T15:30:00+0330", {"before", "start", "noon"}),
        ("to", "2024-03-09T20:00:00-04:00", {"before", "start"}),
        ("from", "2024-03-11T04:00:00+04", {"after"}),
        ("from", "2024-03-10 12:00", {"noon", "end", "after"}),
        ("from", "0001-01-01", set(MOMENTS)),
        ("to", "9999-12-31", set(MOMENTS)),
        ("from", "9999-12-31", set()),
        ("to", "0001-01-01", set()),
    ],
)
def test_bounds_a_moment_inclusively(client: Client, name: str, side: str, value: str, expected: set[str]) -> None:
    make_moments(FIELDS[name])

    assert found(client, **{f"{name}_{side}": value}) == expected


@pytest.mark.parametrize("name", FIELDS)
def test_bounds_a_moment_on_both_sides(client: Client, name: str) -> None:
    make_moments(FIELDS[name])

    assert found(client, **{f"{name}_from": "2024-03-10", f"{name}_to": "2024-03-10"}) == {"start", "noon", "end"}
    assert found(client, **{f"{name}_from": "2024-03-11", f"{name}_to": "2024-03-10"}) == set()


@pytest.mark.parametrize("offset", ["+03:30", "+0330", " 03:30", " 0330"])
@pytest.mark.parametrize("side", ["from", "to"])
def test_reads_a_plus_that_arrived_as_a_space(client: Client, side: str, offset: str) -> None:
    make_moments("created_at")

    matches = found(client, f"created_{side}=2024-03-10T15:30:00{offset}")

    assert matches == {"noon", *({"end", "after"} if side == "from" else {"before", "start"})}


def test_reads_a_plus_that_arrived_as_a_space_before_hours_alone(client: Client) -> None:
    make_moments("created_at")

    assert found(client, "created_from=2024-03-11T04:00:00+04") == {"after"}


@pytest.mark.parametrize("name", ["created", "updated"])
def test_finds_what_happened_on_a_day_in_utc(client: Client, name: str) -> None:
    make_moments(FIELDS[name])

    assert found(client, **{f"{name}_date": "2024-03-10"}) == {"start", "noon", "end"}
    assert found(client, **{f"{name}_date": "2024-03-09"}) == {"before"}
    assert found(client, **{f"{name}_date": "2024-03-12"}) == set()
    assert found(client, **{f"{name}_date": "9999-12-31"}) == set()


@pytest.mark.parametrize(
    "value", ["2024-03-10T00:00:00Z", "2024-03", "soon", "2024-02-30", "10.03.2024", "1", "1710072000"]
)
@pytest.mark.parametrize("name", ["created_date", "updated_date"])
def test_refuses_what_is_no_day(client: Client, name: str, value: str) -> None:
    assert refuses(client, name, value)


@pytest.mark.parametrize(
    "value",
    [
        "soon",
        "2024",
        "1710072000",
        "2024-13-01",
        "2023-02-29",
        "2024-03-10T25:00:00Z",
        "2024-03-10T12:00:00+99:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "12:00",
        "2024-03-10,2024-03-11",
    ],
)
@pytest.mark.parametrize("name", MOMENT_FILTERS)
def test_refuses_what_is_no_moment(client: Client, name: str, value: str) -> None:
    assert refuses(client, name, value)


@pytest.mark.parametrize("name", ["completed_at_from", "completed_at_to"])
def test_what_is_not_completed_lies_in_no_bounds(client: Client, name: str) -> None:
    make_portfolio(slug="open")
    make_portfolio(slug="done", completed_at=MOMENTS["noon"])

    assert found(client, **{name: "2024-03-10T12:00:00Z"}) == {"done"}


@pytest.mark.parametrize(
    ("name", "with_it", "without"),
    [
        ("has_image", {"image"}, {"employer", "text", "blank", "none"}),
        ("has_employer", {"employer"}, {"image", "text", "blank", "none"}),
        ("has_description", {"text"}, {"image", "employer", "blank", "none"}),
        ("is_active", {"image", "employer", "text", "blank"}, {"none"}),
    ],
)
def test_tells_with_from_without(client: Client, name: str, with_it: set[str], without: set[str]) -> None:
    make_portfolio(slug="image", image=make_media())
    make_portfolio(slug="employer", employer=make_employer(image=make_media()))
    make_portfolio(slug="text", description="A text.")
    make_portfolio(slug="blank", description="")
    make_portfolio(slug="none", is_active=False, images=[make_media()])

    for value in ("true", "True", "1"):
        assert found(client, **{name: value}) == with_it
    for value in ("false", "False", "0"):
        assert found(client, **{name: value}) == without


@pytest.mark.parametrize("value", ["TRUE", "yes", "on", "t", "2", "-1", "null", "none", "true,false"])
@pytest.mark.parametrize("name", BOOLEAN_FILTERS)
def test_refuses_what_is_no_boolean(client: Client, name: str, value: str) -> None:
    assert refuses(client, name, value)


def test_finds_what_was_done_for_an_employer(client: Client) -> None:
    employer, idle = make_employer(), make_employer()
    make_portfolio(slug="one", employer=employer)
    make_portfolio(slug="two", employer=employer)
    make_portfolio(slug="other", employer=make_employer())
    make_portfolio(slug="none")

    assert found(client, employer_id=employer.pk) == {"one", "two"}
    assert found(client, employer_id=idle.pk) == set()


def test_finds_what_has_a_tag(client: Client) -> None:
    tag, other, idle = make_tag(), make_tag(), make_tag()
    make_portfolio(slug="one", tags=[tag])
    make_portfolio(slug="both", tags=[other, tag])
    make_portfolio(slug="other", tags=[other])
    make_portfolio(slug="none")

    assert found(client, tag_id=tag.pk) == {"one", "both"}
    assert found(client, tag_id=idle.pk) == set()


def test_finds_what_has_any_of_some_tags_each_once(client: Client) -> None:
    first, second, third = make_tag(), make_tag(), make_tag()
    make_portfolio(slug="first", tags=[first])
    make_portfolio(slug="second", tags=[second])
    make_portfolio(slug="both", tags=[first, second])
    make_portfolio(slug="third", tags=[third])
    make_portfolio(slug="none")
    expected = {"first", "second", "both"}

    assert found(client, tags_in=f"{first.pk},{second.pk}") == expected
    assert found(client, tags_in=f" {first.pk} , {second.pk} ") == expected
    assert found(client, f"tags_in={first.pk}&tags_in={second.pk}") == expected
    assert found(client, f"tags_in={first.pk},{NO_ID}&tags_in={second.pk}&tags_in=") == expected
    assert found(client, tags_in=f"{first.pk},{first.pk}") == {"first", "both"}
    assert found(client, tags_in=str(third.pk)) == {"third"}


@pytest.mark.parametrize("value", ["a", "1,a", "1;2", "1.5", "[1,2]", "1 2"])
def test_refuses_tags_that_are_no_ids(client: Client, value: str) -> None:
    assert refuses(client, "tags_in", value)


def test_refuses_more_tags_than_a_query_can_hold(client: Client) -> None:
    assert refuses(client, "tags_in", ",".join(["1"] * 5000))


@pytest.mark.parametrize("name", ["employer_id", "tag_id", "tags_in"])
@pytest.mark.parametrize("value", [NO_ID, 0, -1, 2**63, 10**40])
def test_an_id_that_does_not_exist_matches_nothing(client: Client, name: str, value: int) -> None:
    make_portfolio(employer=make_employer(), tags=[make_tag()])

    assert found(client, **{name: value}) == set()


def test_finds_a_slug(client: Client) -> None:
    make_portfolio(slug="web")
    make_portfolio(slug="Web")
    make_portfolio(slug="web-design")
    make_portfolio(slug="وب-سایت")

    assert found(client, slug="web") == {"web"}
    assert found(client, slug="وب-سایت") == {"وب-سایت"}
    assert found(client, slug="design") == set()
    assert found(client, slug="%") == set()


def test_refuses_a_slug_with_the_null_character(client: Client) -> None:
    assert refuses(client, "slug", "a\0b")


@pytest.mark.parametrize("value", ["", "%20", "+"])
@pytest.mark.parametrize(
    "name",
    [
        *MOMENT_FILTERS,
        *BOOLEAN_FILTERS,
        *INTEGER_FILTERS,
        "created_date",
        "updated_date",
        "tags_in",
        "slug",
        "search",
        "ordering",
        "limit",
        "offset",
    ],
)
def test_an_empty_value_counts_as_absent(client: Client, name: str, value: str) -> None:
    make_portfolio(slug="one")
    make_portfolio(slug="two", is_active=False, image=make_media(), employer=make_employer(), tags=[make_tag()])

    assert found(client, f"{name}={value}") == {"one", "two"}


@pytest.mark.parametrize(
    "name",
    [
        *MOMENT_FILTERS,
        *BOOLEAN_FILTERS,
        *INTEGER_FILTERS,
        "created_date",
        "updated_date",
        "slug",
        "search",
        "ordering",
        "limit",
        "offset",
    ],
)
@pytest.mark.parametrize("values", [("1", "1"), ("1", "2"), ("", "1")])
def test_refuses_a_parameter_that_is_repeated(client: Client, name: str, values: tuple[str, str]) -> None:
    response = client.get(f"{PATH}?{name}={values[0]}&{name}={values[1]}")

    assert response.status_code == 400
    assert list(response.json()) == [name]
    assert response.json()[name] == ["Give this parameter once, not 2 times."]


def test_filters_hold_together(client: Client) -> None:
    employer, tag = make_employer(), make_tag()
    make_portfolio(slug="all", employer=employer, tags=[tag], is_active=False, order=5)
    make_portfolio(slug="no-tag", employer=employer, is_active=False, order=5)
    make_portfolio(slug="no-employer", tags=[tag], is_active=False, order=5)
    make_portfolio(slug="active", employer=employer, tags=[tag], order=5)
    make_portfolio(slug="first", employer=employer, tags=[tag], is_active=False, order=4)

    matches = found(client, employer_id=employer.pk, tag_id=tag.pk, is_active="false", order_min=5, search="title")

    assert matches == {"all"}
