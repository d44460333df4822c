"""A read that begins after a write was acknowledged shows it: whoever wrote, by whatever way, on every worker."""

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.client import HTTPConnection
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from folio import snapshots
from folio.api.handler import Handler
from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront
from tests.factories import make_image, make_key, make_tag, make_user
from tests.live import Server, Session, running_server
from tests.postgresql import Server as PostgreSQL
from tests.readers import ask_until_hit, connections_to_each_worker, is_hit, key_of, with_key
from tests.writers import TEXTS, WAYS, Database, Rows, Writers, make_rows, text_of

PATIENCE = 20  # seconds
numbers = count(1)


@contextmanager
def served(folder: Path, postgresql: PostgreSQL | None, *flags: str, **variables: str) -> Iterator[Server]:
    """Serve a new installation, which tells what it answered from its caches."""
    with running_server(folder, *flags, FOLIO_SERVER_TIMING="true", **variables) as server:
        yield server


@pytest.fixture(scope="module")
def server(postgresql: PostgreSQL | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with served(tmp_path_factory.mktemp("live"), postgresql, "--workers", "2") as server:
        yield server


@pytest.fixture(scope="module")
def writers(server: Server) -> Iterator[Writers]:
    with Writers.of(server) as writers:
        yield writers


@pytest.fixture(scope="module")
def api(writers: Writers) -> Session:
    return writers.api


@pytest.fixture(scope="module")
def rows(api: Session) -> Rows:
    return make_rows(api)


@pytest.fixture(scope="module")
def readers(api: Session) -> list[Session]:
    """Connections that reach every worker, with an admin's key."""
    return connections_to_each_worker(api.url, key_of(api), workers=2)


def unique(word: str) -> str:
    return f"{word}-{uuid4().hex[:8]}"


# What is written is read


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("resource", TEXTS)
def test_a_change_is_read_at_once_on_every_worker(
    writers: Writers, readers: list[Session], rows: Rows, resource: str, way: str
) -> None:
    paths = rows.paths(resource)
    for _ in range(2):
        ask_until_hit(readers, *paths)
        text = unique(resource)

        WAYS[way](writers, resource, rows.ids[resource], text)

        for reader in readers:
            for path in paths:
                assert text_of(resource, reader.get(path).json()) == text, path
        for reader in readers:  # never asked before, from ready documents
            path = f"/api/portfolios/?slug={rows.slug}&order_max={next(numbers)}"
            assert text_of(resource, reader.get(path).json()) == text


COMES_AND_GOES = {
    "a row, by the ORM": (
        "/api/tags/",
        "Tag.objects.create(name='comes-and-goes')",
        "Tag.objects.filter(name='comes-and-goes').delete()",
    ),
    "rows, in bulk": (
        "/api/employers/",
        "Employer.objects.bulk_create([Employer(name=f'comes-and-goes {n}') for n in range(3)])",
        "Employer.objects.filter(name__startswith='comes-and-goes').delete()",
    ),
    "a link": (
        "/api/portfolios/?slug={slug}",
        "Link.objects.create(portfolio=Portfolio.objects.get(slug='{slug}'), name='comes-and-goes')",
        "Link.objects.filter(name='comes-and-goes').delete()",
    ),
    "a meta entry": (
        "/api/portfolios/slug/{slug}/",
        "MetaEntry.objects.create(portfolio=Portfolio.objects.get(slug='{slug}'), key='comes-and-goes')",
        "MetaEntry.objects.filter(key='comes-and-goes').delete()",
    ),
    "a picture in the gallery": (
        "/api/portfolios/slug/{slug}/",
        "Portfolio.objects.get(slug='{slug}').images.add(Media.objects.last())",
        "Portfolio.objects.get(slug='{slug}').images.clear()",
    ),
    "all in one transaction": (
        "/api/portfolios/slug/{slug}/",
        """with transaction.atomic():
            Portfolio.objects.filter(slug='{slug}').update(order=5)
            Portfolio.objects.filter(slug='{slug}').update(description='in one')""",
        "Portfolio.objects.filter(slug='{slug}').update(order=0, description=None)",
    ),
}


@pytest.mark.parametrize("what", COMES_AND_GOES)
def test_what_comes_and_goes_is_read_at_once(writers: Writers, readers: list[Session], rows: Rows, what: str) -> None:
    path, come, go = (text.replace("{slug}", rows.slug) for text in COMES_AND_GOES[what])
    for _ in range(2):
        ask_until_hit(readers, path)
        before = readers[0].get(path).json()
        writers.orm.run(come)
        there = [reader.get(path).json() for reader in readers]
        ask_until_hit(readers, path)
        writers.orm.run(go)
        gone = [reader.get(path).json() for reader in readers]

        assert there == [there[0]] * len(readers)
        assert there[0] != before
        assert gone == [before] * len(readers)


def test_the_echo_of_a_write_shows_it_though_the_document_was_kept(
    api: Session, readers: list[Session], rows: Rows
) -> None:
    path = f"/api/portfolios/{rows.ids['portfolios']}/"
    for _ in range(5):
        ask_until_hit(readers, path)
        text = unique("echo")
        assert api.patch(path, json={"excerpt": text}).json()["excerpt"] == text
        whole = {**{name: api.get(path).json()[name] for name in ("title", "slug")}, "excerpt": f"{text} again"}
        assert api.put(path, json=whole).json()["excerpt"] == f"{text} again"
    name = unique("echo")
    made = api.post("/api/tags/", json={"name": name})
    assert made.json()["name"] == name
    assert all(reader.get(made.headers["Location"]).json() == made.json() for reader in readers)


def test_a_deleted_row_is_gone_at_once(api: Session, readers: list[Session]) -> None:
    path = f"/api/tags/{api.post('/api/tags/', json={'name': unique('gone')}).json()['id']}/"
    ask_until_hit(readers, path)
    etag = readers[0].get(path).headers["ETag"]

    assert api.delete(path).status_code == 204

    for reader in readers:
        assert reader.get(path, headers={"If-None-Match": etag}).status_code == 404


def test_writers_and_readers_that_run_freely(writers: Writers, readers: list[Session], rows: Rows) -> None:
    """Looks and commits overlap here; what counts is only what was acknowledged before a read began.

    The writer goes on until there were enough reads, however the machine shares its time among them.
    """
    pk, paths = rows.ids["portfolios"], rows.paths("portfolios")
    acknowledged, is_over = 0, False
    counts = [0] * len(readers)
    deadline = time.monotonic() + 60

    def write() -> None:
        nonlocal acknowledged, is_over
        with writers.database.connection() as execute:
            for number in count(1):
                if time.monotonic() > deadline or (number >= 400 and sum(counts) >= 300):
                    break
                if number % 10:
                    execute("UPDATE portfolios_portfolio SET excerpt = %s WHERE id = %s", f"{number}", pk)
                else:
                    WAYS[("api", "save", "QuerySet.update")[number // 10 % 3]](writers, "portfolios", pk, f"{number}")
                acknowledged = number
                time.sleep(0.002)
        is_over = True

    def read(number: int) -> None:
        while not is_over:
            for path in paths:
                begun = acknowledged
                shown = int(text_of("portfolios", readers[number].get(path).json()))
                assert shown >= begun
                counts[number] += 1

    WAYS["api"](writers, "portfolios", pk, "0")
    with ThreadPoolExecutor(len(readers) + 1) as pool:
        reading = [pool.submit(read, number) for number in range(len(readers))]
        try:
            pool.submit(write).result()
        finally:
            is_over = True
        for future in reading:
            future.result()
    assert acknowledged >= 399
    assert sum(counts) >= 300


# What is not committed is not read


def test_a_write_that_is_open_is_not_read_nor_after_its_rollback(
    writers: Writers, readers: list[Session], rows: Rows
) -> None:
    pk, paths = rows.ids["portfolios"], rows.paths("portfolios")
    WAYS["api"](writers, "portfolios", pk, "committed")

    def shown() -> set[str]:
        asked = [*paths, f"/api/portfolios/?slug={rows.slug}&order_max={next(numbers)}"]
        return {text_of("portfolios", reader.get(path).json()) for reader in readers for path in asked}

    for ending, expected in (("ROLLBACK", "committed"), ("COMMIT", "changed")):
        with writers.database.connection() as execute:
            execute("BEGIN")
            execute("UPDATE portfolios_portfolio SET excerpt = 'changed' WHERE id = %s", pk)
            assert shown() == {"committed"}
            ask_until_hit(readers, *paths)
            execute(ending)
        assert shown() == {expected}


def test_a_refused_write_leaves_nothing_to_be_read(api: Session, readers: list[Session], rows: Rows) -> None:
    path = f"/api/portfolios/{rows.ids['portfolios']}/"
    before = api.get(path).json()
    ask_until_hit(readers, path)

    refused = api.patch(path, json={"excerpt": "changed", "tags": [rows.ids["tags"], 2**31]})

    assert refused.status_code == 400
    assert [reader.get(path).json() for reader in readers] == [before] * len(readers)


def test_reading_writes_nothing_and_leaves_nothing_open(
    server: Server, writers: Writers, readers: list[Session], rows: Rows
) -> None:
    """A statement that is not read to its end keeps its connection, and the caches behind it, at an old version."""
    paths = [path for resource in TEXTS for path in rows.paths(resource)]
    paths += ["/api/links/", "/api/meta/", *(f"/api/auth/{name}/" for name in ("me", "tokens", "permissions"))]
    paths += ["/api/portfolios/?search=work&ordering=-year,client__name&has_image=true&tags_in=1,2", "/api/schema/"]
    paths += ["/api/tags/999999/", "/api/portfolios/slug/none/", "/api/tags/?no_such=1", "/api/nowhere/"]
    paths += ["/admin/login/"]

    with at_rest(server):

        def read_everything(number: int) -> None:
            session = Session(server.url, key_of(writers.api))
            for path in paths:
                query = f"{'&' if '?' in path else '?'}offset={number}" if path.endswith("s/") else ""
                assert session.get(path + query).status_code < 500
                assert session.head(path).status_code < 500
            assert server.session("unknown").get(paths[0]).status_code == 401

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(read_everything, range(16)))


def test_writing_leaves_nothing_open(server: Server, writers: Writers, rows: Rows) -> None:
    with at_rest(server, is_written=True):

        def write(number: int) -> None:
            session = Session(server.url, key_of(writers.api))
            tag = session.post("/api/tags/", json={"name": unique("tag")}).json()["id"]
            assert session.post("/api/tags/", json={"name": ""}).status_code == 400
            assert session.patch(f"/api/tags/{tag}/", json={"name": unique("tag")}).status_code == 200
            assert session.delete(f"/api/tags/{tag}/").status_code == 204
            assert session.delete(f"/api/tags/{tag}/").status_code == 404
            assert session.delete(f"/api/employers/{rows.ids['employers']}/").status_code == 409

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(16)))


