"""The socket file of a server: when it is there, who may connect, and what stands in its way."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from folio.server import draining
from folio.server.supervising import Parent, Plan
from folio.server.unix_socket import UnixSocket
from tests.live import begin, beginning, lay_static_files, new_database, postgresql_url
from tests.nginx import Backend

PATIENCE = 30  # seconds


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with TemporaryDirectory(prefix="folio-socket-") as folder:
        yield Path(folder)


def listening(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    return listener


def refused(path: Path) -> str:
    with pytest.raises(CommandError) as caught:
        UnixSocket(path).prepare()
    return str(caught.value)


def test_replaces_what_a_dead_server_left(folder: Path) -> None:
    for name in ("folio.sock", ".folio.sock.new"):
        listening(folder / name).close()

    UnixSocket(folder / "folio.sock").prepare()

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["folio.sock", ".folio.sock.new"], ids=["serves", "starts"])
def test_refuses_where_another_server(folder: Path, name: str) -> None:
    with listening(folder / name):
        assert "another server does. Stop it first" in refused(folder / "folio.sock")
        assert (folder / name).exists()


def test_a_server_with_a_full_queue_is_alive(folder: Path) -> None:
    with listening(folder / "folio.sock") as listener:
        listener.listen(0)
        waiting = []
        for _ in range(3):
            one = socket.socket(socket.AF_UNIX)
            one.setblocking(False)
            waiting.append(one)
            try:
                one.connect(str(folder / "folio.sock"))
            except BlockingIOError:
                break

        assert "another server does" in refused(folder / "folio.sock")
        for one in waiting:
            one.close()


def test_refuses_what_is_no_place_for_a_socket(folder: Path) -> None:
    (folder / "file").write_text("mine")

    assert "is there and is no socket" in refused(folder / "file")
    assert (folder / "file").read_text() == "mine"
    assert "there is no folder" in refused(folder / "nowhere" / "folio.sock")
    assert "may have" in refused(folder / ("x" * 120))


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def test_is_there_from_when_a_worker_serves_to_the_beginning_of_the_end(folder: Path, settings: Any) -> None:
    settings.MEDIA_GROUP = os.getegid()
    own = UnixSocket(folder / "folio.sock")
    with own.bound() as listener:
        listener.listen()
        assert not own.path.exists()
        own.show()
        found = own.path.stat()
        assert stat.S_IMODE(found.st_mode) == 0o660
        assert found.st_gid == os.getegid()
        assert not own.draft.exists()
        with connected(own.path) as early:
            own.withdraw()
            with pytest.raises(FileNotFoundError):
                connected(own.path)
            taken, _ = listener.accept()
            with taken:
                taken.sendall(b"answered")
                assert early.recv(8) == b"answered", "who had connected is not cut off"
    assert list(folder.iterdir()) == []


def test_is_closed_to_all_but_its_owner_and_their_group_whatever_the_umask(folder: Path, settings: Any) -> None:
    settings.MEDIA_GROUP = None
    own = UnixSocket(folder / "folio.sock")
    before = os.umask(0)
    try:
        with own.bound() as listener:
            listener.listen()
            assert stat.S_IMODE(own.draft.stat().st_mode) == 0o660
            own.show()
            assert stat.S_IMODE(own.path.stat().st_mode) == 0o660
            assert own.path.stat().st_gid == os.getegid()
            own.withdraw()
    finally:
        os.umask(before)


def test_leaves_the_socket_of_another_server_alone(folder: Path) -> None:
    own = UnixSocket(folder / "folio.sock")
    with own.bound():
        own.show()
        own.path.unlink()
        with listening(own.path):
            own.withdraw()

            assert own.path.exists()


def test_a_server_that_ends_before_a_worker_serves_leaves_nothing(folder: Path) -> None:
    own = UnixSocket(folder / "folio.sock")
    with own.bound():
        own.withdraw()

    assert list(folder.iterdir()) == []


def test_a_parent_shows_it_once_and_takes_it_away_when_it_is_told_to_stop() -> None:
    events: list[str] = []
    plan = Plan(lambda *_: None, lambda _: None, 1, 0.5, 8)
    plan.when_ready, plan.when_told = lambda: events.append("ready"), lambda: events.append("told")
    parent = Parent(plan)
    try:
        parent.serves()
        parent.serves()
        assert events == ["ready"]

        parent.told_to_stop(15, None)
        parent.serves()

        assert events == ["ready", "told"]
    finally:
        draining.end()


def test_a_server_that_nobody_can_reach_ends(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied", "/run/folio.sock")

    parent = Parent(Plan(lambda *_: None, lambda _: None, 1, 0.5, 8, when_ready=fail))
    try:
        parent.serves()

        assert parent.status == 1
        assert parent.is_ending
        assert "nobody can reach it" in caplog.text
    finally:
        draining.end()


# The command


def test_a_socket_takes_the_place_of_address_and_port(folder: Path, db: None) -> None:
    for other in ({"port": 8001}, {"host": "127.0.0.1"}):
        with pytest.raises(CommandError, match="--uds takes the place of --host and --port"):
            call_command("serve", uds=folder / "folio.sock", **other)


def test_a_database_that_lacks_migrations_is_refused_by_a_server_that_applies_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr("folio.server.migrating.MigrationExecutor.migration_plan", lambda self, targets: [1, 2])

    with pytest.raises(CommandError, match=r"lacks 2 migrations of this version.* Run `folio migrate` first\."):
        call_command("serve", uds=folder / "folio.sock", is_to_migrate=False)


def test_serves_on_a_socket_and_says_so(folder: Path) -> None:
    with new_database() as variables:
        if not postgresql_url():
            begin(folder)
        lay_static_files(folder)
        listening(folder / "folio.sock").close()  # what a killed server left
        log = folder / "server.log"
        server = Backend(folder / "folio.sock", folder, variables, ("--no-migrate",), log)
        server.socket.unlink()
        server.start()
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(PATIENCE)
                connection.connect(str(server.socket))
                key = beginning(postgresql_url()).key
                head = f"GET /api/auth/me/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Token {key}\r\n\r\n"
                connection.sendall(head.encode())
                assert connection.recv(12) == b"HTTP/1.1 200"
        finally:
            status = server.stop()
        said = log.read_text()

    assert status == 0
    assert f"unix socket {server.socket}, for " in said
    assert "Put the word unix into FOLIO_TRUSTED_PROXIES" in said
    assert "Migrating" not in said
    assert not server.socket.exists()
