from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.utils import timezone

from folio.access.codes import CODES
from folio.access.grants import allowed_codes, granted_codes
from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_user, permissions

pytestmark = pytest.mark.django_db


def createtoken(*arguments: str) -> tuple[str, str]:
    """Run the command and return what it printed on standard output and on standard error."""
    stdout, stderr = StringIO(), StringIO()
    call_command("createtoken", *arguments, stdout=stdout, stderr=stderr, no_color=True)
    return stdout.getvalue(), stderr.getvalue()


def assert_refuses(*arguments: str) -> str:
    """Assert that the command fails and makes nothing; return its message."""
    before = list(User.objects.values()), Token.objects.count()
    stdout = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("createtoken", *arguments, stdout=stdout, stderr=StringIO())
    assert stdout.getvalue() == ""
    assert (list(User.objects.values()), Token.objects.count()) == before
    return str(caught.value)


def token_codes(token: Token) -> set[int]:
    return set(token.codes or [])


class TestTheKey:
    def test_stands_alone_on_standard_output(self) -> None:
        stdout, stderr = createtoken("ada", "--admin")

        assert stdout.endswith("\n")
        assert stdout.count("\n") == 1
        assert stdout.strip() == stdout[:-1]
        assert stdout.startswith("folio_")
        assert stderr == ""

    def test_opens_the_api(self) -> None:
        key = createtoken("ada", "--admin")[0].strip()

        response = Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {key}")

        assert response.json()["username"] == "ada"

    def test_is_a_new_one_each_time(self) -> None:
        first, second = createtoken("ada", "--admin")[0], createtoken("ada")[0]

        assert first != second
        assert Token.objects.count() == 2

    def test_does_not_expire_unless_asked(self) -> None:
        createtoken("ada", "--admin")

        assert Token.objects.get().expires_at is None

    def test_expires_after_the_days_that_were_asked(self) -> None:
        before = timezone.now()

        createtoken("ada", "--admin", "--expires", "7")

        expires_at = Token.objects.get().expires_at
        assert expires_at is not None
        assert before + timedelta(days=7) <= expires_at <= timezone.now() + timedelta(days=7)

    def test_has_the_name_that_was_asked(self) -> None:
        createtoken("ada", "--admin", "--name", "website")

        assert Token.objects.get().name == "website"

    def test_is_named_after_the_command_otherwise(self) -> None:
        createtoken("ada", "--admin")

        assert Token.objects.get().name == "createtoken"

    def test_is_not_narrowed_unless_asked(self) -> None:
        createtoken("ada", "--admin")

        assert Token.objects.get().codes is None

    def test_is_narrowed_to_the_codes_each_once(self) -> None:
        createtoken("ada", "--admin", "--codes", " 4202, 4201,4202 ")

        assert Token.objects.get().codes == [4201, 4202]


class TestANewUser:
    @pytest.mark.parametrize(
        ("flags", "is_superuser", "is_staff"),
        [(["--admin"], True, True), (["--staff"], False, True), ([], False, False)],
    )
    def test_is_made_with_that_standing(self, flags: list[str], is_superuser: bool, is_staff: bool) -> None:
        createtoken("ada", *flags)

        user = User.objects.get()
        assert (user.username, user.is_superuser, user.is_staff) == ("ada", is_superuser, is_staff)
        assert user.is_active

    def test_has_no_password(self) -> None:
        createtoken("ada", "--admin")

        assert not User.objects.get().has_usable_password()

    def test_is_granted_the_permissions_behind_the_codes(self) -> None:
        createtoken("eda", "--staff", "--codes", "4201,4202")

        token = Token.objects.get()
        assert granted_codes(token.user) == {4201, 4202, 4203}
        assert allowed_codes(token) == {4201, 4202}
        assert token.user.user_permissions.count() == 2

    def test_is_granted_nothing_without_codes(self) -> None:
        createtoken("stan", "--staff")

        assert granted_codes(User.objects.get()) == frozenset()

    def test_that_is_neither_staff_nor_admin_is_told_what_the_key_opens(self) -> None:
        stdout, stderr = createtoken("sam")

        assert stdout.count("\n") == 1
        assert stderr == "Note: sam is neither staff nor an admin, so this key opens only /api/auth/.\n"

    @pytest.mark.parametrize("username", ["", "two words", "a/b", "n" * 151, "semi;colon", "line\nfeed"])
    def test_needs_a_valid_username(self, username: str) -> None:
        message = assert_refuses(username, "--admin")

        assert message.startswith(f"{username!r} can't be a username")

    @pytest.mark.parametrize("username", ["nul\0", "half\udc80"])
    def test_needs_a_username_that_is_text(self, username: str) -> None:
        message = assert_refuses(username, "--admin")

        assert message.startswith(f"{username!r} can't be a username")

    def test_may_have_a_name_in_any_script(self) -> None:
        createtoken("مینا", "--staff")

        assert User.objects.get().username == "مینا"