def test_what_changes_nothing_commits_nothing(server: Server, writers: Writers) -> None:
    """A commit empties every worker's memory, also one of an answer that is given again, or of a clean-up."""
    name = unique("kept")

    def post(**body: str) -> Any:
        return writers.api.post("/api/tags/", json=body, headers={"Idempotency-Key": name})

    first = post(name=name)

    with at_rest(server):
        for _ in range(4):
            again = post(name=name)
            assert (again.status_code, again.content) == (201, first.content)
            assert again.headers["Idempotency-Replayed"] == "true"
        assert post(name="other").status_code == 409
        writers.orm.run("from folio.access.models import KeptAnswer\nassert KeptAnswer.objects.forget_outdated() == 0")


@contextmanager
def at_rest(server: Server, is_written: bool = False) -> Iterator[None]:
    """Check that no connection is left within a transaction, and nothing was written unless that was the purpose."""
    database = Database(server)
    if database.url:
        state = "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
        version = "SELECT pg_current_snapshot()::text"
        with database.connection() as execute:
            before = execute(version)
            yield
            assert execute(version) == before or is_written
            assert execute(state) == [(0,)]
    else:
        with closing(sqlite3.connect(database.file, isolation_level=None)) as connection:
            before = connection.execute("PRAGMA data_version").fetchall()
            yield
            assert connection.execute("PRAGMA data_version").fetchall() == before or is_written
            # A reader that has not ended keeps the log from being begun anew.
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert busy == 0


