"""What compose.yaml starts, without an engine: Folio with its environment, beside what stands in for its services.

PostgreSQL is Debian's and made by the file that is mounted there, the bucket is moto's, and before both stand nginx and
Caddy with the files that are mounted there. Names, ports and passwords alone are of this test.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from ssl import create_default_context
from tempfile import TemporaryDirectory

import pytest
import yaml

from tests.caddy import LATEST, running_caddy
from tests.environment import ROOT, environment, run_folio
from tests.live import PATIENT, Session, lay_static_files, photograph
from tests.machines import Machine
from tests.nginx import find_nginx, nginx_user, replaced, running_nginx
from tests.postgresql import find_binaries, free_port, temporary_server
from tests.programs import found
from tests.s3 import BUCKET, CREDENTIALS, running_s3

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(900)]  # PostgreSQL, a server of its own

SERVICES = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
ENV = {"SITE": "127.0.0.1", "DATABASE_PASSWORD": "a1b2", "S3_PASSWORD": CREDENTIALS["AWS_SECRET_ACCESS_KEY"]}
PROMPT = 30


@dataclass
class Composed:
    """All of them, running."""

    port: int  # Caddy's
    certificate: Path
    folio: Machine
    key: str

    def session(self, key: str = "") -> Session:
        session = Session(f"https://127.0.0.1:{self.port}", key)
        session.verify = str(self.certificate)
        return session


def interpolated(service: str) -> dict[str, str]:
    """Return a service's environment as Compose would, from an .env of this test."""

    def value(match: "re.Match[str]") -> str:
        default = match[3] if match[2] == ":-" else ""
        return ENV.get(match[1], default)

    pattern = re.compile(r"\$\{(\w+)(:\?|:-)?([^}]*)\}")
    return {name: pattern.sub(value, str(text)) for name, text in SERVICES[service]["environment"].items()}


def make_database(binaries: Path, port: int, user: str) -> None:
    """Run the file that PostgreSQL's image runs when it is first started, in its way."""
    variables = {"PATH": f"{binaries}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": str(port)}
    variables |= {"POSTGRES_USER": user, "FOLIO_PASSWORD": interpolated("database")["FOLIO_PASSWORD"]}
    command = [str(ROOT / "deploy" / "make_database.sh")]
    subprocess.run(command, env=variables, check=True, capture_output=True, timeout=120)


def cache_file(port: int, folio: int, folder: Path) -> str:
    """Return nginx's file with ports and a folder of a test."""
    text = (ROOT / "deploy" / "nginx-media-cache.conf").read_text()
    for shown, own in {
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "http://folio:8000;": f"http://127.0.0.1:{folio};",
        "resolver 127.0.0.11 valid=5s ipv6=off;": "",
        "/var/cache/nginx/media": f"{folder}/media",
    }.items():
        text = replaced(text, shown, own)
    return text


