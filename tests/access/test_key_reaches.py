"""What a new key may do is chosen among a few reaches, to read what is published first."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.access.models import Token
from tests.access.test_admin_tokens import ADD, LIST, given
from tests.factories import make_key, make_user
from tests.forms import errors


def test_offers_reading_first_and_everything_last(site: Site) -> None:
    page = site.get(ADD)

    field = page.context["adminform"].form.fields["reach"]
    assert [str(label) for _, label in field.choices] == [
        "A website: reads what is published",
        "Read portfolios, those that are not published too",
        "Read all that I may see",
        "Only what I choose",
        "All that I may, now and later",
    ]
    assert field.initial == "website"


@pytest.mark.parametrize(
    ("held", "offered"),
    [
        ([], ["all"]),
        ([4202, 4203], ["website", "portfolios", "some", "all"]),
        ([4102, 4103, 4201], ["read", "some", "all"]),
        ([4201], ["some", "all"]),
    ],
)
def test_offers_no_reach_that_opens_nothing(
    site_for: Callable[[User], Site], held: list[int], offered: list[str]
) -> None:
    site = site_for(make_user(is_staff=True, codes=held))

    field = site.get(ADD).context["adminform"].form.fields["reach"]

    assert [value for value, _ in field.choices] == offered
    assert field.initial == offered[0]
    for reach in {"website", "portfolios", "read", "some", "all"} - set(offered):
        assert "reach" in errors(site.post(ADD, given(reach=reach, codes=held)))


def test_a_key_that_reads_all_is_narrowed_to_what_its_owner_may_see_now(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4101, 4102, 4103, 4202, 4203]))

    site.post(ADD, given(reach="read", codes=["4101"]))

    assert Token.objects.get().codes == [4102, 4103, 4202, 4203]


def test_says_what_happens_on_the_day_that_it_expires(site: Site) -> None:
    assert "From then on, whatever uses the key is refused" in site.get(ADD).content.decode()


def made(site: Site, **values: Any) -> tuple[list[int] | None, bool]:
    assert site.post(ADD, given(**values)).status_code == 200
    token = Token.objects.get()
    return token.codes, token.published_only


def test_a_website_reads_what_is_published(site: Site) -> None:
    assert made(site, reach="website") == (None, True)


def test_a_key_for_portfolios_reads_those_that_are_not_published_too(site: Site) -> None:
    assert made(site, reach="portfolios") == ([4202, 4203], False)


def test_a_box_narrows_chosen_codes_to_what_is_published(site: Site) -> None:
    assert made(site, reach="some", codes=["4203"], published_only="on") == ([4203], True)


@pytest.mark.parametrize("reach", ["portfolios", "read", "all"])
def test_a_ticked_box_counts_whatever_else_is_chosen(site: Site, reach: str) -> None:
    assert made(site, reach=reach, published_only="on") == (None, True)


def test_refuses_other_codes_beside_the_box(site: Site) -> None:
    answer = site.post(ADD, given(reach="some", codes=["4202", "4204", "4102"], published_only="on"))

    assert errors(answer) == {
        "published_only": [
            "A key that reads only what is published can't use 4102, 4204: leave them out, or untick this box."
        ]
    }
    assert not Token.objects.exists()


def test_the_list_says_which_keys_read_what_is_published(site: Site, editor: User) -> None:
    make_key(editor, published_only=True)
    make_key(editor, published_only=True, codes=[4203])

    page = site.get(LIST).content.decode()

    assert page.count("Read what is published, and nothing else") == 2
    assert "Portfolios: 4203 retrieve" in page