# Who may read


class Member(NamedTuple):
    """Staff who may see tags, by a grant of their own or of their group."""

    key: str
    name: str
    user: int
    token: int


@pytest.fixture
def new_member(writers: Writers) -> Callable[..., Member]:
    def new_member(by_group: bool = False, expires_at: datetime | None = None) -> Member:
        name, key = unique("member"), unique("folio")
        grant = "Permission.objects.filter(codename__in=['view_tag', 'view_employer'])"
        digest = sha256(key.encode()).hexdigest()
        writers.orm.run(
            "import datetime\n"
            f"user = User.objects.create_user({name!r}, is_staff=True)\n"
            f"token = Token.objects.create(user=user, digest={digest!r}, expires_at={expires_at!r})\n"
            f"group = Group.objects.create(name={name!r})\n"
            f"{'group.permissions' if by_group else 'user.user_permissions'}.set({grant})\n"
            "user.groups.add(group)"
        )
        [(user, token)] = writers.database.execute(
            "SELECT u.id, t.id FROM auth_user u JOIN access_token t ON t.user_id = u.id WHERE username = %s", name
        )
        return Member(key, name, user, token)

    return new_member


@dataclass(frozen=True)
class Withdrawal:
    """A way to withdraw a member's access, the status that they then get, and perhaps a way back."""

    withdraw: Callable[[Writers, Member], Any]
    status: int
    restore: str = ""
    by_group: bool = False


