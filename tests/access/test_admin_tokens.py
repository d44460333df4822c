"""API keys in the admin site: everyone's own, and everyone's for some."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client as Site
from django.utils import timezone

from folio.access.admin import TokenAdmin
from folio.access.keys import digest_of
from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_key, make_user
from tests.forms import errors, shown_values

LIST = "/admin/access/token/"
ADD = f"{LIST}add/"
KEY = re.compile(r"folio_[\w-]{43}")


@pytest.fixture
def site(site_for: Callable[[User], Site], editor: User) -> Site:
    """The browser of someone on the staff who holds no permission for keys."""
    return site_for(editor)


def given(**values: Any) -> dict[str, Any]:
    """Return what the form sends, as it is shown first but for these values."""
    return {"form": uuid4(), "name": "website", "lifetime": "90", "reach": "all", **values}


def key_on(page: Any) -> str:
    """Return the one key that a page shows."""
    keys = set(KEY.findall(page.content.decode()))
    assert len(keys) == 1
    return str(keys.pop())


def listed(site: Site, **parameters: str) -> list[str]:
    return [str(token) for token in site.get(LIST, parameters).context["cl"].result_list]


# Make


def test_makes_a_key_that_opens_the_api(site: Site, editor: User) -> None:
    page = site.post(ADD, {**shown_values(site.get(ADD)), "name": "website", "codes": []})

    token = Token.objects.get()
    assert page.status_code == 200
    assert (token.user, token.name, token.codes, token.published_only) == (editor, "website", None, True)
    client = Client()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key_on(page)}")
    assert client.get("/api/auth/me/").json()["username"] == editor.username


def test_expires_in_90_days_unless_told_otherwise(site: Site) -> None:
    before = timezone.now()

    site.post(ADD, {**shown_values(site.get(ADD)), "name": "website", "codes": []})

    expires_at = Token.objects.get().expires_at
    assert expires_at is not None
    assert before + timedelta(days=90) <= expires_at <= timezone.now() + timedelta(days=90)


@pytest.mark.parametrize(("lifetime", "days"), [("30", 30), ("365", 365)])
def test_expires_after_the_chosen_days(site: Site, lifetime: str, days: int) -> None:
    site.post(ADD, given(lifetime=lifetime))

    expires_at = Token.objects.get().expires_at
    assert expires_at is not None
    assert timedelta(days=days, minutes=-1) < expires_at - timezone.now() <= timedelta(days=days)


def test_never_expires_where_that_is_chosen(site: Site) -> None:
    site.post(ADD, given(lifetime="never"))

    assert Token.objects.get().expires_at is None


def test_expires_as_the_chosen_day_begins(site: Site) -> None:
    site.post(ADD, given(lifetime="date", date="2099-03-01"))

    assert Token.objects.get().expires_at == datetime(2099, 3, 1, tzinfo=UTC)


def test_is_narrowed_to_the_chosen_codes(site: Site) -> None:
    site.post(ADD, given(reach="some", codes=["4203", "4202"]))

    assert Token.objects.get().codes == [4202, 4203]


def test_does_not_mind_codes_of_a_key_that_may_do_all(site: Site) -> None:
    site.post(ADD, given(codes=["4202"]))

    assert Token.objects.get().codes is None


@pytest.mark.parametrize(
    ("values", "complaints"),
    [
        ({"name": ""}, {"name": ["This field is required."]}),
        ({"name": "n" * 101}, {"name": ["Ensure this value has at most 100 characters (it has 101)."]}),
        ({"lifetime": "date", "date": ""}, {"date": ["Enter a date."]}),
        ({"lifetime": "date", "date": "2020-01-01"}, {"date": ["Enter a moment in the future."]}),
        ({"lifetime": "date", "date": "soon"}, {"date": ["Enter a valid date."]}),
        ({"reach": "some"}, {"codes": ["Choose at least one."]}),
    ],
)
def test_says_what_is_wrong_and_makes_nothing(
    site: Site, values: dict[str, Any], complaints: dict[str, list[str]]
) -> None:
    page = site.post(ADD, given(**values))

    assert errors(page) == complaints
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"lifetime": "36500"},
        {"lifetime": ""},
        {"reach": "more"},
        {"form": "1"},
        {"form": ""},
        {"reach": "some", "codes": ["9999"]},
        {"reach": "some", "codes": ["x"]},
    ],
)
def test_makes_nothing_of_what_the_form_does_not_offer(site: Site, values: dict[str, Any]) -> None:
    page = site.post(ADD, given(**values))

    assert errors(page)
    assert not Token.objects.exists()


def test_offers_the_codes_that_its_owner_holds_in_words(site_for: Callable[[User], Site]) -> None:
    site = site_for(make_user(is_staff=True, codes=[4201, 4202]))

    page = site.get(ADD)

    labels = [label for _, label in page.context["adminform"].form.fields["codes"].choices]
    assert labels == ["4201 · create portfolios", "4202 · list portfolios", "4203 · retrieve portfolios"]
    assert 'aria-label="4201 · create portfolios"' in page.content.decode()
    assert "employers" not in page.content.decode()
    assert "codes" in errors(site.post(ADD, given(reach="some", codes=["4101"])))


def test_offers_nothing_to_choose_to_who_holds_nothing(site_for: Callable[[User], Site], staff: User) -> None:
    site = site_for(staff)

    assert "There is nothing to choose from." in site.get(ADD).content.decode()
    site.post(ADD, given())

    assert Token.objects.get().user == staff


def test_makes_a_key_for_nobody_else(site: Site, editor: User, admin: User) -> None:
    site.post(ADD, given(user=admin.pk, digest="0" * 64))

    token = Token.objects.get()
    assert token.user == editor
    assert token.digest != "0" * 64


def test_the_api_is_open_to_the_chosen_codes_alone(site: Site) -> None:
    key = key_on(site.post(ADD, given(reach="some", codes=["4202"])))
    client = Client()
    client.credentials(HTTP_AUTHORIZATION=f"Token {key}")

    assert client.get("/api/portfolios/").status_code == 200
    assert client.post("/api/portfolios/", {}).status_code == 403


# Shown once


def test_a_form_that_is_sent_again_makes_no_second_key(site: Site) -> None:
    values = given()
    site.post(ADD, values)

    again = site.post(ADD, values, follow=True)

    assert Token.objects.count() == 1
    assert again.redirect_chain == [(LIST, 302)]
    assert "has made its API key already" in again.content.decode()
    assert not KEY.search(again.content.decode())


def test_a_form_makes_no_second_key_though_both_came_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    values = given()
    site.post(ADD, values)
    look, looks = TokenAdmin.tell_if_made, count()

    def look_too_early(self: TokenAdmin, request: Any) -> Any:
        return look(self, request) if next(looks) else None

    monkeypatch.setattr(TokenAdmin, "tell_if_made", look_too_early)
    again = site.post(ADD, values, follow=True)

    assert Token.objects.count() == 1
    assert "has made its API key already" in again.content.decode()


def test_two_people_may_have_the_same_form(site: Site, site_for: Callable[[User], Site], admin: User) -> None:
    values = given()

    site.post(ADD, values)
    site_for(admin).post(ADD, values)

    assert Token.objects.count() == 2


def test_no_cache_keeps_the_page_with_the_key(site: Site) -> None:
    page = site.post(ADD, given())

    assert "no-store" in page.headers["Cache-Control"]
    assert "Location" not in page.headers


def test_shows_a_command_that_tries_the_key(site: Site, site_for: Callable[[User], Site], staff: User) -> None:
    page = site.post(ADD, given())
    of_staff = site_for(staff).post(ADD, given())

    command = "curl -H &#x27;Authorization: Token {}&#x27; &#x27;http://testserver{}&#x27;"
    assert command.format(key_on(page), "/api/portfolios/") in page.content.decode().replace("'", "&#x27;")
    assert command.format(key_on(of_staff), "/api/auth/me/") in of_staff.content.decode().replace("'", "&#x27;")


def test_keeps_the_key_nowhere(site: Site, editor: User, caplog: pytest.LogCaptureFixture) -> None:
    key = key_on(site.post(ADD, given()))
    token = Token.objects.get()
    pages = [LIST, f"{LIST}?q=website", f"{LIST}{token.pk}/change/", f"{LIST}{token.pk}/history/", "/admin/"]

    shown = [site.get(page).content.decode() for page in pages]

    stored = str([session.get_decoded() for session in Session.objects.all()]) + str(LogEntry.objects.values())
    for secret in (key, token.digest):
        assert not any(secret in page for page in shown)
        assert secret not in stored
        assert secret not in caplog.text
        assert secret not in str(site.cookies)
    assert digest_of(key.encode()) == token.digest


def test_writes_the_name_alone_into_the_history(site: Site, editor: User) -> None:
    site.post(ADD, given())

    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_repr, entry.action_flag) == (editor, "website", 1)
    assert Token.objects.get().digest not in entry.change_message


# See


def test_lists_ones_own_keys_alone(site: Site, editor: User, admin: User) -> None:
    make_key(editor, name="mine")
    make_key(admin, name="of another")

    page = site.get(LIST)

    assert listed(site) == ["mine"]
    assert "of another" not in page.content.decode()
    assert "user" not in page.context["cl"].list_display
    assert listed(site, q="of another") == []
    assert listed(site, q="ada") == []


def test_does_not_tell_of_the_keys_of_others_on_the_home_page(
    site: Site, site_for: Callable[[User], Site], admin: User
) -> None:
    site.post(ADD, given(name="of the editor"))
    site_for(admin).post(ADD, given(name="of the admin"))

    own, all_of_them = site.get("/admin/").content.decode(), site_for(admin).get("/admin/").content.decode()

    assert "of the editor" in own
    assert "of the admin" not in own
    assert "of the editor" in all_of_them
    assert "of the admin" in all_of_them


def test_lists_everyones_keys_to_those_who_may_see_them(
    site_for: Callable[[User], Site], admin: User, editor: User
) -> None:
    make_key(editor, name="website", codes=[4202, 4203], expires_at=datetime(2099, 3, 1, tzinfo=UTC))
    make_key(editor, name="")
    make_key(editor, name="old", expires_at=datetime(2020, 3, 1, tzinfo=UTC))
    Token.objects.filter(name="website").update(last_used_at=datetime(2026, 11, 25, 14, tzinfo=UTC))

    page = site_for(admin).get(LIST).content.decode()

    for shown in (
        "website",
        "eda",
        "Portfolios: 4202 list, 4203 retrieve",
        "March 1, 2099",
        "Expired on March 1, 2020",
        "All that its owner may",
        "Never",
        "Token ",
        "Nov. 25, 2026, in the hour from 2 p.m. UTC",
    ):
        assert shown in page


def test_searches_keys_by_name_and_owner(site_for: Callable[[User], Site], editor: User, admin: User) -> None:
    make_key(editor, name="website")
    make_key(editor, name="backup")
    make_key(admin, name="website")

    assert listed(site_for(admin), q="EDA web") == ["website"]


@pytest.mark.parametrize("number", [1, 30])
def test_lists_keys_in_a_constant_number_of_queries(
    site_for: Callable[[User], Site], admin: User, django_assert_num_queries: Any, number: int
) -> None:
    for _ in range(number):
        make_key(make_user(), codes=[4201])
    site = site_for(admin)
    site.get(LIST)

    with django_assert_num_queries(5):
        site.get(LIST)


def test_shows_a_key_and_changes_none(site: Site, editor: User) -> None:
    make_key(editor, name="website", codes=[4202])
    url = f"{LIST}{Token.objects.get().pk}/change/"

    page = site.get(url)

    assert page.status_code == 200
    assert "Portfolios: 4202 list" in page.content.decode()
    assert site.post(url, {"name": "more", "codes": ""}).status_code == 403
    assert list(Token.objects.values_list("name", "codes")) == [("website", [4202])]


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_keeps_the_keys_of_others_from_staff_without_the_permission(site: Site, admin: User, page: str) -> None:
    make_key(admin, name="website")
    url = f"{LIST}{Token.objects.get().pk}/{page}/"

    answer = site.get(url)

    assert (answer.status_code, answer.headers.get("Location")) == (302, "/admin/")
    assert site.post(url, {"post": "yes"}).status_code in {302, 403}
    assert Token.objects.exists()


def test_shows_neither_digest_nor_key_on_any_page(site_for: Callable[[User], Site], admin: User, editor: User) -> None:
    key = make_key(editor, name="website")
    token, site = Token.objects.get(), site_for(admin)
    paths = [
        LIST,
        f"{LIST}?q=website",
        f"{LIST}?q={token.digest}",
        f"{LIST}{token.pk}/change/",
        f"{LIST}{token.pk}/delete/",
        f"{LIST}{token.pk}/history/",
        f"/admin/auth/user/{editor.pk}/change/",
        f"/admin/auth/user/{editor.pk}/delete/",
        "/admin/",
    ]

    pages = {path: site.get(path) for path in paths}
    pages["action"] = site.post(LIST, {"action": "delete_selected", "_selected_action": [token.pk]})

    for path, page in pages.items():
        assert page.status_code == 200
        shown = page.content.decode()
        assert key not in shown
        assert "digest" not in shown.replace("{&quot;digests&quot;:", "")  # of what the user's form was opened with
        assert token.digest not in shown or token.digest in path  # what was searched for stands in the box
    assert listed(site, q=token.digest) == []


@pytest.mark.parametrize("lookup", ["digest", "digest__startswith", "digest__gt", "form", "user__password__startswith"])
def test_does_not_tell_a_secret_through_filters(site_for: Callable[[User], Site], admin: User, lookup: str) -> None:
    make_key(admin)
    site = site_for(admin)

    assert site.get(LIST, {lookup: Token.objects.get().digest}).status_code == 400
    assert site.get("/admin/auth/user/", {f"tokens__{lookup}": "a"}).status_code == 400


def test_offers_no_keys_for_completion(site: Site) -> None:
    source = {"app_label": "access", "model_name": "token", "field_name": "user", "term": "a"}

    assert site.get("/admin/autocomplete/", source).status_code == 403


def test_is_for_staff_alone(site_for: Callable[[User], Site], stranger: User) -> None:
    answer = site_for(stranger).post(ADD, given())

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/login/")
    assert not Token.objects.exists()


# Revoke


@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_revokes_ones_own_key(site: Site, client_for: Callable[..., Client], editor: User, at_once: bool) -> None:
    revoked, kept = client_for(editor, name="lost"), client_for(editor, name="kept")
    token = Token.objects.get(name="lost")

    if at_once:
        site.post(LIST, {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"})
    else:
        answer = site.post(f"{LIST}{token.pk}/delete/", {"post": "yes"}, follow=True)
        assert answer.redirect_chain == [(LIST, 302)]
        assert "The API key “lost” is revoked." in answer.content.decode()

    assert revoked.get("/api/auth/me/").status_code == 401
    assert kept.get("/api/auth/me/").status_code == 200


def test_asks_once_before_it_revokes(site: Site, editor: User) -> None:
    make_key(editor, name="website")
    url = f"{LIST}{Token.objects.get().pk}/delete/"

    question = site.get(url).content.decode()

    assert f'href="{url}"' in site.get(LIST).content.decode()
    assert "Revoke the API key “website”?" in question
    assert Token.objects.exists()


@pytest.mark.parametrize(
    ("permissions", "gone"), [((), False), (("view",), False), (("delete",), False), (("view", "delete"), True)]
)
@pytest.mark.parametrize("at_once", [True, False], ids=["several", "one"])
def test_revokes_the_keys_of_others_with_the_permission_alone(
    site_for: Callable[[User], Site],
    staff: User,
    editor: User,
    grant: Callable[..., None],
    permissions: tuple[str, ...],
    gone: bool,
    at_once: bool,
) -> None:
    make_key(editor, name="website")
    grant(staff, *(f"access.{verb}_token" for verb in permissions))
    site, token = site_for(staff), Token.objects.get()

    if at_once:
        site.post(LIST, {"action": "delete_selected", "_selected_action": [token.pk], "post": "yes"})
    else:
        site.post(f"{LIST}{token.pk}/delete/", {"post": "yes"})

    assert Token.objects.exists() != gone
