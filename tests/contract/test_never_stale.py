"""A read that begins after a write was acknowledged shows it: whoever wrote, by whatever way, on every worker."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live import Server, Session
from tests.postgresql import Server as PostgreSQL
from tests.readers import ask_until_hit, connections_to_each_worker, is_hit, key_of, with_key
from tests.writers import TEXTS, WAYS, Rows, Writers, make_rows, shown_at, text_of

from .installations import at_rest, numbers, writers_at_rest
from .made import unique
from .members import WITHDRAWALS, Member, by_orm


@pytest.fixture(scope="module")
def writers(postgresql: PostgreSQL | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writers]:
    with writers_at_rest(tmp_path_factory.mktemp("live"), postgresql) as writers:
        yield writers


@pytest.fixture(scope="module")
def server(writers: Writers) -> Server:
    return writers.server


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
            public = f"/api/public/portfolios/?slugs={rows.slug}&limit={next(numbers) % 100 + 1}"
            if resource in shown_at(public, ""):
                assert text_of(resource, reader.get(public).json()) == text


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
    "a portfolio that visitors see": (
        "/api/public/facets/",
        "Portfolio.objects.create(title='comes', slug='comes', excerpt='x')",
        "Portfolio.objects.filter(slug='comes').delete()",
    ),
    "what is published": (
        "/api/public/portfolios/?limit=100",
        "Portfolio.objects.filter(slug='{slug}').update(is_active=False)",
        "Portfolio.objects.filter(slug='{slug}').update(is_active=True)",
    ),
    "a tag that visitors see": (
        "/api/public/tags/",
        "Portfolio.objects.get(slug='{slug}').tags.add(Tag.objects.create(name='comes-and-goes'))",
        "Tag.objects.filter(name='comes-and-goes').delete()",
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


# Who may read


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


PATIENCE = 60  # seconds until a database that is back is known to be


def wait_until_answered(readers: list[Session], paths: Sequence[str]) -> None:
    """Wait until each worker that a reader may be answered by has found that the database is back."""
    end = time.monotonic() + PATIENCE
    in_a_row = 0
    while in_a_row < 5:
        assert time.monotonic() < end
        statuses = {reader.get(path).status_code for reader in readers for path in paths}
        assert statuses <= {200, 503}
        in_a_row = in_a_row + 1 if statuses == {200} else 0
        time.sleep(0.1)


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
        told = [answer for answer in answers if answer.status_code != 503]  # for a second nobody tries
        assert {text_of("portfolios", answer.json()) for answer in told} <= {f"after {mode}"}
        wait_until_answered(readers, paths)
        answers = [reader.get(path) for _ in range(5) for reader in readers for path in paths]
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