def by_orm(code: str) -> Callable[[Writers, Member], Any]:
    return lambda writers, member: writers.orm.run(code.format(**member._asdict()))


WITHDRAWALS = {
    "the key revoked through the API": Withdrawal(
        lambda writers, member: Session(writers.api.url, member.key).delete(f"/api/auth/tokens/{member.token}/"), 401
    ),
    "the key revoked on the admin site": Withdrawal(
        lambda writers, member: writers.site.submit(f"/admin/access/token/{member.token}/delete/", post="yes"), 401
    ),
    "the key revoked by SQL": Withdrawal(
        lambda writers, member: writers.database.execute("DELETE FROM access_token WHERE id = %s", member.token), 401
    ),
    "the key expired by SQL": Withdrawal(
        lambda writers, member: writers.database.execute(
            "UPDATE access_token SET expires_at = '2020-01-01 00:00:00+00:00' WHERE id = %s", member.token
        ),
        401,
        "Token.objects.filter(pk={token}).update(expires_at=None)",
    ),
    "the key narrowed": Withdrawal(
        by_orm("Token.objects.filter(pk={token}).update(codes=[4101])"),
        403,
        "Token.objects.filter(pk={token}).update(codes=None)",
    ),
    "the user deactivated on the admin site": Withdrawal(
        lambda writers, member: writers.site.submit(f"/admin/auth/user/{member.user}/change/", is_active=None),
        401,
        "User.objects.filter(pk={user}).update(is_active=True)",
    ),
    "the user deactivated by QuerySet.update": Withdrawal(
        by_orm("User.objects.filter(pk={user}).update(is_active=False)"),
        401,
        "User.objects.filter(pk={user}).update(is_active=True)",
    ),
    "the user no longer staff": Withdrawal(
        by_orm("User.objects.filter(pk={user}).update(is_staff=False)"),
        403,
        "User.objects.filter(pk={user}).update(is_staff=True)",
    ),
    "the user deleted": Withdrawal(by_orm("User.objects.get(pk={user}).delete()"), 401),
    "the permission withdrawn": Withdrawal(
        by_orm("User.objects.get(pk={user}).user_permissions.clear()"),
        403,
        "User.objects.get(pk={user}).user_permissions.add(Permission.objects.get(codename='view_tag'))",
    ),
    "the permission withdrawn on the admin site": Withdrawal(
        lambda writers, member: writers.site.submit(f"/admin/auth/user/{member.user}/change/", user_permissions=None),
        403,
    ),
    "the group's permission withdrawn": Withdrawal(
        by_orm("Group.objects.get(name='{name}').permissions.clear()"),
        403,
        "Group.objects.get(name='{name}').permissions.add(Permission.objects.get(codename='view_tag'))",
        by_group=True,
    ),
    "out of the group": Withdrawal(
        by_orm("User.objects.get(pk={user}).groups.clear()"),
        403,
        "User.objects.get(pk={user}).groups.add(Group.objects.get(name='{name}'))",
        by_group=True,
    ),
    "the group deleted": Withdrawal(by_orm("Group.objects.get(name='{name}').delete()"), 403, by_group=True),
}