class TestAnExistingUser:
    @pytest.mark.parametrize(
        ("fields", "flags"),
        [
            ({"is_superuser": True, "is_staff": True}, ["--admin"]),
            ({"is_superuser": True, "is_staff": True}, []),
            ({"is_superuser": True, "is_staff": False}, ["--admin"]),
            ({"is_staff": True}, ["--staff"]),
            ({"is_staff": True}, []),
            ({}, []),
        ],
    )
    def test_keeps_standing_and_grants(self, fields: dict[str, Any], flags: list[str]) -> None:
        user = make_user("nora", codes=[4222], **fields)
        before = User.objects.values().get()

        createtoken("nora", *flags)

        assert User.objects.values().get() == before
        assert [permission.codename for permission in user.user_permissions.all()] == ["view_tag"]

    def test_gets_no_grant_from_codes_which_only_narrow_the_key(self) -> None:
        make_user("stan", is_staff=True, codes=[4201, 4222])

        createtoken("stan", "--codes", "4222")

        token = Token.objects.get()
        assert token.codes == [4222]
        assert granted_codes(token.user) == {4201, 4222, 4223}
        assert allowed_codes(token) == {4222}

    def test_that_lacks_codes_gets_no_key_and_is_told_which(self) -> None:
        make_user("stan", is_staff=True, codes=[4222])

        message = assert_refuses("stan", "--codes", "4201,4222,4231")

        assert message.startswith("stan lacks 4201 (create portfolios), 4231 (create links), and a key never opens")
        assert message.endswith("Leave them out, or grant them by --grant.")
        assert granted_codes(User.objects.get()) == {4222, 4223}

    def test_is_granted_what_they_lack_where_that_is_asked_for(self) -> None:
        user = make_user("stan", is_staff=True, codes=[4222])

        createtoken("stan", "--codes", "4201,4222", "--grant")

        token = Token.objects.get()
        assert allowed_codes(token) == token_codes(token) == {4201, 4222}
        assert granted_codes(token.user) == {4201, 4222, 4223}
        assert user.user_permissions.count() == 2

    def test_lacks_nothing_that_a_group_of_theirs_grants(self) -> None:
        user = make_user("vera", is_staff=True)
        group = Group.objects.create(name="readers")
        group.permissions.set(permissions("portfolios.view_portfolio"))
        user.groups.add(group)

        createtoken("vera", "--codes", "4202,4203", "--grant")

        assert allowed_codes(Token.objects.get()) == {4202, 4203}
        assert not user.user_permissions.exists()

    def test_that_is_an_admin_lacks_nothing(self) -> None:
        user = make_user("ada", is_superuser=True)

        createtoken("ada", "--codes", "4201")
        createtoken("ada", "--codes", "4201", "--grant")

        assert Token.objects.count() == 2
        assert not user.user_permissions.exists()

    def test_gets_another_key_by_the_same_command(self) -> None:
        for _ in range(2):
            createtoken("website", "--staff", "--codes", "4202,4203")

        assert [allowed_codes(token) for token in Token.objects.all()] == [{4202, 4203}] * 2

    @pytest.mark.parametrize(
        ("fields", "flag"),
        [
            ({"is_staff": True}, "--admin"),
            ({}, "--admin"),
            ({}, "--staff"),
            ({"is_superuser": True, "is_staff": True}, "--staff"),
        ],
    )
    def test_is_not_contradicted(self, fields: dict[str, Any], flag: str) -> None:
        make_user("nora", **fields)

        message = assert_refuses("nora", flag)

        assert message.startswith("nora exists and is ")
        assert message.endswith("This command never changes a user's standing: leave the flag out.")

    def test_that_was_deactivated_gets_no_key(self) -> None:
        make_user("gone", is_superuser=True, is_active=False)

        assert assert_refuses("gone") == "gone was deactivated; a key of theirs would open nothing."

    def test_keeps_their_other_keys(self) -> None:
        user = make_user("nora")
        Token.objects.issue(user, name="older")

        createtoken("nora", "--name", "newer")

        assert set(user.tokens.values_list("name", flat=True)) == {"older", "newer"}


