from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from folio.portfolios.admin import PortfolioAdmin
from folio.portfolios.models import Employer, Link, MetaEntry, Portfolio, PortfolioImage, PortfolioTag, Tag
from tests.conftest import Client
from tests.factories import (
    make_employer,
    make_image,
    make_link,
    make_media,
    make_meta,
    make_portfolio,
    make_tag,
    make_user,
)
from tests.forms import entry, errors, rows, shown_values

LIST = "/admin/portfolios/portfolio/"
ADD = f"{LIST}add/"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def change(site: Site, portfolio: Portfolio, **changes: Any) -> Any:
    """Open a portfolio's form, change it and send it."""
    url = f"{LIST}{portfolio.pk}/change/"
    return site.post(url, {**shown_values(site.get(url)), **changes})


def age(*portfolios: Portfolio) -> None:
    Portfolio.objects.filter(pk__in=[portfolio.pk for portfolio in portfolios]).update(updated_at=LONG_AGO)


def is_touched(portfolio: Portfolio) -> bool:
    portfolio.refresh_from_db()
    return portfolio.updated_at > timezone.now() - timedelta(minutes=1)


def gallery(portfolio: Portfolio) -> list[int]:
    return list(PortfolioImage.objects.filter(portfolio=portfolio).values_list("media", flat=True))


def placed_tags(portfolio: Portfolio) -> list[int]:
    return list(PortfolioTag.objects.filter(portfolio=portfolio).values_list("tag", flat=True))


def links(portfolio: Portfolio) -> list[str]:
    return list(Link.objects.filter(portfolio=portfolio).values_list("name", flat=True))


def meta(portfolio: Portfolio) -> dict[int, str]:
    return dict(MetaEntry.objects.filter(portfolio=portfolio).values_list("pk", "key"))


# A complete entry


def test_makes_a_complete_entry_that_the_api_reads_in_its_order(site: Site, client: Client) -> None:
    first, second, notes = make_image("a.png"), make_image("b.png"), make_media(type="document", name="notes.pdf")
    print_, web, employer = make_tag(name="print"), make_tag(name="web"), make_employer(name="Harbour Trust")
    sent = entry(
        description="One.\r\n\r\nTwo.",
        image=first.pk,
        employer=employer.pk,
        is_active="on",
        completed_at_0="2024-12-12",
        completed_at_1="08:30:00",
    )
    sent |= {"images": [second.pk, first.pk], "tags": [web.pk, print_.pk]}
    sent |= rows(
        "links",
        {"name": "press", "url": "https://example.org/", "description": "", "image": second.pk, "place": 1},
        {"name": "site", "url": "", "description": "Live", "image": "", "place": 0},
    )
    sent |= rows(
        "meta",
        {"key": "notes", "value_text": "", "value_file": notes.pk, "place": ""},
        {"key": "camera", "value_text": "X100", "value_file": "", "place": ""},
    )

    answer = site.post(ADD, sent)

    assert answer.status_code == 302, errors(answer)
    read = client.get("/api/portfolios/slug/harbour/").json()
    assert (read["title"], read["excerpt"], read["order"], read["is_active"]) == ("Harbour", "An excerpt.", 0, True)
    assert read["description"] == "One.\n\nTwo."
    assert read["completed_at"] == "2024-12-12T08:30:00Z"
    assert (read["image_data"]["id"], read["employer_data"]["name"]) == (first.pk, "Harbour Trust")
    assert [image["id"] for image in read["images_data"]] == [second.pk, first.pk]
    assert [tag["name"] for tag in read["tags_data"]] == ["web", "print"]
    assert [(link["name"], link["url"], link["description"]) for link in read["links_data"]] == [
        ("site", None, "Live"),
        ("press", "https://example.org/", None),
    ]
    assert read["links_data"][1]["image_data"]["id"] == second.pk
    assert [(item["key"], item["value_text"]) for item in read["meta"]] == [("notes", None), ("camera", "X100")]
    assert read["meta"][0]["value_file"]["id"] == notes.pk


def test_shows_what_it_saved(site: Site) -> None:
    image = make_image("cover.png", alt="A crane")
    portfolio = make_portfolio(description="Long text", image=image, images=[image], tags=[make_tag(name="web")])
    make_link(portfolio, name="press")
    make_meta(portfolio, key="camera")

    page = site.get(f"{LIST}{portfolio.pk}/change/").content.decode()

    for shown in (portfolio.title, portfolio.slug, "Long text", "cover.png", "A crane", "web", "press", "camera"):
        assert shown in page
    assert "cover_thumbnail_" in page


