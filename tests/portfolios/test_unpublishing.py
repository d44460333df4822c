"""Who unpublishes an entry is told who can read it all the same."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Site
from django.utils import timezone

from folio.access.readers import readers_of_unpublished
from tests.factories import make_key, make_portfolio, make_user, permissions
from tests.forms import shown_values

LIST = "/admin/portfolios/portfolio/"
GENERAL = "Websites and programs whose API key reads more than what is published can still read it."


@pytest.fixture
def key_of_a_website() -> User:
    user = make_user("nora", is_staff=True, codes=[4202])
    make_key(user, name="Old site", codes=[4202, 4203])
    return user


def unpublish(site: Site) -> list[str]:
    """Make an entry a draft in each way; return what is told, once it is seen to be the same each time."""
    first, second, third = (make_portfolio(is_active=True) for _ in range(3))
    page = f"{LIST}{first.pk}/change/"
    sent = shown_values(site.get(page))
    sent.pop("is_active")
    by_form = site.post(page, sent, follow=True)
    by_action = site.post(LIST, {"action": "make_drafts", "_selected_action": [second.pk]}, follow=True)
    by_switch = site.post(f"{LIST}{third.pk}/state/", json.dumps({"publish": False}), content_type="application/json")
    told = [[str(message) for message in page.context["messages"]][-1] for page in (by_form, by_action)]
    assert told[0] == told[1]
    words, _, link = told[0].partition(" <a")
    assert words == by_switch.json()["told"].replace("<", "&lt;").replace(">", "&gt;")
    return [words, link]


def test_an_admin_is_told_which_keys(site_for: Callable[[User], Site], admin: User, key_of_a_website: User) -> None:
    make_key(admin, name="Site", published_only=True)
    make_key(admin, name="<Sync>")

    words, link = unpublish(site_for(admin))

    assert words == (
        "2 API keys still read what is not published: “&lt;Sync&gt;” of ada, “Old site” of nora. "
        "Public reading is off: nobody reads entries without an API key."
    )
    assert 'href="/admin/access/token/"' in link


def test_others_are_told_in_general_words(site: Site, key_of_a_website: User) -> None:
    words, link = unpublish(site)

    assert words == f"{GENERAL} Public reading is off: nobody reads entries without an API key."
    assert link == ""


def test_where_no_key_does_that_is_told(site: Site, editor: User) -> None:
    make_key(editor, name="Site", published_only=True)

    assert unpublish(site)[0].startswith("No API key reads what is not published.")


def test_tells_whether_public_reading_is_on(site: Site, settings: Any) -> None:
    settings.PUBLIC_READ = True

    assert unpublish(site)[0].endswith("Public reading is on, and shows what is published alone.")


def test_many_keys_are_counted_and_a_few_named(site_for: Callable[[User], Site], admin: User) -> None:
    for number in range(7):
        make_key(admin, name=f"key {number}")

    words, _ = unpublish(site_for(admin))

    assert words.startswith("7 API keys still read what is not published: “key 0” of ada, ")
    assert "“key 4” of ada …." in words
    assert "key 5" not in words


def test_who_publishes_is_told_nothing(site: Site) -> None:
    portfolio = make_portfolio(is_active=False)

    answer = site.post(f"{LIST}{portfolio.pk}/state/", json.dumps({"publish": True}), content_type="application/json")

    assert "told" not in answer.json()


def test_saving_what_is_a_draft_already_tells_nothing(site: Site) -> None:
    page = f"{LIST}{make_portfolio(is_active=False).pk}/change/"

    saved = site.post(page, {**shown_values(site.get(page)), "title": "Other"}, follow=True)

    assert "Public reading" not in saved.content.decode()


@pytest.mark.django_db
def test_the_keys_are_those_that_can() -> None:
    editor = make_user("eda", is_staff=True, codes=[4202])
    grouped = make_user("gus", is_staff=True)
    group = Group.objects.create(name="Readers")
    group.permissions.set(permissions("portfolios.view_portfolio"))
    grouped.groups.add(group)
    grouped.user_permissions.set(permissions("portfolios.view_portfolio"))  # twice, and told once
    make_key(editor, name="all")
    make_key(editor, name="one code", codes=[4203, 4102])
    make_key(grouped, name="by a group")
    make_key(editor, name="other codes", codes=[4102])
    make_key(editor, name="published", published_only=True)
    make_key(editor, name="expired", expires_at=timezone.now() - timedelta(days=1))
    make_key(make_user("stan", is_staff=True), name="without the permission")
    make_key(make_user("sam", codes=[4202]), name="no staff")
    make_key(make_user("ina", is_superuser=True, is_active=False), name="inactive")

    assert [token.name for token in readers_of_unpublished()] == ["all", "by a group", "one code"]