class TestWhatIsWrong:
    def test_a_grant_of_nothing(self) -> None:
        make_user("stan", is_staff=True)

        assert assert_refuses("stan", "--grant") == (
            "--grant grants what --codes names, or what --published takes: give one of them too."
        )

    def test_admin_and_staff_together(self) -> None:
        assert "not allowed with argument" in assert_refuses("ada", "--admin", "--staff")

    @pytest.mark.parametrize("codes", ["9999", "4201,9999", "x", "", ",", "4201 4202", "-4201", "4201.0", "²"])
    def test_codes_that_do_not_exist(self, codes: str) -> None:
        message = assert_refuses("ada", "--staff", f"--codes={codes}")

        assert "there is no permission code" in message
        assert "known are 4101, 4102" in message

    @pytest.mark.parametrize("days", ["0", "-1", "x", "1.5", "36501", "", "²", "9" * 50])
    def test_days_that_are_no_number_of_days(self, days: str) -> None:
        assert "is no number of days from 1 to 36500" in assert_refuses("ada", "--admin", f"--expires={days}")

    def test_a_name_that_is_too_long(self) -> None:
        assert assert_refuses("ada", "--admin", "--name", "n" * 101) == "--name takes at most 100 characters."

    def test_no_username(self) -> None:
        assert "username" in assert_refuses()

    def test_the_message_of_an_unknown_code_lists_all_that_exist(self) -> None:
        message = assert_refuses("ada", "--codes", "1")

        assert all(str(code) in message for code in CODES)


class TestPublished:
    def test_makes_a_key_for_what_is_published(self) -> None:
        key = createtoken("site", "--staff", "--published")[0].strip()

        me = Client().get("/api/auth/me/", HTTP_AUTHORIZATION=f"Token {key}").json()
        assert me["permission_codes"] == [4202, 4203]
        assert (me["token"]["codes"], me["token"]["published_only"]) == (None, True)

    def test_without_it_a_key_sees_drafts_too(self) -> None:
        createtoken("site", "--staff", "--codes", "4202")

        assert not Token.objects.get().published_only

    def test_is_narrowed_further_by_codes(self) -> None:
        createtoken("site", "--staff", "--published", "--codes", "4203")

        assert token_codes(Token.objects.get()) == {4203}
        assert granted_codes(User.objects.get()) == {4202, 4203}

    def test_refuses_codes_that_it_does_not_open(self) -> None:
        told = assert_refuses("site", "--staff", "--published", "--codes", "4102,4202,4204")

        assert told == "--published opens 4202 and 4203 alone: leave out 4102, 4204 of --codes, or --published."

    def test_an_existing_user_has_to_hold_its_codes(self) -> None:
        make_user("nora", is_staff=True)

        assert "nora lacks 4202 (list portfolios), 4203 (retrieve portfolios)" in assert_refuses("nora", "--published")

    def test_an_existing_user_is_granted_them_where_that_is_asked_for(self) -> None:
        user = make_user("nora", is_staff=True)

        createtoken("nora", "--published", "--grant")

        assert granted_codes(user) == {4202, 4203}