@pytest.fixture(scope="module")
def composed() -> Iterator[Composed]:
    binaries, nginx, user = find_binaries(), find_nginx(), nginx_user()
    found(str(binaries) if binaries else None, "PostgreSQL", "postgresql-15")
    assert binaries is not None
    with ExitStack() as stack:
        temporary = TemporaryDirectory(prefix="folio-composed-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        folder.chmod(0o755)
        data, cache, caddy = (folder / name for name in ("data", "cache", "caddy"))
        for place in (data, cache, caddy):
            place.mkdir()
        if user is not None:
            os.chown(cache, user.pw_uid, user.pw_gid)
        lay_static_files(data)
        database = stack.enter_context(temporary_server(binaries))
        make_database(binaries, database.port, database.user)
        s3 = stack.enter_context(running_s3())
        s3.client.delete_bucket(Bucket=BUCKET)  # compose.yaml has a service that makes it
        variables = interpolated("folio") | {"FOLIO_TRUSTED_PROXIES": "127.0.0.1", "FOLIO_PUBLIC_READ": "on"} | PATIENT
        variables["DATABASE_URL"] = replaced(variables["DATABASE_URL"], "database:5432", f"127.0.0.1:{database.port}")
        variables["FOLIO_MEDIA"] = replaced(variables["FOLIO_MEDIA"], "http://s3:9000", s3.endpoint)
        variables |= {"FOLIO_PUBLIC_RATE": "5/hour", "FOLIO_TASKS_SECONDS": "3600"}
        for _ in range(2):  # it runs with each `up`
            made = subprocess.run(
                [sys.executable, str(ROOT / "deploy" / "make_bucket.py")],
                env=environment(data, **variables),
                capture_output=True,
                text=True,
                timeout=150,
            )
            assert (made.returncode, made.stdout) == (0, f"The bucket {BUCKET} is there.\n"), made.stderr
        command = SERVICES["folio"]["command"]
        assert command[:5] == ["serve", "--host", "0.0.0.0", "--port", "8000"]
        folio = Machine(free_port(), data, variables, tuple(command[5:]))
        stack.callback(folio.stop)
        folio.start()
        cached, front = free_port(), free_port()
        text = cache_file(cached, folio.port, cache)
        stack.enter_context(running_nginx(nginx, cache, text, user))
        told = {
            **interpolated("caddy"),
            "UPSTREAM": f"127.0.0.1:{folio.port}",
            "MEDIA_UPSTREAM": f"127.0.0.1:{cached}",
        }
        certificate = stack.enter_context(running_caddy(LATEST, caddy, front, free_port(), **told))
        key = run_folio("createtoken", "ada", "--admin", folder=data, variables=variables)
        assert key.returncode == 0, key.stderr
        yield Composed(front, certificate, folio, key.stdout.strip())


def test_folio_finds_its_database_and_its_bucket_as_they_should_be(composed: Composed) -> None:
    checked = run_folio(
        "check", "--fail-level", "WARNING", folder=composed.folio.folder, variables=composed.folio.variables
    )

    assert checked.returncode == 0, checked.stderr
    with composed.session() as session:
        assert session.get("/readyz").json()["status"] == "ready"


def test_a_picture_is_stored_listed_and_given_by_the_cache_while_folio_is_away(composed: Composed) -> None:
    with composed.session(composed.key) as session:
        stored = session.post("/api/media/", files={"file": ("china.jpg", photograph("china.jpg"))})
        assert stored.status_code == 201, stored.text
        path = "/media/" + stored.json()["f"].partition("/media/")[2]
        listed = session.get("/api/media/").json()["count"]
        answers = [session.get(path) for _ in range(2)]
        part = session.get(path, headers={"Range": "bytes=10-19"})
        same = session.get(path, headers={"If-None-Match": answers[0].headers["ETag"]})
        missing = [session.get("/media/2026/nothing.jpg") for _ in range(2)]
        composed.folio.stop()
        away = session.get(path)
        composed.folio.start()

    assert stored.json()["f"].startswith("https://127.0.0.1/media/")
    assert listed == 1
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT"]
    for answer in (*answers, away):
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.content == answers[0].content
    assert (part.status_code, part.content) == (206, answers[0].content[10:20])
    assert same.status_code == 304
    assert [answer.status_code for answer in missing] == [404, 404]
    assert "HIT" not in {answer.headers.get("X-Cache") for answer in missing}


def test_a_part_of_a_file_that_nobody_has_asked_for_is_right_too(composed: Composed) -> None:
    with composed.session(composed.key) as session:
        stored = session.post("/api/media/", files={"file": ("words.txt", b"0123456789" * 10_000)}).json()
        path = "/media/" + stored["f"].partition("/media/")[2]
        part = session.get(path, headers={"Range": "bytes=50005-50009"})
        whole = session.get(path)

    assert (part.status_code, part.content) == (206, b"56789")
    assert whole.content == b"0123456789" * 10_000


def test_clients_are_counted_by_their_own_addresses_whatever_they_say_of_themselves(composed: Composed) -> None:
    def status(number: int, source: str) -> int:
        context = create_default_context(cafile=str(composed.certificate))
        address = ("127.0.0.1", composed.port)
        connection = HTTPSConnection(*address, timeout=PROMPT, context=context, source_address=(source, 0))
        lies = {"X-Forwarded-For": f"8.8.8.{number}", "X_Forwarded_For": f"8.8.4.{number}"}
        connection.request("GET", f"/api/public/portfolios/?offset={number}", headers=lies)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    assert [status(number, "127.0.0.3") for number in range(12)][-2:] == [429] * 2, "5 for each of two workers at most"
    assert status(20, "127.0.0.4") == 200


def test_the_role_of_the_database_owns_that_and_nothing_more(composed: Composed) -> None:
    script = (
        "from django.db import connection as c; k = c.cursor(); "
        "k.execute('SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles '"
        "'WHERE rolname = current_user'); print(k.fetchone())"
    )
    told = run_folio("shell", "-c", script, folder=composed.folio.folder, variables=composed.folio.variables)

    assert "(False, False, False, False)" in told.stdout, told.stderr