def test_keeps_a_portfolio_that_is_saved_unchanged(site: Site, client: Client) -> None:
    image = make_image()
    portfolio = make_portfolio(
        description=None, image=image, images=[image, make_image()], tags=[make_tag()], completed_at=LONG_AGO, order=-3
    )
    make_link(portfolio, url=None, description="One.\nTwo.")
    make_meta(portfolio, value_text=None, value_file=image)
    url = f"/api/portfolios/{portfolio.pk}/"
    before = client.get(url).json()

    answer = change(site, portfolio)

    assert answer.status_code == 302, errors(answer)
    after = client.get(url).json()
    assert after.pop("updated_at") > before.pop("updated_at")
    assert after == before


def test_takes_a_date_alone_as_its_midnight(site: Site) -> None:
    site.post(ADD, entry(completed_at_0="2024-12-12", completed_at_1=""))

    assert Portfolio.objects.get().completed_at == datetime(2024, 12, 12, tzinfo=UTC)


def test_takes_empty_boxes_as_null(site: Site) -> None:
    site.post(ADD, entry(description="", employer="", image="", completed_at_0="", completed_at_1=""))

    portfolio = Portfolio.objects.get()
    assert (portfolio.description, portfolio.employer, portfolio.image) == (None, None, None)
    assert portfolio.completed_at is None


# Places


def test_puts_a_new_row_without_a_place_last(site: Site) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="a", place=0)
    make_link(portfolio, name="b", place=1)

    change(site, portfolio, **rows("links", {"name": "new", "place": ""}, shown=2))

    assert links(portfolio) == ["a", "b", "new"]


def test_puts_a_new_row_at_the_place_that_was_entered(site: Site) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="a", place=0)
    make_link(portfolio, name="b", place=1)

    change(site, portfolio, **rows("links", {"name": "new", "place": 1}, shown=2))

    assert links(portfolio) == ["a", "new", "b"]


@pytest.mark.parametrize(
    "order", ["", "a", "ba", "cab", "abcd", "dcba"], ids=["emptied", "shorter", "fewer", "moved", "longer", "new order"]
)
def test_keeps_the_gallery_and_the_tags_in_the_order_sent(site: Site, order: str) -> None:
    images = {name: make_media() for name in "abcd"}
    tags = {name: make_tag() for name in "abcd"}
    portfolio = make_portfolio(images=[images[name] for name in "abc"], tags=[tags[name] for name in "abc"])

    answer = change(site, portfolio, images=[images[name].pk for name in order], tags=[tags[name].pk for name in order])

    assert answer.status_code == 302, errors(answer)
    assert gallery(portfolio) == [images[name].pk for name in order]
    assert placed_tags(portfolio) == [tags[name].pk for name in order]


@pytest.mark.parametrize(
    ("places", "order"),
    [
        ({0: 2}, "bcad"),
        ({3: 1}, "adbc"),
        ({0: 3, 1: 2, 2: 1, 3: 0}, "dcba"),
        ({1: ""}, "acdb"),
        ({0: 99}, "bcda"),
    ],
    ids=["down", "up", "reversed", "emptied", "too far"],
)
def test_moves_rows_to_the_places_that_were_entered(site: Site, places: dict[int, Any], order: str) -> None:
    portfolio = make_portfolio()
    for place, name in enumerate("abcd"):
        make_link(portfolio, name=name, place=place)

    change(site, portfolio, **{f"links-{number}-place": place for number, place in places.items()})

    assert "".join(links(portfolio)) == order
    assert list(portfolio.links.values_list("place", flat=True)) == [0, 1, 2, 3]


def test_keeps_the_ids_of_links_and_meta_that_stay(site: Site) -> None:
    portfolio = make_portfolio()
    first, second = make_link(portfolio, place=0), make_link(portfolio, place=1)
    entry_ = make_meta(portfolio, key="camera")

    change(site, portfolio, **{"links-0-place": 1, "links-1-place": 0, "meta-0-value_text": "X200"})

    assert list(portfolio.links.values_list("pk", flat=True)) == [second.pk, first.pk]
    entry_.refresh_from_db()
    assert entry_.value_text == "X200"


