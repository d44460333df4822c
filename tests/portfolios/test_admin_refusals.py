"""What the form of a portfolio refuses is named at its field, and what belongs together may be saved together."""

from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client as Site

from folio.portfolios.admin import PortfolioAdmin
from folio.portfolios.models import Portfolio
from tests.factories import make_media, make_meta, make_portfolio, make_tag
from tests.forms import entry, errors, rows

from .entries import ADD, LIST, change, gallery, links, meta


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
