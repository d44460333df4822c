"""Two people who edit one user or one group: nothing that the first has saved is taken back by the second."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client as Site
from django.utils import timezone

from folio.admin.collisions import version_of
from folio.admin.opened import digest
from tests.access.test_admin_people import change_url, group_of, ids, send
from tests.factories import make_user, permissions
from tests.forms import errors, shown_values


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


@pytest.fixture
def other(site_for: Callable[[User], Site]) -> Site:
    return site_for(make_user("otto", is_superuser=True, is_staff=True))


def opened(site: Site, row: User | Group) -> dict[str, Any]:
    return shown_values(site.get(change_url(row)))


def test_a_stale_form_does_not_activate_a_user_again(site: Site, other: Site, staff: User) -> None:
    mine = {**opened(site, staff), "first_name": "Stanley"}
    theirs = opened(other, staff)
    del theirs["is_active"]
    assert other.post(change_url(staff), theirs).status_code == 302

    page = site.post(change_url(staff), mine)

    assert page.status_code == 200
    staff.refresh_from_db()
    assert (staff.is_active, staff.first_name) == (False, "")
    assert "Nothing was saved, because otto has changed this meanwhile." in page.content.decode()
    sides = {side.label: side for side in page.context["sides"]}
    assert (sides["Active"].by, sides["First name"].by) == ("someone else", "you")


def test_saves_over_it_what_is_sent_again_and_keeps_what_was_left_alone(site: Site, other: Site, staff: User) -> None:
    group = group_of("writers", "portfolios.add_tag")
    mine = {**opened(site, staff), "first_name": "Stanley"}
    send(other, staff, groups=[group.pk], user_permissions=ids("portfolios.add_tag"), last_name="Laurel")
    page = site.post(change_url(staff), mine)

    answer = site.post(change_url(staff), shown_values(page))

    assert answer.status_code == 302, errors(answer)
    staff.refresh_from_db()
    assert (staff.first_name, staff.last_name, list(staff.groups.all())) == ("Stanley", "Laurel", [group])
    assert list(staff.user_permissions.all()) == permissions("portfolios.add_tag")


def test_what_was_granted_meanwhile_is_told(site: Site, other: Site, staff: User) -> None:
    mine = {**opened(site, staff), "first_name": "Stanley"}
    send(other, staff, user_permissions=ids("portfolios.view_portfolio"))

    page = site.post(change_url(staff), mine)

    assert page.status_code == 200
    assert "User permissions" in {side.label for side in page.context["sides"]}
    assert staff.user_permissions.count() == 1


def test_a_group_tells_too(site: Site, other: Site) -> None:
    group = group_of("writers", "portfolios.add_tag", "media.add_media")
    mine = {**opened(site, group), "name": "authors"}
    send(other, group, permissions=ids("portfolios.add_tag"))

    page = site.post(change_url(group), mine)
    assert page.status_code == 200
    assert "Nothing was saved, because otto has changed this meanwhile." in page.content.decode()

    assert site.post(change_url(group), shown_values(page)).status_code == 302
    group.refresh_from_db()
    assert (group.name, list(group.permissions.all())) == ("authors", permissions("portfolios.add_tag"))


def test_a_sign_in_or_a_password_meanwhile_is_no_collision(site: Site, staff: User) -> None:
    mine = {**opened(site, staff), "first_name": "Stanley"}
    moment = timezone.now()
    staff.set_password("a heron on the quay wall")
    staff.last_login = moment
    staff.save()

    assert site.post(change_url(staff), mine).status_code == 302

    staff.refresh_from_db()
    assert (staff.first_name, staff.last_login) == ("Stanley", moment)
    assert staff.check_password("a heron on the quay wall")


def test_one_saves_several_times(site: Site, staff: User) -> None:
    for name in ("One", "Two"):
        assert send(site, staff, first_name=name).status_code == 302


def test_who_may_not_grant_all_of_it_collides_with_nobody(
    site_for: Callable[[User], Site], staff: User, grant: Callable[..., None]
) -> None:
    manager = make_user("max", is_staff=True)
    grant(manager, "auth.view_user", "auth.change_user", "portfolios.add_tag")
    grant(staff, "portfolios.add_tag")
    grant(manager, "sessions.view_session")
    grant(staff, "sessions.view_session")
    managing = site_for(manager)
    mine = {**opened(managing, staff), "first_name": "Stanley", "user_permissions": ids("portfolios.add_tag")}
    staff.email = "stan@example.com"
    staff.save()

    page = managing.post(change_url(staff), mine)

    assert {side.label for side in page.context["sides"]} == {"Email address", "First name"}


def test_a_page_holds_no_digest_of_a_password_and_none_that_can_be_tried(site: Site, staff: User) -> None:
    page = site.get(change_url(staff))
    secret = make_user("olga", password="of hers")

    digests = json.loads(str(page.context["opened"]))["digests"]

    assert "password" not in digests
    assert {"first_name", "groups", "user_permissions"} <= digests.keys()
    assert "last_login" not in digests
    version = page.context["version"]
    staff.password = secret.password
    staff.save()
    assert site.get(change_url(staff)).context["version"] == version


def test_digests_depend_on_the_secret_key(site: Site, staff: User, settings: Any) -> None:
    before = digest("a value"), version_of(staff)
    settings.SECRET_KEY = "another one"

    assert digest("a value") != before[0]
    assert version_of(staff) != before[1]