@pytest.mark.parametrize("how", WITHDRAWALS)
def test_withdrawn_access_is_refused_at_once_though_the_answer_is_kept(
    writers: Writers, readers: list[Session], rows: Rows, new_member: Callable[..., Member], how: str
) -> None:
    withdrawal = WITHDRAWALS[how]
    member = new_member(by_group=withdrawal.by_group)
    sessions = with_key(readers, member.key)
    paths = [f"/api/tags/{rows.ids['tags']}/", "/api/tags/?limit=1"]
    ask_until_hit(sessions, *paths)
    etags = {path: sessions[0].get(path).headers["ETag"] for path in paths}

    withdrawal.withdraw(writers, member)

    for session in sessions:
        for path in paths:
            for headers in ({}, {"If-None-Match": etags[path]}, {"If-None-Match": "*"}):
                answer = session.get(path, headers=headers)
                assert answer.status_code == withdrawal.status, (path, headers)
                assert "ETag" not in answer.headers
    if withdrawal.restore:
        by_orm(withdrawal.restore)(writers, member)
        assert {session.get(path).status_code for session in sessions for path in paths} == {200}


def test_a_key_that_expires_is_refused_from_that_moment(
    readers: list[Session], rows: Rows, new_member: Callable[..., Member]
) -> None:
    path = f"/api/tags/{rows.ids['tags']}/"
    expiry = datetime.now(UTC) + timedelta(seconds=2)
    sessions = with_key(readers, new_member(expires_at=expiry).key)
    ask_until_hit(sessions, path)
    ask_until_hit(readers, path)
    first = sessions[0].get(path)

    while datetime.now(UTC) < expiry:
        for session in sessions:
            begun = datetime.now(UTC)
            status = session.get(path).status_code
            assert status == 401 or begun < expiry
            assert status == 200 or datetime.now(UTC) >= expiry

    for session in sessions:
        assert session.get(path).status_code == 401
        assert session.get(path, headers={"If-None-Match": "*"}).status_code == 401
        assert session.get("/api/tags/?limit=3").status_code == 401
    later = [reader.get(path) for reader in readers]
    assert all(is_hit(answer) for answer in later), "nothing was written meanwhile: the clock alone decides"
    assert later[0].headers["Date"] != first.headers["Date"], "what belongs to one request is not given again"


# What an answer depends on


def test_two_users_never_get_each_other_s_answer(
    readers: list[Session], rows: Rows, new_member: Callable[..., Member]
) -> None:
    members = [new_member(), new_member()]
    portfolio = f"/api/portfolios/{rows.ids['portfolios']}/"
    ask_until_hit(readers, portfolio, "/api/auth/me/", "/api/auth/tokens/")
    etag = readers[0].get(portfolio).headers["ETag"]

    for _ in range(2):
        for member in members:
            for session in with_key(readers, member.key):
                assert session.get("/api/auth/me/").json()["username"] == member.name
                assert [token["id"] for token in session.get("/api/auth/tokens/").json()["results"]] == [member.token]
                assert session.get(portfolio).status_code == 403
                assert session.get(portfolio, headers={"If-None-Match": etag}).status_code == 403
        for session in readers:
            assert session.get("/api/auth/me/").json()["username"] == "ada"
            assert session.get(portfolio).status_code == 200
            assert session.get(portfolio, headers={"Authorization": ""}).status_code == 401
            assert session.get(portfolio, headers={"Authorization": "Token unknown"}).status_code == 401