@pytest.mark.parametrize(
    ("prefix", "changes"),
    [
        ("gallery", {"images": []}),
        ("placed_tags", {"tags": []}),
        ("links", {"links-0-DELETE": "on"}),
        ("meta", {"meta-0-DELETE": "on"}),
    ],
)
def test_removes_a_row_and_renews_updated_at(site: Site, prefix: str, changes: dict[str, Any]) -> None:
    portfolio = make_portfolio(images=[make_media()], tags=[make_tag()])
    make_link(portfolio)
    make_meta(portfolio)
    age(portfolio)

    answer = change(site, portfolio, **changes)

    assert answer.status_code == 302, errors(answer)
    assert getattr(portfolio, prefix).count() == 0
    assert PortfolioImage.objects.count() + PortfolioTag.objects.count() + Link.objects.count() == (
        3 if prefix == "meta" else 2
    )
    assert is_touched(portfolio)


# What is refused


@pytest.mark.parametrize("field", ["title", "slug"])
def test_names_the_field_of_a_duplicate(site: Site, field: str) -> None:
    fields: dict[str, Any] = {field: "taken"}
    other = make_portfolio(**fields)

    page = site.post(ADD, entry(**{field: "taken"}))

    (message,) = errors(page)[field]
    assert list(errors(page)) == [field]
    assert message.startswith(f"Portfolio with this {field.capitalize()} already exists.")
    assert f'<a href="{LIST}{other.pk}/change/" target="_blank">Open “{other.title}”' in message
    assert Portfolio.objects.count() == 1


def test_names_the_field_of_a_duplicate_that_won_a_race(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    make_portfolio(title="Harbour")
    check = Portfolio.validate_constraints
    attempts: list[Portfolio] = []

    def miss_the_first_time(portfolio: Portfolio, *args: Any, **kwargs: Any) -> None:
        attempts.append(portfolio)
        if len(attempts) > 1:
            check(portfolio, *args, **kwargs)

    monkeypatch.setattr(Portfolio, "validate_constraints", miss_the_first_time)

    page = site.post(ADD, entry())

    assert errors(page)["title"][0].startswith("Portfolio with this Title already exists.")


def test_tells_once_of_a_write_that_took_two_attempts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    respond = PortfolioAdmin.response_add
    attempts: list[Any] = []

    def lose_the_first_time(*args: Any, **kwargs: Any) -> Any:
        attempts.append(respond(*args, **kwargs))
        if len(attempts) == 1:
            raise IntegrityError  # as PostgreSQL does at the commit, where a row that is referred to is gone
        return attempts[-1]

    monkeypatch.setattr(PortfolioAdmin, "response_add", lose_the_first_time)

    page = site.post(ADD, entry(), follow=True)

    assert page.content.decode().count("was added successfully") == 1
    assert Portfolio.objects.count() == 1


def test_says_so_where_a_write_loses_every_race(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    make_portfolio(title="Harbour")
    monkeypatch.setattr(Portfolio, "validate_constraints", lambda *args, **kwargs: None)

    page = site.post(ADD, entry(), follow=True)
    in_persian = site.post(ADD, entry(), follow=True, headers={"Accept-Language": "fa"})

    assert page.status_code == in_persian.status_code == 200
    assert "Someone else changed the same at this moment." in page.content.decode()
    assert "کس دیگری در همین لحظه همین را تغییر داد." in in_persian.content.decode()
    assert Portfolio.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"title": " "}, "This field is required."),
        ({"excerpt": ""}, "This field is required."),
        ({"slug": "no spaces"}, "Enter a slug of letters"),
        ({"order": str(2**31)}, "Ensure this value is less than or equal to 2147483647."),
        ({"order": str(-(2**31) - 1)}, "Ensure this value is greater than or equal to -2147483648."),
        ({"title": "x" * 201}, "Ensure this value has at most 200 characters"),
        ({"excerpt": "x" * 1001}, "Ensure this value has at most 1000 characters"),
        ({"title": "nul\0"}, "Null characters are not allowed."),
        ({"employer": "999999"}, "“999999” was deleted meanwhile, and was taken out here."),
        ({"employer": "x"}, "“x” was deleted meanwhile, and was taken out here."),
        ({"employer": str(2**64)}, "“18446744073709551616” was deleted meanwhile"),
        ({"employer": "9" * 5000}, "“999"),
        ({"completed_at_1": "08:30"}, "Enter a date such as"),
    ],
)
def test_names_the_field_that_is_wrong(site: Site, changes: dict[str, str], message: str) -> None:
    page = site.post(ADD, entry(**changes))

    field = next(iter(changes)).removesuffix("_1")
    found = errors(page)
    assert set(found) == {field}
    assert found[field][0].startswith(message)
    assert not Portfolio.objects.exists()


