from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Site

from tests.factories import make_user


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


def test_leads_from_the_sign_in_to_the_index(db: None) -> None:
    make_user("nina", password="correct horse", is_staff=True)

    answer = Site().post("/admin/login/", {"username": "nina", "password": "correct horse"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize(
    ("codes", "shown"),
    [((), []), ((4202,), ["Portfolios"]), ((4104, 4222), ["Tags", "Media"])],
    ids=["nothing", "portfolios", "tags and media"],
)
def test_shows_in_the_sidebar_what_one_may_see(
    site_for: Callable[[User], Site], codes: tuple[int, ...], shown: list[str]
) -> None:
    groups: Any = site_for(make_user(is_staff=True, codes=codes)).get("/admin/").context["sidebar_navigation"]

    assert [group["title"] for group in groups] == ["Portfolios", "Media", "Websites", "People and keys", "Help"]
    titles = [item["title"] for group in groups for item in group["items"] if item["has_permission"]]
    assert titles == [*shown, "API keys", "API docs"]


def test_opens_every_page_of_the_sidebar(site: Site) -> None:
    groups: Any = site.get("/admin/").context["sidebar_navigation"]
    pages = [str(item["link"]) for group in groups for item in group["items"]]

    assert len(pages) == 12
    for page in pages:
        assert site.get(page).status_code == 200