def test_two_hosts_never_get_each_other_s_answer(readers: list[Session], rows: Rows) -> None:
    """Absolute URLs tell the host; those of a ready document too, within an answer never asked for before."""
    port = urlsplit(readers[0].url).port
    for query in ("&limit=1", f"&order_max={next(numbers)}", f"&order_max={next(numbers)}"):
        for reader in readers:
            for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost"):
                answer = reader.get(f"/api/portfolios/?slug={rows.slug}{query}", headers={"Host": host})
                assert answer.json()["results"][0]["image_data"]["f"].startswith(f"http://{host}/media/")
            refused = reader.get(f"/api/portfolios/?slug={rows.slug}{query}", headers={"Host": "evil.example"})
            assert refused.status_code == 400


def test_two_encodings_never_get_each_other_s_answer(readers: list[Session], rows: Rows) -> None:
    path = f"/api/portfolios/{rows.ids['portfolios']}/"
    etags: dict[str, str] = {}
    for _ in range(2):
        for encoding in ("gzip", "identity", "br", "zstd"):
            for reader in readers:
                answer = reader.get(path, headers={"Accept-Encoding": encoding}, stream=True)
                raw = answer.raw.read(decode_content=False)
                assert answer.headers.get("Content-Encoding", "identity") == encoding
                assert (raw[:1] == b"{") == (encoding == "identity")
                assert len(raw) == int(answer.headers["Content-Length"])
                assert etags.setdefault(encoding, answer.headers["ETag"]) == answer.headers["ETag"]
    assert len(set(etags.values())) == 4
    for encoding, etag in etags.items():
        for other in etags:
            headers = {"Accept-Encoding": other, "If-None-Match": etag}
            statuses = {reader.get(path, headers=headers).status_code for reader in readers}
            assert statuses == {304 if other == encoding else 200}


