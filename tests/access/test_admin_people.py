"""Users and groups in the admin site, and what those who manage them can't make of themselves."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client as Site

from folio.access.codes import CODES, RESOURCES
from tests.factories import make_key, make_user, permissions
from tests.forms import errors, shown_values

USERS, GROUPS = "/admin/auth/user/", "/admin/auth/group/"
PASSWORD = {"usable_password": "true", "password1": "correct horse", "password2": "correct horse"}
MANAGING = tuple(f"auth.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("user", "group"))


def ids(*paths: str) -> list[int]:
    return [permission.pk for permission in permissions(*paths)]


def group_of(name: str, *paths: str) -> Group:
    group = Group.objects.create(name=name)
    group.permissions.set(permissions(*paths))
    return group


def held(user: User) -> set[str]:
    return set(User.objects.get(pk=user.pk).get_all_permissions())


def change_url(row: User | Group) -> str:
    return f"{USERS if isinstance(row, User) else GROUPS}{row.pk}/change/"


def send(site: Site, row: User | Group, **values: Any) -> Any:
    """Send the form of a row as it is shown, but for these values."""
    url = change_url(row)
    return site.post(url, {**shown_values(site.get(url)), **values})


@pytest.fixture
def site(site_for: Callable[[User], Site], admin: User) -> Site:
    return site_for(admin)


@pytest.fixture
def manager(grant: Callable[..., None]) -> User:
    """Staff who manage people, see portfolios and add tags."""
    manager = make_user("max", is_staff=True, password="his own password")
    grant(manager, *MANAGING, "portfolios.view_portfolio", "portfolios.add_tag")
    return manager


@pytest.fixture
def managing(site_for: Callable[[User], Site], manager: User) -> Site:
    return site_for(manager)


# What an admin does


def test_makes_a_member_of_staff_who_can_sign_in_at_once(site: Site) -> None:
    group = group_of("writers", "portfolios.view_portfolio")

    answer = site.post(
        f"{USERS}add/", {**shown_values(site.get(f"{USERS}add/")), "username": "nina", **PASSWORD, "groups": [group.pk]}
    )

    assert answer.status_code == 302, errors(answer)
    assert answer.headers["Location"] == USERS
    browser = Site()
    browser.post("/admin/login/", {"username": "nina", "password": "correct horse"})
    assert browser.get("/admin/portfolios/portfolio/").status_code == 200


def test_makes_a_user_who_is_not_on_the_staff_where_that_is_chosen(site: Site) -> None:
    site.post(f"{USERS}add/", {"username": "nina", **PASSWORD})

    assert not User.objects.get(username="nina").is_staff


def test_goes_on_to_the_rest_of_a_new_user_where_that_is_chosen(site: Site) -> None:
    answer = site.post(f"{USERS}add/", {"username": "nina", **PASSWORD, "_continue": "1"})

    assert answer.headers["Location"] == change_url(User.objects.get(username="nina"))


def test_grants_a_user_permissions_and_a_group(site: Site, staff: User) -> None:
    group = group_of("writers")

    answer = send(site, staff, user_permissions=ids("portfolios.view_portfolio"), groups=[group.pk])

    assert answer.status_code == 302, errors(answer)
    staff = User.objects.get(pk=staff.pk)
    assert staff.has_perm("portfolios.view_portfolio")
    assert (list(staff.groups.all()), staff.username, staff.is_staff) == ([group], "stan", True)


def test_takes_permissions_and_groups_away(site: Site, editor: User) -> None:
    editor.groups.add(group_of("writers", "portfolios.view_portfolio"))

    answer = send(site, editor, user_permissions=[], groups=[])

    assert answer.status_code == 302, errors(answer)
    assert held(editor) == set()


def test_makes_another_admin(site: Site, staff: User) -> None:
    assert send(site, staff, is_superuser="on").status_code == 302

    staff.refresh_from_db()
    assert staff.is_superuser


def test_saves_a_group(site: Site) -> None:
    site.post(f"{GROUPS}add/", {"name": "photographers", "permissions": ids("media.add_media")})

    assert list(Group.objects.get(name="photographers").permissions.all()) == permissions("media.add_media")


def test_keeps_what_the_form_does_not_show(site: Site, staff: User, grant: Callable[..., None]) -> None:
    grant(staff, "sessions.view_session")

    assert send(site, staff, user_permissions=ids("portfolios.add_tag")).status_code == 302

    assert held(staff) == {"sessions.view_session", "portfolios.add_tag"}


def test_shows_no_password(site: Site) -> None:
    user = make_user("pia", password="a secret of hers")

    page = site.get(change_url(user)).content.decode()

    assert "a secret of hers" not in page
    assert user.password not in page


# In words


@pytest.mark.parametrize("path", [f"{GROUPS}add/", f"{USERS}{{}}/change/"])
def test_shows_permissions_as_a_table_of_resources(site: Site, staff: User, path: str) -> None:
    page = site.get(path.format(staff.pk)).content.decode()

    for code in CODES.values():
        assert f"{code.code} · {code.action} {code.resource}" in page
    for resource in RESOURCES:
        assert f'<th scope="row">{resource}</th>' in page
    for column in ("create", "view", "update", "delete"):
        assert f'<th scope="col">{column}</th>' in page
    assert len(re.findall(r'type="checkbox" name="(?:user_)?permissions"', page)) == 35
    for other in ("Draft portfolios: ", "Change users, ", "Delete groups", "Revoke everyone’s API keys"):
        assert other in page
    for useless in ("log entry", "session", "content type", "thumbnail", "gallery image", "Can add"):
        assert useless not in page.partition('id="folio-signed-out"')[0]


def test_names_each_box_by_its_codes(site: Site) -> None:
    page = site.get(f"{GROUPS}add/").content.decode()
    (permission,) = permissions("portfolios.view_portfolio")

    box = f'name="permissions" value="{permission.pk}"'
    label = page[page.index(box) :].partition('aria-label="')[2].partition('"')[0]
    assert label == "4202 · list portfolios, 4203 · retrieve portfolios"


def test_ticks_what_is_granted(site: Site, staff: User, grant: Callable[..., None]) -> None:
    grant(staff, "portfolios.view_portfolio")

    page = site.get(change_url(staff)).content.decode()

    assert len(re.findall(r" checked(?=[ >])", page)) == 3  # active, staff, and this one
    (permission,) = permissions("portfolios.view_portfolio")
    assert " checked" in page[page.index(f'value="{permission.pk}"') :].partition(">")[0]


def test_lists_groups_with_what_they_grant(site: Site, staff: User) -> None:
    group = group_of("writers", "portfolios.view_portfolio", "portfolios.draft_portfolio", "auth.view_user")
    staff.groups.add(group)

    page = site.get(GROUPS).content.decode()

    for shown in ("Portfolios: 4202 list, 4203 retrieve", "Draft portfolios: ", "View users"):
        assert shown in page
        assert shown in site.get(change_url(staff)).content.decode()


@pytest.mark.parametrize("count", [10, 60])
def test_lists_and_forms_take_a_constant_number_of_queries(
    site: Site, admin: User, django_assert_num_queries: Any, count: int
) -> None:
    for number in range(count):
        group = group_of(f"group {number}", "portfolios.view_portfolio", "media.add_media")
        make_user(f"user {number}", is_staff=True).groups.set([group])
    url = change_url(User.objects.get(username="user 5"))
    for path in (USERS, GROUPS, url):
        site.get(path)

    with django_assert_num_queries(7):
        site.get(USERS)
    with django_assert_num_queries(7):
        site.get(GROUPS)
    with django_assert_num_queries(14):
        site.get(url)


# What someone does who manages people without being an admin


def test_grants_what_they_hold(managing: Site, staff: User) -> None:
    group = group_of("readers", "portfolios.view_portfolio")

    answer = send(managing, staff, user_permissions=ids("portfolios.add_tag"), groups=[group.pk])

    assert answer.status_code == 302, errors(answer)
    assert held(staff) == {"portfolios.add_tag", "portfolios.view_portfolio"}


def test_makes_staff_who_hold_nothing(managing: Site) -> None:
    managing.post(f"{USERS}add/", {"username": "nina", **PASSWORD})
    nina = User.objects.get(username="nina")

    assert send(managing, nina, is_staff="on").status_code == 302

    nina.refresh_from_db()
    assert (nina.is_staff, nina.is_superuser, held(nina)) == (True, False, set())


@pytest.mark.parametrize("whom", ["themselves", "another"])
def test_makes_nobody_an_admin(managing: Site, manager: User, staff: User, whom: str) -> None:
    user = manager if whom == "themselves" else staff

    answer = send(managing, user, is_superuser="on", first_name="Changed")

    assert answer.status_code == 302, errors(answer)
    user.refresh_from_db()
    assert (user.first_name, user.is_superuser) == ("Changed", False)


def test_adds_no_admin(managing: Site) -> None:
    extra = {"is_superuser": "on", "is_staff": "on", "user_permissions": ids("media.add_media")}

    managing.post(f"{USERS}add/", {"username": "nina", **PASSWORD, **extra})

    nina = User.objects.get(username="nina")
    assert (nina.is_superuser, nina.is_staff, held(nina)) == (False, True, set())


def test_puts_a_new_user_into_no_group_that_grants_more(managing: Site) -> None:
    group = group_of("photographers", "media.add_media")

    answer = managing.post(f"{USERS}add/", {"username": "nina", **PASSWORD, "groups": [group.pk]})

    assert "can’t grant what you don’t hold" in str(errors(answer)["groups"])
    assert not User.objects.filter(username="nina").exists()


@pytest.mark.parametrize("whom", ["themselves", "another"])
@pytest.mark.parametrize("path", ["media.add_media", "access.delete_token", "portfolios.draft_portfolio"])
def test_grants_nobody_what_they_do_not_hold(managing: Site, manager: User, staff: User, whom: str, path: str) -> None:
    user = manager if whom == "themselves" else staff
    before = held(user)

    answer = send(managing, user, user_permissions=[*ids("portfolios.view_portfolio"), *ids(path)])

    assert "You can’t grant what you don’t hold yourself" in str(errors(answer)["user_permissions"])
    assert held(user) == before


def test_grants_no_permission_that_the_form_does_not_show(managing: Site, staff: User) -> None:
    answer = send(managing, staff, user_permissions=ids("sessions.view_session"))

    assert "user_permissions" in errors(answer)
    assert held(staff) == set()


@pytest.mark.parametrize("value", ["9" * 5000, str(2**64), "²", "-1", "abc"])
@pytest.mark.parametrize("name", ["user_permissions", "groups"])
def test_grants_nothing_that_is_no_id(site: Site, staff: User, name: str, value: str) -> None:
    answer = send(site, staff, **{name: [value]})

    assert "is not a valid value" in str(errors(answer)[name])
    assert held(staff) == set()


@pytest.mark.parametrize("value", ["9" * 5000, str(2**64)])
def test_makes_no_group_of_what_is_no_id(site: Site, value: str) -> None:
    answer = site.post(f"{GROUPS}add/", {"name": "new", "permissions": [value]})

    assert "is not a valid value" in str(errors(answer)["permissions"])
    assert not Group.objects.filter(name="new").exists()


@pytest.mark.parametrize("whom", ["themselves", "another"])
def test_puts_nobody_into_a_group_that_grants_more(managing: Site, manager: User, staff: User, whom: str) -> None:
    user = manager if whom == "themselves" else staff
    group = group_of("photographers", "media.add_media", "portfolios.view_portfolio")

    answer = send(managing, user, groups=[group.pk])

    assert "photographers" in str(errors(answer)["groups"])
    assert not user.groups.exists()


def test_adds_nothing_to_a_group_that_they_do_not_hold(managing: Site, manager: User) -> None:
    group = group_of("their own", "portfolios.view_portfolio")
    manager.groups.add(group)
    before = held(manager)

    answer = send(managing, group, permissions=ids("portfolios.view_portfolio", "media.delete_media"))

    assert "4105 · delete media" in str(errors(answer)["permissions"])
    assert held(manager) == before


def test_makes_no_group_of_what_they_do_not_hold(managing: Site) -> None:
    answer = managing.post(f"{GROUPS}add/", {"name": "new", "permissions": ids("media.delete_media")})

    assert "permissions" in errors(answer)
    assert not Group.objects.filter(name="new").exists()


def test_changes_a_group_within_what_they_hold_and_leaves_the_rest(managing: Site) -> None:
    group = group_of("mixed", "media.add_media", "portfolios.add_tag", "portfolios.view_portfolio")

    answer = send(managing, group, permissions=ids("portfolios.view_portfolio"))

    assert answer.status_code == 302, errors(answer)
    assert set(group.permissions.all()) == set(permissions("media.add_media", "portfolios.view_portfolio"))


def test_can_not_tick_what_they_do_not_hold(managing: Site, staff: User) -> None:
    group = group_of("photographers", "media.add_media")

    page = managing.get(change_url(staff)).content.decode()

    for name, value in (("user_permissions", ids("media.add_media")[0]), ("groups", group.pk)):
        assert " disabled" in page[page.index(f'name="{name}" value="{value}"') :].partition(">")[0]
    (own,) = ids("portfolios.add_tag")
    assert " disabled" not in page[page.index(f'name="user_permissions" value="{own}"') :].partition(">")[0]


def stronger(kind: str, grant: Callable[..., None]) -> User:
    """Make a user who holds something that the manager doesn't."""
    if kind == "admin":
        return make_user("strong", is_superuser=True, is_staff=True, password="strong password")
    user = make_user("strong", is_staff=True, is_active=kind != "inactive", password="strong password")
    if kind == "by a group":
        user.groups.add(group_of("photographers", "media.add_media"))
    else:
        grant(user, "media.add_media")
    return user


