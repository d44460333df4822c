"""What every list of the admin site does with queries and forms that its pages don't send."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from tests.factories import make_employer, make_portfolio, make_tag

LISTS = (
    "/admin/portfolios/portfolio/",
    "/admin/portfolios/employer/",
    "/admin/portfolios/tag/",
    "/admin/portfolios/link/",
    "/admin/portfolios/metaentry/",
    "/admin/media/media/",
    "/admin/access/token/",
    "/admin/auth/user/",
    "/admin/auth/group/",
)


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("lookup", ["id__gt", "pk__regex", "name__regex", "title__regex", "username__regex"])
def test_refuses_a_lookup_that_no_filter_offers(site: Site, path: str, lookup: str) -> None:
    assert site.get(path, {lookup: "("}).status_code == 400


def test_refuses_a_lookup_of_what_a_list_counts(site: Site) -> None:
    assert site.get("/admin/auth/group/", {"member_count__gt": "0"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/admin/portfolios/portfolio/", "state=published&has_image=false&year=none"),
        ("/admin/portfolios/portfolio/", "employer__id__exact=1&tags__id__exact=1"),
        ("/admin/portfolios/link/", "portfolio__id__exact=1"),
        ("/admin/portfolios/metaentry/", "portfolio__id__exact=1"),
        ("/admin/media/media/", "type__exact=image&alt__exact="),
        ("/admin/auth/user/", "is_active__exact=1&is_staff__exact=1&is_superuser__exact=0&groups__id__exact=1"),
    ],
)
def test_takes_what_its_filters_and_other_pages_link_to(site: Site, path: str, query: str) -> None:
    assert site.get(f"{path}?{query}").status_code == 200


@pytest.mark.parametrize("value", ["abc", "9" * 30, "9" * 5000, str(2**64), "%00", "("])
@pytest.mark.parametrize(
    "parameter",
    [
        "portfolios/portfolio/?employer__id__exact",
        "portfolios/portfolio/?tags__id__exact",
        "portfolios/link/?portfolio__id__exact",
        "auth/user/?groups__id__exact",
    ],
)
def test_survives_a_value_that_no_row_has(site: Site, parameter: str, value: str) -> None:
    make_portfolio(employer=make_employer(), tags=[make_tag()])

    assert site.get(f"/admin/{parameter}={value}", follow=True).status_code in {200, 400}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("selected", ["abc", "9" * 30, "9" * 5000, "1\0", "-1", "²"])
def test_refuses_to_act_on_what_is_no_row(site: Site, path: str, selected: str) -> None:
    sent = {"action": "delete_selected", "_selected_action": [selected]}

    assert site.post(path, sent).status_code == 400