def test_takes_only_images_as_cover_and_in_the_gallery(site: Site) -> None:
    document = make_media(type="document")

    page = site.post(ADD, entry(image=document.pk, images=[document.pk]))

    assert errors(page) == {
        "image": ["What was chosen is not there any more, or has another type now. Choose again."],
        "images": [
            (
                f"“{document.pk}” was deleted meanwhile, or is no image any more, and was taken off the list. "
                "Save again to keep the others."
            )
        ],
    }
    assert not Portfolio.objects.exists()


@pytest.mark.parametrize("url", ["ftp://example.com/", "javascript:alert(1)", "example.com", "https://"])
def test_takes_only_web_addresses_in_links(site: Site, url: str) -> None:
    page = site.post(ADD, entry(**rows("links", {"name": "site", "url": url})))

    assert errors(page) == {"links": [{"url": ["Enter a URL that begins with http:// or https://."]}]}
    assert not Portfolio.objects.exists()


def test_refuses_what_is_repeated_in_one_submit(site: Site) -> None:
    image, tag = make_media(), make_tag()

    refused = {
        "images": site.post(ADD, entry(images=[image.pk, image.pk])),
        "tags": site.post(ADD, entry(tags=[tag.pk, tag.pk])),
    }

    for field, page in refused.items():
        assert "twice" in errors(page)[field][0]
    assert not Portfolio.objects.exists()


def test_names_the_row_whose_key_another_has(site: Site) -> None:
    portfolio = make_portfolio()
    make_meta(portfolio, key="camera", place=0)

    pages = [
        site.post(ADD, entry(**rows("meta", {"key": "a"}, {"key": "b"}, {"key": "a"}))),
        change(site, portfolio, **rows("meta", {"key": "camera"}, shown=1)),
    ]

    for page in pages:
        assert errors(page)["meta"] == [{"key": ["This portfolio already has a meta with this key."]}]
    assert Portfolio.objects.count() == 1
    assert list(meta(portfolio).values()) == ["camera"]


def test_lets_a_removed_key_come_back(site: Site) -> None:
    portfolio = make_portfolio()
    old = make_meta(portfolio, key="camera")

    answer = change(site, portfolio, **{"meta-0-DELETE": "on"}, **rows("meta", {"key": "camera"}, shown=1))

    assert answer.status_code == 302, errors(answer)
    assert list(meta(portfolio).values()) == ["camera"]
    assert old.pk not in meta(portfolio)


@pytest.mark.parametrize("prefix", ["links", "meta"])
def test_leaves_out_new_rows_that_were_left_empty(site: Site, prefix: str) -> None:
    portfolio = make_portfolio()
    name = "name" if prefix == "links" else "key"

    answer = change(site, portfolio, **rows(prefix, {}, {name: "kept", "place": 1}, {name: "", "place": ""}))

    assert answer.status_code == 302, errors(answer)
    assert (links if prefix == "links" else lambda of: list(meta(of).values()))(portfolio) == ["kept"]


def test_lets_two_meta_swap_their_keys(site: Site) -> None:
    portfolio = make_portfolio()
    first, second = make_meta(portfolio, key="a", place=0), make_meta(portfolio, key="b", place=1)

    answer = change(site, portfolio, **{"meta-0-key": "b", "meta-1-key": "a"})

    assert answer.status_code == 302, errors(answer)
    assert meta(portfolio) == {first.pk: "b", second.pk: "a"}


def test_saves_a_gallery_of_hundreds(site: Site) -> None:
    images = [make_media() for _ in range(260)]

    answer = site.post(ADD, entry(images=[image.pk for image in images]))

    assert answer.status_code == 302
    assert gallery(Portfolio.objects.get()) == [image.pk for image in images]


