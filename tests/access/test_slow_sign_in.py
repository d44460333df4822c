"""Who fails to sign in too often has to wait, in the admin site and in the API alike."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from ipaddress import ip_network
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import aauthenticate, authenticate
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.test import Client as Site
from django.test import RequestFactory

from folio.access import attempts
from folio.access.attempts import TooManyAttempts, begin
from folio.access.models import Token
from tests.conftest import Client
from tests.factories import make_user

PASSWORD = "correct horse battery staple"
NOW = 1_800_000_000.0
MINUTE = 60


@pytest.fixture
def nora(db: None) -> User:
    return make_user("nora", password=PASSWORD, is_staff=True)


def by_api(password: str, username: str = "nora", address: str = "203.0.113.5") -> Any:
    body = {"username": username, "password": password}
    return Client(REMOTE_ADDR=address).post("/api/auth/token/", body)


def by_form(password: str, username: str = "nora", address: str = "203.0.113.5") -> Any:
    body = {"username": username, "password": password}
    return Site(REMOTE_ADDR=address).post("/admin/login/", body)


def is_refused(answer: Any) -> bool:
    """Tell whether an answer, of the API or of the form, says to wait."""
    return "Too many failed attempts to sign in. Try again in " in answer.content.decode()


def wait(username: str, address: str, now: float) -> int:
    """Return the seconds that an attempt would have to wait; 0 where it was heard, and counted as failed."""
    try:
        begin(username, address, now)
    except TooManyAttempts as error:
        return error.wait
    return 0


def fail(times: int, username: str, address: str, now: float = NOW) -> float:
    """Fail as often, and return when it was: at once, for nobody has to wait yet."""
    assert [wait(username, address, now) for _ in range(times)] == [0] * times
    return now


# The two doors


@pytest.mark.parametrize("sign_in", [by_api, by_form])
def test_hears_five_failures_and_refuses_the_next_attempt(nora: User, sign_in: Callable[..., Any]) -> None:
    failures = [sign_in("wrong") for _ in range(5)]
    refused = sign_in("wrong")

    assert not any(is_refused(answer) for answer in failures)
    assert is_refused(refused)


@pytest.mark.parametrize("sign_in", [by_api, by_form])
def test_refuses_the_right_password_too_for_as_long(nora: User, sign_in: Callable[..., Any]) -> None:
    for _ in range(5):
        sign_in("wrong")

    refused = sign_in(PASSWORD)

    assert is_refused(refused)
    assert "sessionid" not in refused.cookies
    assert not Token.objects.exists()


def test_the_two_doors_have_one_count(nora: User) -> None:
    for sign_in in (by_api, by_form, by_api, by_form, by_api):
        sign_in("wrong")

    assert is_refused(by_form(PASSWORD))
    assert is_refused(by_api(PASSWORD))


def test_the_api_says_when_to_try_again(nora: User) -> None:
    for _ in range(5):
        by_api("wrong")

    response = by_api("wrong")

    assert response.status_code == 429
    assert response.headers["Retry-After"] == "5"
    assert response.json() == {"detail": "Too many failed attempts to sign in. Try again in 5 seconds."}


def test_the_form_keeps_the_name_and_never_the_password(nora: User) -> None:
    for _ in range(5):
        by_form("wrong")

    page = by_form(PASSWORD)

    assert page.status_code == 200
    assert page.context["form"].non_field_errors() == ["Too many failed attempts to sign in. Try again in 5 seconds."]
    assert 'value="nora"' in page.content.decode()
    assert PASSWORD not in page.content.decode()


def test_does_not_tell_whether_an_account_exists(nora: User) -> None:
    answers = [[by_api("wrong", name) for _ in range(6)] for name in ("nora", "nobody")]

    known, unknown = ([(answer.status_code, answer.content) for answer in each] for each in answers)
    assert known == unknown
    assert known[-1][0] == 429


def test_a_refused_attempt_looks_at_no_password(
    nora: User, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _ in range(5):
        by_api("wrong")
    monkeypatch.setattr(User, "check_password", None)

    with django_assert_num_queries(0):
        assert is_refused(by_api(PASSWORD))


def test_counting_writes_nothing_to_the_database(nora: User, django_assert_num_queries: Callable[..., Any]) -> None:
    with django_assert_num_queries(1) as queries:
        by_api("wrong")

    assert queries.captured_queries[0]["sql"].startswith("SELECT")


def test_a_success_forgets_what_the_same_browser_has_failed(nora: User) -> None:
    browser = Site(REMOTE_ADDR="203.0.113.5")

    def attempt(password: str) -> int:
        return int(browser.post("/admin/login/", {"username": "nora", "password": password}).status_code)

    for _ in range(3):
        assert [attempt("wrong") for _ in range(4)] == [200] * 4
        assert attempt(PASSWORD) == 302


def test_a_success_forgets_what_a_program_has_failed_that_sends_its_key(nora: User) -> None:
    program = Client(REMOTE_ADDR="203.0.113.5")

    def attempt(password: str) -> Any:
        return program.post("/api/auth/token/", {"username": "nora", "password": password})

    for _ in range(3):
        assert [attempt("wrong").status_code for _ in range(4)] == [400] * 4
        program.credentials(HTTP_AUTHORIZATION=f"Token {attempt(PASSWORD).json()['key']}")


def test_every_refusal_takes_one_hash(nora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    make_user("gone", password=PASSWORD, is_active=False)
    make_user("keyed").set_unusable_password()
    User.objects.filter(username="keyed").update(password="!unusable")
    User.objects.filter(username="nora").update(password="unknown$1$salt$hash")
    make_user("olga", password=PASSWORD, is_staff=True)
    made: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(*given: Any) -> Any:
        made.append("a hash")
        return encode(*given)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)

    for name in ("olga", "nobody", "gone", "keyed", "nora"):
        made.clear()
        by_api("wrong", name)
        assert len(made) == 1, name


# Changing a password


def change(site: Site, old: str) -> Any:
    new = "a heron on the quay wall"
    return site.post("/admin/password_change/", {"old_password": old, "new_password1": new, "new_password2": new})


def test_guessing_the_old_password_has_to_wait_like_signing_in(nora: User, site_for: Callable[[User], Site]) -> None:
    site = site_for(nora)

    pages = [change(site, "wrong") for _ in range(5)]
    refused = change(site, PASSWORD)

    assert not any(is_refused(page) for page in pages)
    assert is_refused(refused)
    assert refused.context["form"].errors["old_password"] == [
        "Too many failed attempts to sign in. Try again in 5 seconds."
    ]
    assert is_refused(Site().post("/admin/login/", {"username": "nora", "password": PASSWORD}))
    nora.refresh_from_db()
    assert nora.check_password(PASSWORD)


def test_changing_ones_password_counts_nothing_as_failed(nora: User, site_for: Callable[[User], Site]) -> None:
    site = site_for(nora)
    for _ in range(4):
        change(site, "wrong")

    assert change(site, PASSWORD).status_code == 302
    assert [name for name in site.cookies if name.startswith("folio_known_")]


@pytest.mark.parametrize(("proxies", "heard"), [(["10.0.0.0/8"], 30), ([], 5)], ids=["trusted", "not trusted"])
def test_counts_by_the_clients_address_behind_a_trusted_proxy(
    nora: User, settings: Any, proxies: list[str], heard: int
) -> None:
    settings.TRUSTED_PROXIES = [ip_network(proxy) for proxy in proxies]

    def status(client: str) -> int:
        body = {"username": "nora", "password": "wrong"}
        headers = {"X-Forwarded-For": client}
        return int(Client(REMOTE_ADDR="10.0.0.7").post("/api/auth/token/", body, headers=headers).status_code)

    statuses = [status(f"198.51.100.{number}") for number in range(30)]

    assert statuses.count(400) == heard


def test_a_program_without_a_request_is_not_counted(nora: User) -> None:
    for _ in range(60):
        assert authenticate(username="nora", password="wrong") is None

    assert authenticate(username="nora", password=PASSWORD) == nora


def test_the_asynchronous_door_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelBackend, "authenticate", lambda *arguments, **named: None)
    request = RequestFactory(REMOTE_ADDR="203.0.113.5").post("/")

    async def fail(times: int) -> None:
        for _ in range(times):
            assert await aauthenticate(request, username="nora", password="wrong") is None

    asyncio.run(fail(5))
    with pytest.raises(TooManyAttempts):
        asyncio.run(fail(1))


def test_a_deactivated_account_is_counted_as_a_wrong_password(nora: User) -> None:
    User.objects.update(is_active=False)

    statuses = [by_api(PASSWORD).status_code for _ in range(6)]

    assert statuses == [400] * 5 + [429]


# The rule


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    now, waits = fail(5, "nora", "a"), []
    for _ in range(20):
        seconds = wait("nora", "a", now)
        waits.append(seconds)
        now = fail(1, "nora", "a", now + seconds)

    assert waits[:8] == [5, 10, 20, 40, 80, 160, 320, 640]
    assert waits == sorted(waits)  # one that was forgotten meanwhile lets the longest come a little later
    assert waits[-1] == 900


def test_an_attempt_during_the_wait_does_not_make_it_longer() -> None:
    now = fail(5, "nora", "a")

    assert [wait("nora", "a", now + second) for second in range(5)] == [5, 4, 3, 2, 1]
    assert wait("nora", "a", now + 5) == 0


def test_an_address_that_tries_many_accounts_has_to_wait() -> None:
    for number in range(20):
        assert wait(f"account {number}", "a", NOW) == 0

    assert wait("another", "a", NOW) == 5
    assert wait("another", "b", NOW) == 0


def test_an_account_that_is_tried_from_many_addresses_has_to_wait() -> None:
    for number in range(50):
        assert wait("nora", f"address {number}", NOW) == 0

    assert wait("nora", "another", NOW) == 5
    assert wait("another", "another", NOW) == 0


def test_who_is_known_has_a_count_of_their_own() -> None:
    for number in range(50):
        wait("nora", f"address {number}", NOW)
    for number in range(20):
        wait(f"account {number}", "home", NOW)

    assert wait("nora", "home", NOW) == 5
    for _ in range(5):
        begin("nora", "home", NOW, known="browser")
    with pytest.raises(TooManyAttempts):
        begin("nora", "home", NOW, known="browser")
    begin("nora", "home", NOW, known="another browser")


def test_one_failure_is_forgotten_each_quarter_of_an_hour() -> None:
    now = fail(5, "nora", "a")

    later = now + 45 * MINUTE
    assert [wait("nora", "a", later) for _ in range(4)] == [0, 0, 0, 5]


def test_no_more_than_one_attempt_in_a_quarter_of_an_hour_is_heard_for_long() -> None:
    day = 24 * 60 * MINUTE
    heard, now = 0, NOW
    while now < NOW + day:
        seconds = wait("nora", "a", now)
        heard += not seconds
        now += seconds or 1

    assert heard <= 5 + 9 + day // (15 * MINUTE)


def test_a_success_does_not_take_back_what_others_failed() -> None:
    for number in range(49):
        wait("nora", f"address {number}", NOW)
    for _ in range(3):
        begin("nora", "home", NOW).succeed()

    assert [wait("nora", "elsewhere", NOW), wait("nora", "elsewhere", NOW)] == [0, 5]


def test_a_clock_that_was_set_back_makes_no_one_wait_for_long() -> None:
    fail(5, "nora", "a")

    assert wait("nora", "a", NOW - 24 * 60 * MINUTE) == 5


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "in 1 second."), (119, "in 119 seconds."), (120, "in 2 minutes."), (121, "in 3 minutes.")],
)
def test_says_how_long_to_wait(seconds: float, said: str) -> None:
    assert str(TooManyAttempts(seconds)).endswith(said)


# The counts


def test_many_at_once_gain_nothing(nora: User) -> None:
    barrier = Barrier(16, timeout=60)

    def attempt(_: int) -> int:
        barrier.wait()
        return wait("nora", "a", NOW)

    with ThreadPoolExecutor(16) as pool:
        heard = list(pool.map(attempt, range(16))).count(0)

    assert heard == 5


def test_keeps_no_name_no_address_and_no_password(nora: User, attempts_path: Path) -> None:
    by_api("a wrong password")
    by_api(PASSWORD)
    by_api("wrong", "somebody else")

    content = attempts_path.read_bytes()

    assert b"counts" in content
    for secret in ("nora", "somebody", "203.0.113.5", "wrong", PASSWORD):
        assert secret.encode() not in content


def test_forgets_what_no_longer_counts(attempts_path: Path) -> None:
    for number in range(30):
        wait(f"account {number}", f"address {number}", NOW)

    wait("nora", "home", NOW + 60 * MINUTE)

    with sqlite3.connect(attempts_path) as database:
        assert database.execute("SELECT COUNT(*) FROM counts").fetchone() == (3,)
    database.close()


@pytest.mark.parametrize("way", ["no database", "a folder"])
def test_people_can_sign_in_though_nothing_can_be_counted(
    nora: User, attempts_path: Path, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    if way == "a folder":
        attempts_path.mkdir()
    else:
        attempts_path.write_bytes(b"This is not a database, though it is long enough for one. " * 20)

    statuses = [by_api("wrong").status_code, by_api(PASSWORD).status_code]

    assert statuses == [400, 201]
    assert "Failed sign-ins are not counted" in caplog.text
    assert PASSWORD not in caplog.text


def test_counts_that_are_held_by_others_refuse_for_a_moment(
    nora: User, attempts_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "BUSY_SECONDS", 0.01)
    by_api("wrong")
    holder = sqlite3.connect(attempts_path, isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")

        refused = by_api(PASSWORD)
    finally:
        holder.close()

    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert by_api(PASSWORD).status_code == 201


@pytest.mark.parametrize("held", ["free", "waiting"])
def test_more_passwords_at_once_than_may_be_hashed_are_refused_uncounted(
    nora: User, attempts_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setattr(attempts, "BUSY_SECONDS", 0.01 if held == "free" else 60)
    turns = attempts.Turns()
    monkeypatch.setattr(attempts, "turns", turns)
    with ExitStack() as stack:
        for _ in range(attempts.HASHED_AT_ONCE):
            stack.enter_context(turns.free)
        while held == "waiting" and turns.waiting.acquire(blocking=False):
            stack.callback(turns.waiting.release)

        for _ in range(attempts.FREE_FOR_BOTH + 1):
            refused = by_api(PASSWORD)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")

    with closing(sqlite3.connect(attempts_path)) as database:
        assert database.execute("SELECT SUM(level) < 0.01 FROM counts").fetchone() == (1,)
    assert by_api(PASSWORD).status_code == 201
    assert turns.free.acquire(blocking=False), "it was given back"
