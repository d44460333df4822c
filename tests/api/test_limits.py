"""How often one may ask for what has to be computed, and write; what is told of it, and what is not counted."""

from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext

from folio.portfolios.models import Tag
from tests.api.keyed import KEY as IDEMPOTENCY_KEY
from tests.conftest import Client
from tests.delivery.fronts import Front
from tests.environment import settings_of
from tests.factories import draw, make_key, make_portfolio, make_tag
from tests.snapshots.stage import StubLooks

LIST = "/api/tags/"
POLICY, LIMIT = "RateLimit-Policy", "RateLimit"
HEADERS = {POLICY, LIMIT}


@pytest.fixture(autouse=True)
def path(settings: Any, tmp_path: Path) -> Path:
    settings.RATES_PATH = tmp_path / "rates"
    settings.RATE, settings.WRITE_RATE = (3, 3600), (2, 60)
    return tmp_path / "rates"


@pytest.fixture
def client(client_for: Callable[..., Client], editor: User) -> Client:
    return client_for(editor)


def limits(answer: Any) -> tuple[str | None, str | None]:
    return answer.headers.get(POLICY), answer.headers.get(LIMIT)


def statuses(ask: Callable[[], Any], times: int) -> list[int]:
    return [ask().status_code for _ in range(times)]


# By key