@pytest.mark.django_db(transaction=True)
def test_two_schemes_never_get_each_other_s_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: the scheme is what the HTTP server says, and behind TLS that is another."""
    monkeypatch.setattr(snapshots, "documents", SnapshotCache(1_000_000))
    key = make_key(make_user("ada", is_superuser=True))
    tag = make_tag(name="print", image=make_image())
    front = SnapshotFront(Handler(), OneSnapshot(), SnapshotCache(1_000_000))  # type: ignore[arg-type]
    for _ in range(2):
        for scheme in ("http", "https"):
            for path, query in ((f"/api/tags/{tag.pk}/", ""), ("/api/tags/", "limit=1"), ("/api/tags/", "limit=2")):
                environ = {
                    "REQUEST_METHOD": "GET",
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "HTTP_HOST": "localhost",
                    "HTTP_AUTHORIZATION": f"Token {key}",
                    "wsgi.url_scheme": scheme,
                    "wsgi.input": BytesIO(),
                    "SERVER_NAME": "localhost",
                    "SERVER_PORT": "8000",
                }
                content = b"".join(front(environ, lambda *_: None)).decode()
                assert f'"f":"{scheme}://localhost/media/' in content
    assert len(front.cache.entries) == 6


class OneSnapshot:
    """Looks at a database in which nothing happens."""

    generation = 1

    def snapshot(self) -> int:
        return 1


def test_head_and_conditions_are_answered_alike_on_every_worker(readers: list[Session], rows: Rows) -> None:
    for path in [path for resource in TEXTS for path in rows.paths(resource)]:
        whole = readers[0].get(path)
        for reader in readers:
            head = reader.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["Content-Length"] == whole.headers["Content-Length"]
            same = reader.get(path, headers={"If-None-Match": whole.headers["ETag"]})
            assert (same.status_code, same.content) == (304, b"")
            assert "X-Folio-Keep" not in {*whole.headers, *head.headers, *same.headers}


# What breaks


def test_postgresql_restarts(
    postgresql: PostgreSQL | None, writers: Writers, readers: list[Session], rows: Rows
) -> None:
    if postgresql is None:
        pytest.skip("SQLite is a file.")
    pk, paths = rows.ids["portfolios"], rows.paths("portfolios")
    for mode in ("fast", "immediate"):
        WAYS["api"](writers, "portfolios", pk, f"before {mode}")
        ask_until_hit(readers, *paths)

        postgresql.stop(mode)
        conditions: list[dict[str, str]] = [{}, {"If-None-Match": "*"}]
        refused = {
            reader.get(path, headers=given).status_code for reader in readers for path in paths for given in conditions
        }
        postgresql.start()
        WAYS["SQL"](writers, "portfolios", pk, f"after {mode}")
        answers = [reader.get(path) for _ in range(5) for reader in readers for path in paths]

        assert refused == {503}, "nothing is served that can not be known to be true"
        assert {text_of("portfolios", answer.json()) for answer in answers} == {f"after {mode}"}
        ask_until_hit(readers, *paths)


def test_connections_that_an_administrator_ends(
    postgresql: PostgreSQL | None, writers: Writers, readers: list[Session], rows: Rows
) -> None:
    if postgresql is None:
        pytest.skip("SQLite is a file.")
    pk, paths = rows.ids["portfolios"], rows.paths("portfolios")
    for _ in range(3):
        ask_until_hit(readers, *paths)
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
        text = unique("after")
        with writers.database.connection() as execute:
            execute(f"SELECT pg_terminate_backend(pid, 10000) {others}")
            execute("UPDATE portfolios_portfolio SET excerpt = %s WHERE id = %s", text, pk)

        answers = [reader.get(path) for reader in readers for path in paths]

        assert {text_of("portfolios", answer.json()) for answer in answers} == {text}


def test_a_crash_in_the_middle_of_a_write(postgresql: PostgreSQL | None, tmp_path: Path) -> None:
    slug, before = unique("crash"), unique("before")
    with served(tmp_path, postgresql, "--workers", "2") as server:
        key = server.key
        api = server.session(key)
        tag = api.post("/api/tags/", json={"name": before}).json()["id"]
        path = f"/api/tags/{tag}/"
        ask_until_hit(connections_to_each_worker(server.url, key, 2), path, "/api/portfolios/")

        with ThreadPoolExecutor(2) as pool, Database(server).connection() as execute:
            # Both wait for their turn to write, in the middle of their transactions, when the workers are killed.
            if postgresql is None:
                execute("BEGIN IMMEDIATE")
            else:
                execute("BEGIN")
                execute("LOCK TABLE portfolios_tag, portfolios_portfoliotag IN ACCESS EXCLUSIVE MODE")
            body = {"title": slug, "slug": slug, "excerpt": "e", "tags": [tag]}
            requests_ = [
                pool.submit(failure, lambda: server.session(key).post("/api/portfolios/", json=body)),
                pool.submit(failure, lambda: server.session(key).patch(path, json={"name": "after"})),
            ]
            time.sleep(0.5)
            kill(server)
            assert [request.result(PATIENCE) for request in requests_] == ["ConnectionError"] * 2
            execute("ROLLBACK")

        with running_server(tmp_path, "--workers", "2", **server.variables) as again:
            for reader in connections_to_each_worker(again.url, key, 2):
                assert reader.get(path).json()["name"] == before
                assert reader.get(f"/api/portfolios/?slug={slug}").json()["count"] == 0
            assert again.session(key).patch(path, json={"name": "after"}).status_code == 200


def failure(task: Callable[[], Any]) -> str:
    """Return the name of the error that a task ends with."""
    try:
        return str(task())
    except Exception as error:
        return type(error).__name__


def workers_of(server: Server) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(server.process.pid)], check=True, capture_output=True, text=True)
    return [int(line) for line in listed.stdout.split()]


def kill(server: Server) -> None:
    """End the server's processes as a power cut would."""
    for pid in [*workers_of(server), server.process.pid]:
        os.kill(pid, 9)
    server.process.wait(PATIENCE)