# The list


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("STRASSE", ["Straße"]),
        ("trust harbour", ["Crane"]),
        ("2024", ["Crane"]),
        ("bridge-slug", ["Bridge"]),
        ("crane bridge", []),
        ("   ", ["Bridge", "Crane", "Straße"]),
        ("", ["Bridge", "Crane", "Straße"]),
        ('"crane', []),
        ("%", []),
        ("crane " * 400, ["Crane"]),
    ],
)
def test_searches_as_the_api_does(site: Site, text: str, found: list[str]) -> None:
    make_portfolio(title="Straße", order=2)
    make_portfolio(
        title="Crane", order=1, employer=make_employer(name="Harbour Trust"), completed_at="2024-05-01T00:00Z"
    )
    make_portfolio(title="Bridge", order=0, slug="bridge-slug")

    page = site.get(LIST, {"q": text})

    assert [portfolio.title for portfolio in page.context["cl"].result_list] == found


def test_lists_the_cover_title_employer_and_dates(site: Site) -> None:
    make_portfolio(
        title="Crane", image=make_image("cover.png"), employer=make_employer(name="Trust"), completed_at=LONG_AGO
    )

    page = site.get(LIST).content.decode()

    for shown in ("cover_thumbnail_64x64.png", "Crane", "Trust", "Jan. 1, 2020"):
        assert shown in page


def test_lists_any_number_of_rows_with_the_same_queries(site: Site) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(LIST).status_code == 200
        return len(captured)

    def fill(count: int) -> None:
        for _ in range(count):
            make_portfolio(image=make_image(), employer=make_employer(), tags=[make_tag()])

    fill(1)
    site.get(LIST)
    at_one = queries()
    fill(49)

    assert queries() == at_one
    assert at_one < 15


@pytest.mark.parametrize(("column", "nulls"), [("2", "employer"), ("6", "completed_at")])
@pytest.mark.parametrize("sign", ["", "-"])
def test_sorts_absent_values_last_in_both_directions(site: Site, column: str, nulls: str, sign: str) -> None:
    absent = make_portfolio(order=0)
    make_portfolio(order=1, employer=make_employer(name="A"), completed_at=LONG_AGO)
    make_portfolio(order=2, employer=make_employer(name="B"), completed_at=LONG_AGO + timedelta(days=1))

    listed = [portfolio.order for portfolio in site.get(LIST, {"o": f"{sign}{column}"}).context["cl"].result_list]

    assert getattr(absent, nulls) is None
    assert listed == ([2, 1, 0] if sign else [1, 2, 0])


def test_filters_by_activity_employer_and_tag(site: Site) -> None:
    tag, employer = make_tag(), make_employer()
    wanted = make_portfolio(employer=employer, tags=[make_tag(), tag])
    make_portfolio(employer=employer, tags=[tag], is_active=False)
    make_portfolio(tags=[tag])
    make_portfolio(employer=employer)

    query: dict[str, Any] = {"is_active": "true", "employer__id__exact": employer.pk, "tags__id__exact": tag.pk}
    page = site.get(LIST, query)

    assert [portfolio.pk for portfolio in page.context["cl"].result_list] == [wanted.pk]


@pytest.mark.parametrize("field", ["employer", "tags"])
def test_offers_what_can_be_chosen(site: Site, field: str) -> None:
    make_tag(name="Kranbau")
    make_tag(name="Brücke")
    make_employer(name="Kranbau")
    make_employer(name="Brückenbau")
    query = {"app_label": "portfolios", "model_name": "portfolio", "field_name": field}

    offered = site.get("/admin/autocomplete/", {**query, "term": "kRAN"}).json()["results"]

    assert [row["text"] for row in offered] == ["Kranbau"]
    assert site.get("/admin/autocomplete/", {**query, "term": "a\0b"}).status_code == 200


# Who may


