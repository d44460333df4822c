"""What a new key may do is chosen among a few reaches, to read portfolios first."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from folio.access.models import Token
from tests.access.test_admin_tokens import ADD, given
from tests.factories import make_user
from tests.forms import errors


def test_offers_reading_first_and_everything_last(site: Site) -> None:
    page = site.get(ADD)

    field = page.context["adminform"].form.fields["reach"]
    assert [str(label) for _, label in field.choices] == [
        "A website: read portfolios",
        "Read all that I may see",
        "Only what I choose",
        "All that I may, now and later",
    ]
    assert field.initial == "website"


@pytest.mark.parametrize(
    ("held", "offered"),
    [
        ([], ["all"]),
        ([4202, 4203], ["website", "some", "all"]),
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
    for reach in {"website", "read", "some", "all"} - set(offered):
        assert "reach" in errors(site.post(ADD, given(reach=reach, codes=held)))


def test_a_key_that_reads_all_is_narrowed_to_what_its_owner_may_see_now(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4101, 4102, 4103, 4202, 4203]))

    site.post(ADD, given(reach="read", codes=["4101"]))

    assert Token.objects.get().codes == [4102, 4103, 4202, 4203]


def test_says_what_happens_on_the_day_that_it_expires(site: Site) -> None:
    assert "From then on, whatever uses the key is refused" in site.get(ADD).content.decode()