def test_the_fourth_read_is_told_when_to_ask_again(client: Client) -> None:
    answers = [client.get(LIST) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [limits(answer) for answer in answers] == [
        ('"reads";q=3;w=3600', '"reads";r=2;t=1200'),
        ('"reads";q=3;w=3600', '"reads";r=1;t=2400'),
        ('"reads";q=3;w=3600', '"reads";r=0;t=1200'),
        ('"reads";q=3;w=3600', '"reads";r=0;t=1200'),
    ]
    assert answers[3].headers["Retry-After"] == "1200"
    assert answers[3].json() == {
        "detail": "Too many reads by this key: 3 in 3600 seconds are heard. Ask again in 1200 seconds."
    }
    assert all("Retry-After" not in answer.headers for answer in answers[:3])


def test_writes_are_counted_apart_and_nothing_of_a_refused_one_is_kept(client: Client) -> None:
    answers = [client.post(LIST, {"name": f"tag {number}"}) for number in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert limits(answers[0]) == ('"writes";q=2;w=60', '"writes";r=1;t=30')
    assert limits(answers[2]) == ('"writes";q=2;w=60', '"writes";r=0;t=30')
    assert answers[2].headers["Retry-After"] == "30"
    assert Tag.objects.count() == 2
    assert client.get(LIST).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_every_method_that_changes_is_a_write(client: Client, method: str) -> None:
    url = f"{LIST}{make_tag().pk}/"
    for _ in range(2):
        getattr(client, method)(url, {"name": "x"})

    assert getattr(client, method)(url, {"name": "x"}).status_code == 429


def test_an_upload_is_a_write_whose_refusal_stores_nothing(client: Client, media_root: Path) -> None:
    def upload() -> Any:
        return client.post("/api/media/", {"file": SimpleUploadedFile("a.png", draw())}, format="multipart")

    assert statuses(upload, 3) == [201, 201, 429]
    assert len([path for path in media_root.rglob("*.png") if "thumbnails" not in path.parts]) == 2


def test_each_key_has_a_count_of_its_own_and_so_has_each_of_one_owner(
    client_for: Callable[..., Client], editor: User, admin: User
) -> None:
    clients = [client_for(editor), client_for(editor), client_for(admin)]

    for client in clients:
        assert statuses(lambda client=client: client.get(LIST), 4) == [200, 200, 200, 429]  # type: ignore[misc]


def test_a_wrong_key_is_counted_as_nobodys(client: Client) -> None:
    wrong = Client(HTTP_AUTHORIZATION="Token folio_wrong")

    assert statuses(lambda: wrong.get(LIST), 10) == [401] * 10
    assert statuses(lambda: Client().get(LIST), 10) == [401] * 10
    assert statuses(lambda: client.get(LIST), 3) == [200] * 3


def test_a_key_that_opens_nothing_any_more_is_nobodys(client_for: Callable[..., Client], editor: User) -> None:
    revoked = client_for(editor)
    editor.tokens.all().delete()

    assert statuses(lambda: revoked.get(LIST), 10) == [401] * 10


def test_what_a_key_may_not_do_is_counted_too(client_for: Callable[..., Client], staff: User) -> None:
    client = client_for(staff)

    answers = [client.get(LIST) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [403, 403, 403, 429]
    assert limits(answers[0])[1] == '"reads";r=2;t=1200'


def test_errors_tell_of_the_limit(client: Client) -> None:
    assert limits(client.get(f"{LIST}999/"))[1] == '"reads";r=2;t=1200'
    assert limits(client.get(f"{LIST}?no=such"))[1] == '"reads";r=1;t=2400'
    assert limits(client.post(LIST, {}))[1] == '"writes";r=1;t=30'


def test_off_counts_nobody(client: Client, settings: Any, path: Path) -> None:
    settings.RATE = settings.WRITE_RATE = None

    answers = [*(client.get(LIST) for _ in range(5)), *(client.post(LIST, {"name": str(n)}) for n in range(5))]

    assert [answer.status_code for answer in answers] == [200] * 5 + [201] * 5
    assert all(not HEADERS & set(answer.headers) for answer in answers)
    assert not path.exists()


def test_where_nothing_can_be_counted_all_are_heard(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.RATES_PATH = tmp_path / "no" / "such" / "folder"

    answers = [client.get(LIST) for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert not HEADERS & set(answers[0].headers)


def test_counting_writes_nothing_to_the_database(client: Client) -> None:
    with CaptureQueriesContext(connection) as found:
        assert statuses(lambda: client.get(LIST), 4) == [200, 200, 200, 429]

    assert {query["sql"].split()[0] for query in found.captured_queries} == {"SELECT"}


def test_a_refused_request_asks_no_more_than_whose_it_is(client: Client) -> None:
    statuses(lambda: client.get(LIST), 3)
    with CaptureQueriesContext(connection) as found:
        assert client.get(LIST).status_code == 429

    assert len(found.captured_queries) == 1


def test_the_count_is_not_kept_with_an_answer_to_an_idempotency_key(client: Client, settings: Any) -> None:
    settings.WRITE_RATE = (3, 60)

    def post() -> Any:
        return client.post(LIST, {"name": "once"}, HTTP_IDEMPOTENCY_KEY=IDEMPOTENCY_KEY)

    answers = [post() for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert [limits(answer)[1] for answer in answers[:3]] == [
        f'"writes";r={left};t={t}' for left, t in ((2, 20), (1, 40), (0, 20))
    ]
    settings.WRITE_RATE = None
    assert post().headers["Idempotency-Replayed"] == "true"


# Without a key


@pytest.fixture
def proxied(settings: Any) -> Callable[[str, str], Any]:
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.7")]

    def ask(address: str, url: str = LIST, **more: Any) -> Any:
        return Client(REMOTE_ADDR="10.0.0.7", HTTP_X_FORWARDED_FOR=address, **more).get(url)

    return ask


@pytest.mark.parametrize("url", [LIST, "/api/schema/", "/api/docs/"])
def test_without_a_named_proxy_no_address_is_counted(db: None, url: str) -> None:
    assert 429 not in statuses(lambda: Client().get(url), 10)


@pytest.mark.parametrize(("url", "status"), [(LIST, 401), ("/api/schema/", 200), ("/api/docs/", 200)])
def test_behind_one_each_address_is(db: None, proxied: Callable[..., Any], url: str, status: int) -> None:
    answers = [proxied("198.51.100.1", url) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [status] * 3 + [429]
    assert limits(answers[0]) == ('"reads";q=3;w=3600', '"reads";r=2;t=1200')
    assert answers[3].json()["detail"].startswith("Too many reads from this address: ")
    assert proxied("198.51.100.2", url).status_code == status


def test_wrong_keys_are_counted_by_address(db: None, proxied: Callable[..., Any]) -> None:
    def ask() -> Any:
        return proxied("198.51.100.1", HTTP_AUTHORIZATION=f"Token folio_wrong{next(numbers)}")

    numbers = iter(range(100))

    assert statuses(ask, 5) == [401, 401, 401, 429, 429]


def test_whoever_has_a_key_is_not_counted_by_the_address(proxied: Callable[..., Any], editor: User) -> None:
    """Else what an office's program asks would keep out a colleague, and a stranger there both."""
    statuses(lambda: proxied("198.51.100.1"), 4)
    keys = [make_key(editor), make_key(editor)]

    for key in keys:
        ask = lambda key=key: proxied("198.51.100.1", HTTP_AUTHORIZATION=f"Token {key}")  # noqa: E731
        assert statuses(ask, 4) == [200, 200, 200, 429]


def test_signing_in_has_a_count_of_its_own(db: None, proxied: Callable[..., Any], settings: Any) -> None:
    settings.WRITE_RATE = (1, 3600)
    body = {"username": "nora", "password": "wrong"}

    def sign_in() -> Any:
        return Client(REMOTE_ADDR="10.0.0.7", HTTP_X_FORWARDED_FOR="198.51.100.1").post("/api/auth/token/", body)

    answers = [sign_in() for _ in range(6)]

    assert [answer.status_code for answer in answers] == [400] * 5 + [429]
    assert answers[5].json()["detail"].startswith("Too many failed attempts to sign in.")
    assert all(not HEADERS & set(answer.headers) for answer in answers)


def test_people_at_work_in_the_admin_site_are_not_counted(site: Site, settings: Any, path: Path) -> None:
    settings.RATE = settings.WRITE_RATE = (1, 3600)

    assert statuses(lambda: site.get("/admin/"), 5) == [200] * 5
    assert statuses(lambda: site.post("/admin/portfolios/tag/add/", {"name": "x", "slug": "x"}), 3) != [429] * 3
    assert not path.exists()


# What lies in memory


@pytest.mark.django_db(transaction=True)
def test_what_memory_answers_is_neither_counted_nor_refused(admin: User) -> None:
    looks = StubLooks()
    front = Front(looks)
    headers = {"Authorization": f"Token {make_key(admin)}"}

    def ask(url: str, **more: str) -> Any:
        return front.ask(url, headers={**headers, **{name.replace("_", "-"): value for name, value in more.items()}})

    first = ask(LIST)
    assert limits(first) == ('"reads";q=3;w=3600', '"reads";r=2;t=1200')
    known = first.headers["ETag"]
    hits = [ask(LIST) for _ in range(5)] + [ask(LIST, If_None_Match=known) for _ in range(5)]
    assert [hit.status_code for hit in hits] == [200] * 5 + [304] * 5
    assert all(not HEADERS & set(hit.headers) for hit in hits), "one request's count is never told to another"
    assert limits(ask("/api/employers/"))[1] == '"reads";r=1;t=2400'
    assert limits(ask("/api/employers/?limit=5"))[1] == '"reads";r=0;t=1200'

    assert ask("/api/employers/?limit=6").status_code == 429
    assert [ask(LIST).status_code, ask(LIST, If_None_Match=known).status_code] == [200, 304]
    assert ask("/api/employers/?limit=6").status_code == 429, "a refusal is not kept"
    looks.number = (looks.number or 0) + 1
    assert ask(LIST).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_a_304_that_had_to_be_computed_is_counted_and_tells_so(admin: User) -> None:
    looks = StubLooks()
    front = Front(looks)
    headers = {"Authorization": f"Token {make_key(admin)}"}
    known = front.ask(LIST, headers=headers).headers["ETag"]
    looks.number = (looks.number or 0) + 1

    answer = front.ask(LIST, headers={**headers, "If-None-Match": known})

    assert (answer.status_code, answer.headers[LIMIT]) == (304, '"reads";r=1;t=2400')


# What visitors read


@pytest.mark.django_db
def test_public_reads_tell_of_their_rate_and_are_no_ones_reads(settings: Any) -> None:
    settings.PUBLIC_READ, settings.PUBLIC_RATE, settings.RATE = True, (2, 60), (1, 3600)
    make_portfolio(slug="sign")
    front = Front()

    answers = [front.ask(url) for url in ("portfolios/", "portfolios/none/", "portfolios/sign/")]

    assert [answer.status_code for answer in answers] == [200, 404, 429]
    assert [limits(answer) for answer in answers] == [
        ('"public";q=2;w=60', '"public";r=1;t=30'),
        ('"public";q=2;w=60', '"public";r=0;t=30'),
        ('"public";q=2;w=60', '"public";r=0;t=30'),
    ]
    settings.PUBLIC_RATE = None
    assert not HEADERS & set(front.ask("portfolios/sign/").headers)


@pytest.mark.django_db(transaction=True)
def test_what_memory_tells_visitors_says_nothing_of_anothers_count(settings: Any) -> None:
    settings.PUBLIC_READ, settings.PUBLIC_RATE = True, (9, 60)
    front = Front(StubLooks())

    first = front.ask("tags/", REMOTE_ADDR="203.0.113.5")
    second = front.ask("tags/", REMOTE_ADDR="203.0.113.6")

    assert set(first.headers) >= HEADERS
    assert first.content == second.content
    assert not HEADERS & set(second.headers)
    assert first.headers["ETag"] == second.headers["ETag"]


# Settings


def test_the_limits_are_on_and_generous(tmp_path: Path) -> None:
    found = settings_of(tmp_path)

    assert found["RATE"] == found["WRITE_RATE"] == (6000, 60)
    assert found["REDIS_URL"] == ""
    assert settings_of(tmp_path, FOLIO_RATE="off", FOLIO_WRITE_RATE="none")["RATE"] is None
    assert settings_of(tmp_path, FOLIO_RATE="", FOLIO_WRITE_RATE="10/second")["WRITE_RATE"] == (10, 1)


@pytest.mark.parametrize("name", ["FOLIO_RATE", "FOLIO_WRITE_RATE"])
@pytest.mark.parametrize("value", ["600", "0/minute", "-1/minute", "6000 per minute", "on"])
def test_another_rate_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is .*such as 600/minute, or off"):
        settings_of(tmp_path, **{name: value})


@pytest.mark.parametrize(
    "value",
    [
        "redis://127.0.0.1",
        "redis://10.0.0.5:6379/2",
        "redis://:pa%40ss@redis.internal:6380/0",
        "rediss://folio:secret@redis.internal/?db=3&ssl_ca_certs=/etc/ssl/redis.pem",
        "redis://[::1]:6379",
        "unix:///run/redis/redis.sock",
        "unix://:secret@/run/redis/redis.sock?db=1",
    ],
)
def test_a_redis_is_named_by_its_address(tmp_path: Path, value: str) -> None:
    assert settings_of(tmp_path, FOLIO_REDIS_URL=f" {value} ")["REDIS_URL"] == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("10.0.0.5:6379", "it must begin with redis://, rediss:// or unix://"),
        ("http://:secret@10.0.0.5", "it must begin with redis://, rediss:// or unix://"),
        ("redis+sentinel://:secret@a", "it must begin with redis://, rediss:// or unix://"),
        ("redis://", "it must name a host"),
        ("redis://:secret@:6379/0", "it must name a host"),
        ("redis://a:0", "it must name a host"),
        ("redis://a:99999", "it is no address"),
        ("redis://:secret@[::1", "it is no address"),
        ("redis://a/zero", "its database must be a number"),
        ("redis://a?db=-1", "its database must be a number"),
        ("redis://a?db=1&db=2", "what follows `?` may be db, each once"),
        ("redis://a?socket_timeout=600", "what follows `?` may be db, each once"),
        ("redis://a?db", "it is no address"),
        ("rediss://a?ssl_cert_reqs=none", "what follows `?` may be db, ssl_ca_certs, ssl_certfile, ssl_keyfile"),
        ("unix://run/redis.sock", "a unix socket is named by its whole path"),
        ("unix://", "a unix socket is named by its whole path"),
    ],
)
def test_what_is_no_redis_is_refused_without_its_password(tmp_path: Path, value: str, reason: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        settings_of(tmp_path, FOLIO_REDIS_URL=value)

    told = str(caught.value)
    assert told.startswith("FOLIO_REDIS_URL is ")
    assert reason in told
    assert "redis://:password@10.0.0.5:6379/0" in told, "what would be right"
    assert "secret" not in told


def test_a_redis_without_what_speaks_with_it_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = partial(settings_of, tmp_path)
    monkeypatch.setattr("folio.places.find_spec", lambda name: None)
    assert settings()["REDIS_URL"] == ""

    with pytest.raises(ImproperlyConfigured, match=r"pip install --require-hashes -r requirements/extras\.txt"):
        settings(FOLIO_REDIS_URL="redis://127.0.0.1")