def test_asks_for_the_portfolios_permission_alone(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201, 4202, 4204, 4205]))
    image = make_media()
    sent = entry(images=[image.pk], **rows("links", {"name": "site"}), **rows("meta", {"key": "a"}))

    assert site.post(ADD, sent).status_code == 302
    portfolio = Portfolio.objects.get()
    assert (gallery(portfolio), links(portfolio), list(meta(portfolio).values())) == ([image.pk], ["site"], ["a"])
    assert change(site, portfolio, **{"links-0-DELETE": "on"}).status_code == 302
    assert links(portfolio) == []
    assert site.post(f"{LIST}{portfolio.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Portfolio.objects.exists()
    assert not MetaEntry.objects.exists()


def test_lets_those_who_may_only_look_do_no_more(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4202]))
    portfolio = make_portfolio(images=[make_media()])
    url = f"{LIST}{portfolio.pk}/change/"

    page = site.get(url)

    assert page.status_code == 200
    assert not page.context["has_change_permission"]
    assert not page.context["inline_admin_formsets"][0].has_change_permission
    assert site.post(url, entry(images=[])).status_code == 403
    assert site.get(ADD).status_code == 403
    assert site.post(f"{LIST}{portfolio.pk}/delete/", {"post": "yes"}).status_code == 403
    assert PortfolioImage.objects.count() == 1


@pytest.mark.parametrize("model", ["portfolio", "employer", "tag", "link", "metaentry"])
def test_shuts_out_staff_without_the_permission(site_for: Callable[[User], Site], staff: User, model: str) -> None:
    assert site_for(staff).get(f"/admin/portfolios/{model}/").status_code == 403


def test_sends_those_who_are_not_staff_to_the_sign_in(site_for: Callable[[User], Site], stranger: User) -> None:
    answer = site_for(stranger).get(LIST)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={LIST}")


# Links and meta by themselves


def test_adds_a_link_last_and_touches_its_portfolio(site: Site) -> None:
    portfolio = make_portfolio()
    make_link(portfolio, name="first", place=4)
    age(portfolio)

    site.post("/admin/portfolios/link/add/", {"portfolio": portfolio.pk, "name": "second"})

    assert links(portfolio) == ["first", "second"]
    assert is_touched(portfolio)


def test_moves_a_meta_last_and_touches_both_portfolios(site: Site) -> None:
    here, there = make_portfolio(), make_portfolio()
    moved = make_meta(here, key="moved")
    make_meta(there, key="first", place=3)
    age(here, there)

    url = f"/admin/portfolios/metaentry/{moved.pk}/change/"
    site.post(url, {**shown_values(site.get(url)), "portfolio": there.pk})

    assert list(meta(there).values()) == ["first", "moved"]
    assert not meta(here)
    assert is_touched(here)
    assert is_touched(there)


def test_keeps_the_place_of_a_link_that_is_changed(site: Site) -> None:
    portfolio = make_portfolio()
    link = make_link(portfolio, name="a", place=0)
    make_link(portfolio, name="b", place=1)
    age(portfolio)

    url = f"/admin/portfolios/link/{link.pk}/change/"
    site.post(url, {**shown_values(site.get(url)), "name": "changed", "url": "http://x.org"})

    assert links(portfolio) == ["changed", "b"]
    assert is_touched(portfolio)


@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_deletes_links_and_touches_their_portfolios(site: Site, at_once: bool) -> None:
    here, there, untouched = make_portfolio(), make_portfolio(), make_portfolio()
    deleted = [make_link(here), make_link(there)]
    make_link(untouched, name="kept")
    age(here, there, untouched)

    if at_once:
        action = {"action": "delete_selected", "_selected_action": [link.pk for link in deleted], "post": "yes"}
        site.post("/admin/portfolios/link/", action)
    else:
        for link in deleted:
            site.post(f"/admin/portfolios/link/{link.pk}/delete/", {"post": "yes"})

    assert [link.name for link in Link.objects.all()] == ["kept"]
    assert is_touched(here)
    assert is_touched(there)
    assert not is_touched(untouched)


def test_refuses_a_meta_whose_key_the_portfolio_has(site: Site) -> None:
    portfolio = make_portfolio()
    make_meta(portfolio, key="camera")

    page = site.post("/admin/portfolios/metaentry/add/", {"portfolio": portfolio.pk, "key": "camera"})

    assert errors(page) == {"key": ["This portfolio already has a meta with this key."]}
    assert MetaEntry.objects.count() == 1


# Employers and tags


@pytest.mark.parametrize(("model", "name"), [(Employer, "employer"), (Tag, "tag")])
def test_refuses_a_name_that_is_taken(site: Site, model: Any, name: str) -> None:
    model.objects.create(name="taken")

    page = site.post(f"/admin/portfolios/{name}/add/", {"name": "taken"})

    assert errors(page) == {"name": [f"{name.capitalize()} with this Name already exists."]}
    assert model.objects.count() == 1