STRONGER = ["admin", "staff", "by a group", "inactive"]


@pytest.mark.parametrize("kind", STRONGER)
def test_changes_nobody_who_holds_more(managing: Site, grant: Callable[..., None], kind: str) -> None:
    user = stronger(kind, grant)
    url = change_url(user)

    page = managing.get(url)
    answer = managing.post(url, {"username": "mine", "is_active": "on", "is_staff": "on", "email": "max@example.com"})

    assert page.status_code == 200
    assert "who holds something that you don’t" in page.content.decode()
    assert "<input" not in page.content.decode().partition('id="user_form"')[2].partition("</form>")[0].replace(
        '<input type="hidden" name="csrfmiddlewaretoken"', ""
    )
    assert answer.status_code == 403
    assert User.objects.get(pk=user.pk).username == "strong"


@pytest.mark.parametrize("kind", STRONGER)
def test_sets_the_password_of_nobody_who_holds_more(managing: Site, grant: Callable[..., None], kind: str) -> None:
    user = stronger(kind, grant)

    answers = [
        managing.get(f"{USERS}{user.pk}/password/"),
        managing.post(f"{USERS}{user.pk}/password/", {**PASSWORD, "set-password": "1"}),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert User.objects.get(pk=user.pk).check_password("strong password")


@pytest.mark.parametrize("kind", STRONGER)
@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_deletes_nobody_who_holds_more(managing: Site, grant: Callable[..., None], kind: str, at_once: bool) -> None:
    user = stronger(kind, grant)

    if at_once:
        answer = managing.post(USERS, {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"})
    else:
        answer = managing.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_deletes_nobody_of_whom_the_history_tells(
    managing: Site, staff: User, admin: User, site_for: Callable[[User], Site], at_once: bool
) -> None:
    LogEntry.objects.create(user=staff, action_flag=CHANGE, object_repr="a tag", change_message="[]")
    several = {"action": "delete_selected", "_selected_action": [staff.pk], "post": "yes"}

    answer = managing.post(USERS, several) if at_once else managing.post(f"{USERS}{staff.pk}/delete/", {"post": "yes"})

    assert answer.status_code == 403
    assert LogEntry.objects.filter(user=staff).exists()
    assert site_for(admin).post(f"{USERS}{staff.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=staff.pk).exists()


@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_deletes_no_group_that_grants_more(managing: Site, at_once: bool) -> None:
    group = group_of("photographers", "media.add_media")

    if at_once:
        managing.post(GROUPS, {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"})
    else:
        assert managing.post(f"{GROUPS}{group.pk}/delete/", {"post": "yes"}).status_code == 403

    assert Group.objects.filter(pk=group.pk).exists()


def test_changes_and_deletes_who_holds_no_more(managing: Site, staff: User, grant: Callable[..., None]) -> None:
    grant(staff, "portfolios.add_tag")

    assert send(managing, staff, email="stan@example.com").status_code == 302
    assert managing.post(f"{USERS}{staff.pk}/password/", {**PASSWORD, "set-password": "1"}).status_code == 302
    assert Site().login(username="stan", password="correct horse")

    assert managing.post(f"{USERS}{staff.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=staff.pk).exists()


def test_sees_of_a_password_only_whether_there_is_one(managing: Site, grant: Callable[..., None]) -> None:
    user = stronger("staff", grant)

    page = managing.get(change_url(user)).content.decode()

    assert "With a password" in page
    algorithm, *secrets = user.password.split("$")
    assert not re.search(rf"\b{algorithm}\b", page)  # the letters alone may stand in the form's token
    assert not [secret for secret in secrets if secret in page]


def test_no_one_without_a_permission_sees_people(site_for: Callable[[User], Site], editor: User, staff: User) -> None:
    make_key(staff)
    site = site_for(editor)

    for path in (USERS, GROUPS, change_url(staff), f"{USERS}{staff.pk}/password/"):
        assert site.get(path).status_code == 403
    assert site.post(change_url(editor), {"username": "eda", "is_superuser": "on"}).status_code == 403
    editor.refresh_from_db()
    assert not editor.is_superuser


@pytest.mark.parametrize("at_once", [False, True])
def test_names_the_group_that_is_to_be_deleted_and_no_row_behind_it(site: Site, admin: User, at_once: bool) -> None:
    group = group_of("printers", "media.view_media")
    admin.groups.add(group)
    chosen = {"action": "delete_selected", "_selected_action": [group.pk]}

    answer = site.post(GROUPS, chosen) if at_once else site.get(f"{GROUPS}{group.pk}/delete/")

    page = answer.content.decode()
    assert "printers" in page
    assert not re.search(r"relationship|object \(", page, re.IGNORECASE)