def test_the_database_file_is_replaced_under_a_running_server(postgresql: PostgreSQL | None, tmp_path: Path) -> None:
    if postgresql is not None:
        pytest.skip("PostgreSQL keeps its files to itself.")
    with served(tmp_path, None, "--workers", "2") as server:
        key = server.key
        api, file = server.session(key), Database(server).file
        tag = api.post("/api/tags/", json={"name": "backed up"}).json()["id"]
        path = f"/api/tags/{tag}/"
        backup = tmp_path / "backup.sqlite3"
        with closing(sqlite3.connect(file)) as live, closing(sqlite3.connect(backup)) as copy:
            live.backup(copy)
        readers = connections_to_each_worker(server.url, key, 2)

        for step in range(3):
            assert api.patch(path, json={"name": f"after the backup {step}"}).status_code == 200
            assert api.post("/api/tags/", json={"name": f"made after the backup {step}"}).status_code == 201
            use_every_thread(server, key)
            ask_until_hit(readers, path, "/api/tags/")

            restore(backup, file)

            # Writes come first: they must go into the file that is there now, from whichever thread.
            made = use_every_thread(server, key)
            for reader in readers:
                for query in ("limit=50", f"limit=50&id_max={1000 + next(numbers)}"):
                    listed = [row["name"] for row in reader.get(f"/api/tags/?{query}").json()["results"]]
                    assert not [name for name in listed if "after the backup" in name]
                    assert sorted(name for name in listed if name in made) == sorted(made)
                assert reader.get(path).json()["name"] == "backed up"
            stored = Database(server).execute("SELECT name FROM portfolios_tag")
            assert sorted(name for (name,) in stored) == sorted(["backed up", *made])
            assert Database(server).execute("PRAGMA integrity_check") == [("ok",)]


def use_every_thread(server: Server, key: str) -> list[str]:
    """Write and read on many connections at once, so that all threads have used their database connections."""

    def use(number: int) -> str:
        session, name = server.session(key), unique("made")
        assert session.post("/api/tags/", json={"name": name}).status_code == 201
        assert session.get(f"/api/tags/?search={name}").json()["count"] == 1
        return name

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(use, range(16)))


def restore(backup: Path, file: Path) -> None:
    """Put a copy of the backup in the place of the database, as an operator would."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = file.with_name("copy.sqlite3")
    copy.write_bytes(backup.read_bytes())
    os.replace(copy, file)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


# Memory


def test_ten_thousand_different_queries_leave_the_memory_flat(postgresql: PostgreSQL | None, tmp_path: Path) -> None:
    bounds = {"FOLIO_RESPONSE_CACHE_SIZE": "4000000", "FOLIO_DOCUMENT_CACHE_SIZE": "2000000"}
    with served(tmp_path, postgresql, **bounds) as server:
        key = server.key
        make_rows(server.session(key))
        [worker] = workers_of(server)

        def ask(queries: range) -> None:
            with closing(HTTPConnection("127.0.0.1", urlsplit(server.url).port, timeout=PATIENCE)) as connection:
                for number in queries:
                    path = f"/api/tags/?id_max={10**6 + number // 4}&offset={number}"
                    connection.request("GET", path, headers={"Authorization": f"Token {key}", "Accept-Encoding": "br"})
                    answer = connection.getresponse()
                    answer.read()
                    assert answer.status == 200

        def ask_together(start: int, end: int) -> None:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(ask, [range(start + part, end, 4) for part in range(4)]))

        ask_together(0, 3_000)  # by now the caches are full
        full = memory_of(worker)
        ask_together(3_000, 10_000)

        assert memory_of(worker) - full < 4_000, "kilobytes"


def memory_of(pid: int) -> int:
    """Return the kilobytes that a process holds in memory."""
    listed = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True, text=True)
    return int(listed.stdout)