def test_keeps_an_employer_that_a_portfolio_names(site: Site) -> None:
    employer = make_employer()
    portfolio = make_portfolio(employer=employer)

    page = site.post(f"/admin/portfolios/employer/{employer.pk}/delete/", {"post": "yes"})

    assert page.status_code == 200
    html = page.content.decode()
    assert "can’t be deleted, because portfolios name it as their employer" in html
    assert f'href="{LIST}{portfolio.pk}/change/"' in html
    assert Employer.objects.exists()


def test_names_some_of_the_many_portfolios_that_keep_an_employer(site: Site) -> None:
    employer = make_employer()
    for _ in range(23):
        make_portfolio(employer=employer)

    page = site.get(f"/admin/portfolios/employer/{employer.pk}/delete/").content.decode()

    assert page.count('/change/" class="text-link"') == 20
    assert "and 3 more" in page
    assert "Yes, I’m sure" not in page


def test_hides_who_keeps_an_employer_from_those_who_may_not_see_portfolios(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4212, 4215]))
    employer = make_employer()
    portfolio = make_portfolio(employer=employer)

    page = site.post(f"/admin/portfolios/employer/{employer.pk}/delete/", {"post": "yes"}).content.decode()

    assert "1 portfolio" in page
    assert portfolio.title not in page
    assert Employer.objects.exists()


def test_says_from_how_many_portfolios_a_tag_goes(site: Site) -> None:
    tag = make_tag(name="print")
    for _ in range(3):
        make_portfolio(tags=[tag])

    page = site.get(f"/admin/portfolios/tag/{tag.pk}/delete/").content.decode()

    assert "It is taken off 3 portfolios." in page
    assert site.post(f"/admin/portfolios/tag/{tag.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not Tag.objects.exists()


@pytest.mark.parametrize("how", ["one", "selected"])
def test_lists_with_a_deleted_entry_what_goes_with_it_and_nothing_else(site: Site, how: str) -> None:
    media = make_media(name="stays.jpg")
    portfolio = make_portfolio(title="Quay", images=[media], image=media, tags=[make_tag(name="print stays")])
    make_link(portfolio, name="goes by link")
    make_meta(portfolio, key="goes by meta")

    selected = {"action": "delete_selected", "_selected_action": [portfolio.pk]}
    page = site.get(f"{LIST}{portfolio.pk}/delete/") if how == "one" else site.post(LIST, selected)
    told = page.content.decode().partition("<main")[2] or page.content.decode()

    assert page.status_code == 200
    for name in ("Quay", "Link: goes by link", "Meta: goes by meta"):
        assert name in told
    for name in ("stays.jpg", "print stays", "Portfolio image", "Portfolio tag", "relationship"):
        assert name.casefold() not in told.casefold()


def test_takes_a_deleted_tag_off_its_portfolios_and_touches_them(site: Site) -> None:
    tag = make_tag()
    portfolio, other = make_portfolio(tags=[tag]), make_portfolio()
    age(portfolio, other)

    site.post("/admin/portfolios/tag/", {"action": "delete_selected", "_selected_action": [tag.pk], "post": "yes"})

    assert not portfolio.tags.exists()
    assert is_touched(portfolio)
    assert not is_touched(other)


@pytest.mark.parametrize("model", ["employer", "tag", "link", "metaentry"])
def test_lists_the_other_resources_with_the_same_queries(site: Site, model: str) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            portfolio = make_portfolio()
            make_employer(image=make_image())
            make_tag(image=make_image())
            make_link(portfolio)
            make_meta(portfolio)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert site.get(f"/admin/portfolios/{model}/").status_code == 200
        return len(captured)

    fill(1)
    site.get(LIST)
    at_one = queries()
    fill(9)

    assert queries() == at_one


@pytest.mark.parametrize("resource", ["employer", "link", "metaentry", "portfolio", "tag"])
def test_loads_what_a_form_needs_with_the_form_only(site: Site, resource: str) -> None:
    url = f"/admin/portfolios/{resource}/"

    listed, form = (site.get(page).content.decode() for page in (url, f"{url}add/"))

    assert "folio/form." not in listed
    assert "folio/portfolios/form.css" in form
    assert "folio/admin/form.js" in form
