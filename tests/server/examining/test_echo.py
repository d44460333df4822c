"""What arrives of a request is told to the doctor alone."""

import time
from typing import Any

import pytest

from folio.server.echo import PATH, TOKEN, headers_of, new_token, nonce_of
from folio.server.health import Health
from folio.server.requests import Requests
from tests.wsgi import Answer, ask

pytestmark = pytest.mark.any_database


def elsewhere(environ: Any, start_response: Any) -> list[bytes]:
    start_response("404 Not Found", [])
    return [b"unknown"]


def asked(path: str = PATH, method: str = "GET", **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return ask(Requests(elsewhere, Health([])), method, path, headers=names)


def test_tells_what_arrived() -> None:
    token = new_token()
    nonce = nonce_of(token)
    assert nonce is not None

    answer = ask(
        Requests(elsewhere, Health([])),
        "PUT",
        f"{PATH}?a=b",
        headers={**headers_of(nonce), TOKEN: token, "X-Forwarded-For": "203.0.113.7", "Host": "evil.example"},
        REMOTE_ADDR="192.0.2.1",
    )

    told = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert told["nonce"] == nonce
    assert (told["method"], told["path"], told["query"]) == ("PUT", PATH, "a=b")
    assert (told["host"], told["host_is_allowed"]) == ("evil.example", False)
    assert (told["peer"], told["client"], told["forwarded_for"]) == ("192.0.2.1", "192.0.2.1", "203.0.113.7")
    assert told["missing"] == []


def test_says_which_headers_are_other_than_they_were_sent_and_never_what_they_hold() -> None:
    answer = asked(X_Folio_Doctor=new_token(), Authorization="Token folio_secret", Cookie="sessionid=s3cr3t")

    assert {"Authorization", "Cookie", "Range"} < set(answer.json()["missing"])
    assert b"secret" not in answer.content
    assert b"s3cr3t" not in answer.content


@pytest.mark.parametrize("token", ["", "a", "a:b:c", "x" * 10_000, "\xff:\xff:\xff"])
def test_without_a_token_the_address_is_as_unknown_as_any(token: str) -> None:
    assert asked(X_Folio_Doctor=token).content == b"unknown"
    assert asked().content == b"unknown"


def test_a_token_is_good_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    token, now = new_token(), time.time()
    assert asked(X_Folio_Doctor=token).status_code == 200

    monkeypatch.setattr("time.time", lambda: now + 62)

    assert asked(X_Folio_Doctor=token).content == b"unknown"


def test_a_token_of_another_installation_is_none(settings: Any) -> None:
    settings.SECRET_KEY = "another"
    token = new_token()
    settings.SECRET_KEY = "this-one"

    assert asked(X_Folio_Doctor=token).content == b"unknown"


def test_other_addresses_answer_as_ever() -> None:
    assert asked("/api/tags/", X_Folio_Doctor=new_token()).content == b"unknown"
