"""What `folio doctor` finds out of the way to a server: by nginx, set up well and in each wrong way."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from folio.server.examining import proxy
from folio.server.examining.findings import Finding, State
from folio.server.examining.reached import Reached
from tests.nginx import Front, behind_nginx, find_nginx, make_certificate, nginx_user, rendered, replaced, running_nginx
from tests.postgresql import free_port

pytestmark = pytest.mark.any_database  # of which nothing is asked
SECRET = "a-secret-key-of-the-tests-that-is-long-enough"
FORWARDED = "proxy_set_header X-Forwarded-For $remote_addr;"
HOST = "proxy_set_header Host $host;"
SERVED = "proxy_set_header X-Request-ID $folio_request_id;"
STARTED = 60  # seconds that nginx may take


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with behind_nginx(servers=1, FOLIO_SECRET_KEY=SECRET, FOLIO_MAX_UPLOAD_SIZE="10000000") as front:
        yield front


@pytest.fixture(autouse=True)
def same_installation(settings: Any) -> None:
    settings.SECRET_KEY = SECRET
    settings.MAX_UPLOAD_SIZE = 10_000_000


@contextmanager
def in_front_of(front: Front, *changes: tuple[str, str], tls: tuple[Path, Path] | None = None) -> Iterator[Reached]:
    """Run another nginx before the same server, whose file differs in these places."""
    socket, port, user = front.backends[0].socket, free_port(), nginx_user()
    text = rendered(port, [socket, socket.with_name("b.sock")], tls=tls)
    for old, new in changes:
        text = replaced(text, old, new)
    with TemporaryDirectory(prefix="folio-way-") as name:
        own = Path(name)
        own.chmod(0o755)
        if user is not None:
            os.chown(own, user.pw_uid, user.pw_gid)
        with running_nginx(find_nginx(), own, text, user):
            wait_for(port)
            yield Reached(f"http{'s' if tls else ''}://127.0.0.1:{port}", is_public=True)


def wait_for(port: int) -> None:
    end = time.monotonic() + STARTED
    while True:
        try:
            create_connection(("127.0.0.1", port), STARTED).close()
        except OSError:
            assert time.monotonic() < end, "nginx did not answer."
            time.sleep(0.05)
        else:
            return


def wrong(reached: Reached) -> list[Finding]:
    return [finding for finding in proxy.look(reached) if finding.state in {State.WARNING, State.FAULT}]


def test_says_what_is_right(front: Front) -> None:
    reached = Reached(front.url, is_public=True)

    assert [tuple(finding) for finding in proxy.look(reached)] == [
        ("ok", "Host arrives as 127.0.0.1, which is allowed.", ""),
        ("ok", "X-Forwarded-For arrives from unix: Folio takes this client for 127.0.0.1.", ""),
        ("ok", "How clients come, FOLIO_PUBLIC_URL says; X-Forwarded-Proto is not needed.", ""),
        ("ok", "Authorization, cookies, conditions, Range and Idempotency-Key arrive as they are sent.", ""),
        ("ok", "Nothing is kept on the way that must not be.", ""),
        ("ok", "POST, PUT, PATCH, DELETE get to Folio.", ""),
        ("ok", "An upload of FOLIO_MAX_UPLOAD_SIZE (9.5 MB) may pass, as far as its head tells.", ""),
        ("ok", "The proxy takes a body in before Folio hears of it.", ""),
    ]


def test_a_body_limit_that_is_too_small_is_told_with_what_passes(front: Front) -> None:
    with in_front_of(front, ("client_max_body_size 101m;", "client_max_body_size 1m;")) as reached:
        [found] = wrong(reached)

    assert found.state == "fault"
    assert found.text.startswith(
        "An upload of FOLIO_MAX_UPLOAD_SIZE (9.5 MB) is answered 413 on the way; what passes is about "
    )
    assert 950 <= float(found.text.split()[-2].replace(",", "")) <= 1024
    assert found.text.endswith(" KB.")
    assert found.mend == "nginx: client_max_body_size 10m; (deploy/nginx.conf has it)."


@pytest.mark.parametrize(
    ("old", "new", "state", "text", "mend"),
    [
        (
            FORWARDED,
            "",
            "fault",
            "The proxy passes on what a client says of its own address",
            FORWARDED,
        ),
        (
            FORWARDED,
            'proxy_set_header X-Forwarded-For "";',
            "fault",
            "X-Forwarded-For does not arrive: all clients look like one",
            FORWARDED,
        ),
        (
            HOST,
            "proxy_set_header Host folio_inside;",
            "fault",
            "Host arrives as folio_inside, which is not allowed",
            HOST,
        ),
        (
            SERVED,
            f'{SERVED} proxy_set_header Authorization "";',
            "fault",
            "Authorization does not arrive: no key works.",
            "Have the proxy pass that header.",
        ),
        (
            SERVED,
            f'{SERVED} proxy_set_header Range ""; proxy_set_header If-None-Match "";',
            "warning",
            "If-None-Match, Range do not arrive as sent.",
            "Have the proxy pass headers as they come",
        ),
        (
            "proxy_request_buffering on;",
            "proxy_request_buffering off;",
            "warning",
            "Folio hears of an upload before its body is there",
            "proxy_request_buffering on;",
        ),
        (
            "proxy_http_version 1.1;",
            "proxy_http_version 1.0;",
            "warning",
            "The proxy speaks HTTP/1.0 with Folio",
            "proxy_http_version 1.1;",
        ),
        (
            SERVED,
            f"{SERVED} expires 1h;",
            "warning",
            "Cache-Control: no-store becomes 'max-age=3600' on the way.",
            "Have the proxy leave Cache-Control alone",
        ),
        (
            SERVED,
            f"{SERVED} if ($request_method = DELETE) {{ return 405; }}",
            "fault",
            "DELETE (405) does not get to Folio.",
            "Have the proxy let all methods pass.",
        ),
    ],
    ids=lambda value: value if value in {"warning", "fault"} else "",
)
def test_names_what_is_wrong_and_the_line_that_mends_it(
    front: Front, old: str, new: str, state: str, text: str, mend: str
) -> None:
    with in_front_of(front, (old, new)) as reached:
        [found] = wrong(reached)

    assert found.state == state
    assert found.text.startswith(text)
    assert mend in found.mend


def test_an_answer_that_is_kept_on_the_way_is_a_fault(front: Front) -> None:
    kept = (
        f"{SERVED} proxy_cache kept; proxy_cache_valid 200 1m; proxy_cache_key $uri; "
        "proxy_ignore_headers Cache-Control;"
    )
    with TemporaryDirectory(prefix="folio-kept-") as folder:
        Path(folder).chmod(0o777)
        zone = f"proxy_cache_path {folder}/kept keys_zone=kept:1m; limit_conn_status 429;"
        with in_front_of(front, (SERVED, kept), ("limit_conn_status 429;", zone)) as reached:
            found = wrong(reached)

    assert "An answer is kept on the way that says Cache-Control: no-store: one reader may get another's." in [
        each.text for each in found
    ]


def test_a_server_with_another_secret_key_is_told_of(front: Front, settings: Any) -> None:
    settings.SECRET_KEY = SECRET[::-1]

    [found] = wrong(Reached(front.url, is_public=True))

    assert found.state == "fault"
    assert found.text.startswith("The server there has another secret key than this environment")


def test_a_proxy_that_reaches_no_server_is_told_of(front: Front) -> None:
    with in_front_of(front, (f"unix:{front.backends[0].socket}", "unix:/run/nobody.sock")) as reached:
        [found] = wrong(reached)

    assert found.text == (
        f"{reached.url}/api/doctor/ answers 502: the proxy does not reach a server, or that has its hands full."
    )


def test_an_address_at_which_nobody_listens_is_told_of() -> None:
    url = f"http://127.0.0.1:{free_port()}"

    [found] = proxy.look(Reached(url, is_public=True))
    [server] = proxy.look_at_server(Reached(url, is_public=True))

    assert found.text == f"Nothing could be asked through {url}: connection refused."
    assert server.text == f"No server answers at {url}: connection refused."
    assert {found.state, server.state} == {"fault"}


def test_a_proxy_that_keeps_readyz_to_itself_is_told_of(front: Front) -> None:
    served = "location / {\n"
    with in_front_of(front, (served, f"location = /readyz {{ return 403; }}\n    {served}")) as reached:
        found = list(proxy.look_at_server(reached))

    assert found[0].state == "warning"
    assert found[0].text.startswith(f"{reached.url}/readyz answers 403, and not as Folio does")


def test_a_certificate_is_looked_at(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory(prefix="folio-certificate-") as folder:
        Path(folder).chmod(0o755)  # it is read by nginx's user
        certificate, key = make_certificate(Path(folder))
        with in_front_of(front, tls=(certificate, key)) as reached:
            refused = wrong(reached)
            monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
            found = list(proxy.look(reached))

    assert [each.text.rpartition(": ")[0] for each in refused] == [
        f"Nothing could be asked through {reached.url}: its certificate is refused"
    ]
    assert found[0] == Finding(
        State.WARNING, "The certificate ends in 1 days.", "Renew it, and see why that does not go by itself."
    )
    assert {each.state for each in found[1:]} == {"ok"}
    assert found[-1].text == "The proxy takes a body in before Folio hears of it."


def test_a_proxy_that_folio_does_not_believe_is_named() -> None:
    with behind_nginx(servers=1, FOLIO_SECRET_KEY=SECRET, FOLIO_TRUSTED_PROXIES="10.9.9.9") as front:
        [found] = [each for each in wrong(Reached(front.url, is_public=True)) if "X-Forwarded-For" in each.text]

    assert found.text == (
        "X-Forwarded-For arrives and is not believed, as it comes from unix: all clients look like one."
    )
    assert found.mend.startswith("Put unix into FOLIO_TRUSTED_PROXIES, and restart the server.")
