"""When a key was last used is known to the hour, though a read writes nothing."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from folio.access.models import Token, TokenQuerySet
from folio.access.uses import SECONDS_VARIABLE, Uses
from folio.api.viewsets import deadline_of
from folio.snapshots import KEEP
from tests.conftest import Client
from tests.factories import make_key
from tests.live import Server, running_server, stop
from tests.writers import Database

NOW = datetime(2026, 11, 25, 10, 41, 7, 99, tzinfo=UTC)
HOUR = datetime(2026, 11, 25, 10, tzinfo=UTC)


@pytest.fixture
def token(editor: User) -> Token:
    return Token.objects.issue(editor, name="website")[0]


def used_at(token: Token) -> datetime | None:
    return Token.objects.get(pk=token.pk).last_used_at


# What is noted


def test_a_new_key_was_never_used(token: Token) -> None:
    assert used_at(token) is None


def test_a_use_is_written_to_the_hour(token: Token) -> None:
    uses = Uses()

    uses.note(token, NOW)
    uses.write()

    assert used_at(token) == HOUR


def test_a_use_is_not_written_by_the_request(
    editor: User, client_for: Callable[..., Client], uses: Uses, django_assert_num_queries: Any
) -> None:
    client = client_for(editor)

    with django_assert_num_queries(1) as queries:
        assert client.get("/api/auth/permissions/").status_code == 200

    assert queries.captured_queries[0]["sql"].startswith("SELECT")
    token = Token.objects.get()
    assert token.last_used_at is None
    uses.write()
    hour = used_at(token)
    assert hour is not None
    assert hour <= timezone.now() < hour + timedelta(hours=1)
    assert (hour.minute, hour.second, hour.microsecond) == (0, 0, 0)


def test_a_write_of_the_api_is_a_use_too(editor: User, client_for: Callable[..., Client], uses: Uses) -> None:
    assert client_for(editor).post("/api/tags/", {"name": "print"}).status_code == 201

    assert list(uses.hours) == [Token.objects.get().pk]


def test_a_refused_key_is_not_used(editor: User, uses: Uses) -> None:
    expired = make_key(editor, expires_at=timezone.now() - timedelta(days=1))

    for key in (expired, "folio_unknown"):
        assert Client().get("/api/auth/me/", headers={"authorization": f"Token {key}"}).status_code == 401

    assert not uses.hours


def test_the_same_hour_is_noted_once(token: Token) -> None:
    uses = Uses()
    token.last_used_at = HOUR

    uses.note(token, NOW)
    assert not uses.hours

    uses.note(token, HOUR + timedelta(hours=1))
    assert uses.hours == {token.pk: HOUR + timedelta(hours=1)}


def test_the_answers_about_keys_are_what_they_were(editor: User, client_for: Callable[..., Client], uses: Uses) -> None:
    client = client_for(editor)
    client.get("/api/auth/me/")
    uses.write()

    assert list(client.get("/api/auth/tokens/").json()["results"][0]) == [
        "id",
        "name",
        "codes",
        "created_at",
        "expires_at",
        "published_only",
    ]
    assert list(client.get("/api/auth/me/").json()["token"]) == ["id", "name", "codes", "expires_at", "published_only"]


# What is written


def test_all_keys_are_written_at_once(editor: User, django_assert_num_queries: Any) -> None:
    uses = Uses()
    tokens = [Token.objects.issue(editor)[0] for _ in range(30)]
    for token in tokens:
        uses.note(token, NOW)

    with django_assert_num_queries(2):  # the other one deletes what is no longer kept of their answers
        uses.write()

    assert {used_at(token) for token in tokens} == {HOUR}


def test_nothing_is_written_where_nothing_is_new(token: Token, django_assert_num_queries: Any) -> None:
    uses = Uses()
    uses.note(token, NOW)
    uses.write()

    with django_assert_num_queries(0):
        uses.write()


def test_what_another_worker_wrote_is_not_written_again(token: Token) -> None:
    assert Token.objects.filter(pk=token.pk).use(HOUR) == 1

    assert Token.objects.filter(pk=token.pk).use(HOUR) == 0
    assert Token.objects.filter(pk=token.pk).use(HOUR - timedelta(hours=1)) == 0
    assert used_at(token) == HOUR


def test_a_revoked_key_stays_revoked(token: Token) -> None:
    uses = Uses()
    uses.note(token, NOW)
    Token.objects.all().delete()

    uses.write()

    assert not Token.objects.exists()


@pytest.mark.parametrize("error", [DatabaseError("database is locked"), InterfaceError("connection already closed")])
def test_what_could_not_be_written_is_written_the_next_time(
    editor: User, token: Token, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    uses = Uses()
    other = Token.objects.issue(editor)[0]
    uses.note(token, NOW)
    with monkeypatch.context() as broken:

        def fail(*arguments: Any) -> int:
            uses.note(other, NOW)  # meanwhile
            raise error

        broken.setattr(TokenQuerySet, "use", fail)
        uses.write()

    assert "it is tried again" in caplog.text
    uses.write()
    assert used_at(token) == used_at(other) == HOUR


# How long an answer is given again without asking


@pytest.mark.parametrize(
    ("expires_at", "deadline"),
    [
        (None, HOUR + timedelta(hours=1)),
        (NOW + timedelta(minutes=5), NOW + timedelta(minutes=5)),
        (NOW + timedelta(days=5), HOUR + timedelta(hours=1)),
    ],
)
def test_an_answer_is_kept_to_the_full_hour_or_to_the_keys_expiry(
    expires_at: datetime | None, deadline: datetime
) -> None:
    assert deadline_of(Token(expires_at=expires_at), NOW.timestamp()) == deadline.timestamp()


def test_an_answer_of_the_full_hour_is_kept_for_an_hour() -> None:
    assert deadline_of(Token(), HOUR.timestamp()) == (HOUR + timedelta(hours=1)).timestamp()


def test_an_answer_without_a_key_is_kept_for_good() -> None:
    assert deadline_of(None) == float("inf")


def test_a_view_tells_the_deadline(editor: User, client_for: Callable[..., Client]) -> None:
    before = time.time()

    deadline = float(client_for(editor).get("/api/tags/").headers[KEEP])

    assert deadline % 3600 == 0
    assert before < deadline <= time.time() + 3600


# A server's thread


def last_used(server: Server) -> datetime | None:
    [(moment,)] = Database(server).execute("SELECT last_used_at FROM access_token WHERE name = %s", "website")
    return datetime.fromisoformat(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment


def was_kept(answer: Any) -> bool:
    """Tell whether an answer came from the response cache."""
    return 'desc="hit"' in answer.headers["Server-Timing"]


def wait_for_an_hour_that_lasts() -> None:
    """Wait for the next hour where this one ends within a minute."""
    left = 3600 - time.time() % 3600
    time.sleep(left if left < 60 else 0)


@pytest.mark.usefixtures("postgresql")
def test_a_server_writes_it_behind_and_reads_go_on_from_memory(tmp_path: Path) -> None:
    variables = {SECONDS_VARIABLE: "2", "FOLIO_SERVER_TIMING": "on"}
    with running_server(tmp_path, **variables) as server:
        session = server.session(server.folio("createtoken", "ada", "--admin", "--name", "website").strip())
        wait_for_an_hour_that_lasts()
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        session.get("/api/tags/")
        assert was_kept(session.get("/api/tags/"))

        deadline = time.monotonic() + 40
        while last_used(server) is None and time.monotonic() < deadline:
            session.get("/api/tags/")
            time.sleep(0.05)
        assert last_used(server) == hour

        session.get("/api/tags/")
        end = time.monotonic() + 5
        while time.monotonic() < end:
            assert was_kept(session.get("/api/tags/")), "It was written again, or for nothing."
            time.sleep(0.05)

        # As another worker would, which noted the same hour.
        server.folio(
            "shell",
            "--no-imports",
            "-c",
            "from datetime import datetime; from folio.access.models import Token\n"
            f"assert Token.objects.filter(name='website').use(datetime.fromisoformat('{hour}')) == 0",
        )
        assert was_kept(session.get("/api/tags/"))


def test_a_server_that_stops_writes_what_it_has_noted(tmp_path: Path) -> None:
    with running_server(tmp_path, **{SECONDS_VARIABLE: "3600"}) as server:
        session = server.session(server.folio("createtoken", "ada", "--admin", "--name", "website").strip())
        session.get("/api/tags/")

        stop(server.process)  # the database is there for a moment longer

        moment = last_used(server)
        assert moment is not None
        assert moment.minute == 0


def test_no_thread_is_started_where_nothing_is_served(token: Token) -> None:
    uses = Uses()

    uses.note(token, NOW)

    assert uses.thread is None
