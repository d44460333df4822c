"""From a clean copy to a running API in one command, and the commands of the README and other pages as they stand."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import is_on_postgresql
from tests.environment import ROOT, TEMPROOT
from tests.live import LATER, Session, link, new_database
from tests.papers import PAGES, Terminal, blocks_of, compared, run_page, shortened, terminal
from tests.postgresql import free_port

from .examples import settled

INSTALLED = 900  # seconds that the first installation may take on a slow line
pytestmark = pytest.mark.timeout(2 * INSTALLED)  # one waits for what another process of the suite installs
ALT = "The sign of the harbour bakery"  # what the tutorial says of its picture
QUICK = 30  # seconds that a start may take once everything is there, on a machine that does much else
# Packages come from this machine where it has them, and what is imported is compiled then: most of them never are.
FETCHING = {"PIP_NO_COMPILE": "1", "npm_config_prefer_offline": "true"}
README = (ROOT / "README.md").read_text()


def clean_environment(**variables: str) -> dict[str, str]:
    """Return an environment that knows nothing of this one's Python packages, nor of an installation of Folio."""
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != here)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == TEMPROOT
        or (
            not name.startswith(("FOLIO_", "DJANGO_", "PYTHON", "PYTEST", "MAKE", "COV"))
            and name not in {"DATABASE_URL", "VIRTUAL_ENV", "DATABASES", "PORT", "DATA"}
        )
    }
    base = str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
    return {**kept, "PATH": path, "PYTHON": base, **LATER, **FETCHING, **variables}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep the suite's other processes out: they share the copy, which is made and installed once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the suite have in common."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def copy(shared: Path) -> Path:
    """A clean copy of the repository, as a clone of its next commit would be."""
    copy = shared / "clean-copy"
    with locked(shared / "clean-copy.lock"):
        if not copy.exists():
            listed = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=ROOT,
                capture_output=True,
                check=True,
            )
            for name in filter(None, listed.stdout.decode().split("\0")):
                if (ROOT / name).is_file():  # a file that is about to be removed is listed still
                    (copy / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(ROOT / name, copy / name)
            if is_on_postgresql():
                lend_environment(copy)
    return copy


def lend_environment(copy: Path) -> None:
    """Let a copy have this environment, which `make` made of the same files: on SQLite it installs one of its own."""
    here = Path(sys.prefix)
    if (here / ".installed").exists() and here.parent == ROOT:
        (copy / ".venv").symlink_to(here)


def lend_packages(copy: Path) -> None:
    """Let a copy have the packages that only tests need, several hundred MB, of this environment.

    `make test` installed them here, on the way to this test. In the copy it finds that each is there in its version.
    """
    there = copy / ".venv" / Path(sysconfig.get_path("purelib")).relative_to(sys.prefix)
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if (there / entry.name).exists():
            continue
        if entry.is_dir():
            shutil.copytree(entry, there / entry.name, copy_function=link)
        else:
            link(str(entry), str(there / entry.name))


class Run:
    """A running `make run`, and what it has printed."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.process = process
        self.log = log
        self.url = f"http://127.0.0.1:{port}"

    @property
    def output(self) -> str:
        """What was printed, without what pip has to say of this machine."""
        lines = self.log.read_text().splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith(("Installing ", "WARNING: ", "[notice]")))

    def printed(self, name: str) -> str:
        found = re.search(rf"^  {name} +(\S.*)$", self.output, flags=re.MULTILINE)
        assert found, self.output
        return found[1]

    def wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output
            if f"Folio serves {self.url}" in self.output:
                try:
                    Session(self.url).get("/api/schema/", timeout=10)
                except OSError:
                    pass
                else:
                    return
            time.sleep(0.1)
        raise AssertionError(f"No answer within {seconds} seconds: {self.output}")


@contextmanager
def running(command: str, copy: Path, log: Path, port: int, environment: Mapping[str, str]) -> Iterator[Run]:
    """Run a command that serves until it is interrupted, and interrupt it as Ctrl+C does."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=copy,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Run(process, log, port)
    finally:
        os.killpg(process.pid, signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


@contextmanager
def make_run(copy: Path, folder: Path, database: Mapping[str, str]) -> Iterator[Run]:
    """Run `make run` with a port and a data folder."""
    port = free_port()
    command = f"make run PORT={port} DATA={folder / 'data'}"
    with running(command, copy, folder / f"{port}.log", port, clean_environment(**database)) as run:
        yield run


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    """The variable that names the installation's database, where that is not its own file."""
    with new_database(is_empty=True) as database:
        yield database


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("make-run")


@pytest.fixture(scope="module")
def first(shared: Path, copy: Path, folder: Path, database: dict[str, str]) -> Iterator[Run]:
    """The first `make run` of an installation; in a copy where nothing is installed, that installs Folio too."""
    with ExitStack() as stack:
        with locked(shared / "install.lock"):
            run = stack.enter_context(make_run(copy, folder, database))
            run.wait(INSTALLED)
        yield run


def bash(command: str, **options: Any) -> str:
    """Run a command as if pasted, and return its standard output."""
    with subprocess.Popen(
        ["bash", "-e", "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    ) as process:
        try:
            output, errors = process.communicate(timeout=INSTALLED)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what it waits for, such as a fetch from afar
            output, errors = process.communicate()
            errors += f"\nnot done within {INSTALLED} seconds"
    assert process.returncode == 0, f"{command}\n{output}\n{errors}"
    return output


def content(copy: Path, folder: Path, database: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return all that an installation holds but when its keys were used: its rows, and the names of its files."""
    environment = clean_environment(FOLIO_DATA_DIR=str(folder / "data"), **database)
    rows = bash(f"{copy}/.venv/bin/folio dumpdata --exclude sessions", env=environment)
    rows = re.sub(r'"last_used_at": [^,}]+', "", rows)
    return rows, sorted(str(path.relative_to(folder)) for path in (folder / "data" / "media").rglob("*"))


def printed_requests(run: Run) -> list[str]:
    """Return the commands that a run tells to try, in their order."""
    return [line.strip() for line in run.output.splitlines() if line.strip().startswith("curl ")]


def test_make_run_prints_the_address_and_an_admin(first: Run) -> None:
    assert first.printed("username") == "admin"
    assert len(first.printed("password")) >= 12
    assert first.printed("API key").startswith("folio_")
    assert first.printed("API docs") == f"{first.url}/api/docs/"
    assert first.printed("admin site") == f"{first.url}/admin/"
    assert "Traceback" not in first.output
    assert "WARNING" not in first.output
    assert "ERROR" not in first.output


def test_the_first_printed_request_is_a_websites(first: Run) -> None:
    curl = printed_requests(first)[0]

    answer = json.loads(bash(curl))

    assert curl == f"curl '{first.url}/api/public/portfolios/?limit=2'"
    assert len(answer["results"]) == 2
    assert Session(first.url).get(answer["results"][0]["cover"]["src"]).status_code == 200


def test_the_other_printed_request_works_as_pasted(first: Run) -> None:
    _, curl = printed_requests(first)

    answer = json.loads(bash(curl))
    status = bash(f"{curl} --silent --output /dev/null --write-out '%{{http_code}}'")

    assert first.printed("API key") in curl
    assert status == "200"
    assert len(answer["results"]) == 2
    assert answer["next"].startswith(f"{first.url}/api/portfolios/?")
    assert Session(first.url).get(answer["results"][0]["image_data"]["f"]).status_code == 200


@pytest.mark.parametrize("is_right", [True, False])
def test_the_printed_password_alone_opens_the_admin_site(first: Run, is_right: bool) -> None:
    session = Session(first.url)
    csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', session.get("/admin/login/").text)
    assert csrf
    password = first.printed("password") if is_right else "another"
    fields = {"username": "admin", "password": password, "csrfmiddlewaretoken": csrf[1]}

    response = session.post("/admin/login/?next=/admin/", data=fields, headers={"Referer": f"{first.url}/admin/login/"})

    assert response.status_code == 200
    assert [redirect.status_code for redirect in response.history] == ([302] if is_right else [])


def test_a_second_run_starts_quickly_and_changes_nothing(
    first: Run, copy: Path, folder: Path, database: dict[str, str]
) -> None:
    before = content(copy, folder, database)

    with make_run(copy, folder, database) as second:
        second.wait(QUICK)
        status = Session(second.url, first.printed("API key")).get("/api/portfolios/").status_code

    assert status == 200
    assert content(copy, folder, database) == before
    for word in ("Installing", "password", "key", "curl", "Migrating", "Importing", "No user exists"):
        assert word not in second.log.read_text()


@pytest.mark.any_database
def test_the_commands_of_the_readme_work_as_they_stand(shared: Path, copy: Path, tmp_path: Path) -> None:
    """Every block marked `sh` is run, in its order: the one that serves in the background, as in a first terminal.

    The port is another one, since 8000 may be taken here, and `make test` runs one file of the suite.
    """
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    [shown] = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", README, flags=re.M | re.DOTALL)]
    port = free_port()
    with ExitStack() as stack:
        environment = clean_environment(
            PORT=str(port), PYTEST="tests/access/test_permission_codes.py", DATABASES="sqlite"
        )
        outputs = []
        for block in blocks:
            command = block.replace("127.0.0.1:8000", f"127.0.0.1:{port}")
            if block == "make run\n":
                with locked(shared / "install.lock"):
                    run = stack.enter_context(running(command, copy, tmp_path / "readme.log", port, environment))
                    run.wait(INSTALLED)
                lend_packages(copy)
            else:
                outputs.append(bash(command, cwd=copy, env=environment))

    assert [block.split()[:2] for block in blocks if block.startswith("make")] == [["make", "run"], ["make", "test"]]
    answered = json.loads(outputs[0])
    assert json.dumps(settled(shortened(answered)), indent=1) == json.dumps(settled(shortened(shown)), indent=1)
    assert "The suite on" in outputs[-1]
    assert "100%" in outputs[-1]


def test_the_readme_is_short_and_says_what_a_run_prints(first: Run) -> None:
    [printed] = re.findall(r"^```text\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)

    def words(text: str) -> list[str]:
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
        return re.sub(r"(password    |folio_)\S*?(?='|$)", r"\1…", text, flags=re.MULTILINE).splitlines()

    assert len(README.splitlines()) < 120
    assert words(printed) == words(first.output)


def test_the_commands_count_what_the_sample_holds(first: Run) -> None:
    """Asked before the tutorial is run, which adds to it."""
    page = (ROOT / "docs/reference/commands.md").read_text()
    api = Session(first.url, first.printed("API key"))
    [loaded] = re.findall(r"^Loaded .*$", page, flags=re.MULTILINE)
    [images] = re.findall(r"^Images: (\d+), of them made anew", page, flags=re.MULTILINE)

    for number, resource in re.findall(r"(\d+) (\w+)", loaded):
        assert api.get(f"/api/{resource}/").json()["count"] == int(number), resource
    every = api.get("/api/media/?limit=100").json()["results"]
    assert sum(media["type"] == "image" or media.get("poster") is not None for media in every) == int(images)


@pytest.fixture
def newcomer(
    first: Run, copy: Path, folder: Path, tmp_path: Path, database: dict[str, str]
) -> Iterator[tuple[Terminal, Path]]:
    """A terminal beside the first run, in a folder that looks like the clone."""
    variables = {"FOLIO_DATA_DIR": str(folder / "data"), "API_KEY": first.printed("API key"), **database}
    with terminal(tmp_path, copy / ".venv", first.url, clean_environment(**variables)) as opened:
        yield opened, tmp_path


def test_pages_show_what_is_answered(first: Run, newcomer: tuple[Terminal, Path]) -> None:
    """The pages follow each other as their readers go: the website shows what the tutorial published.

    The examples of a server, and for Node, are run last.
    """
    opened, place = newcomer
    shown = 0
    for page in PAGES:
        for answer in run_page((ROOT / page).read_text(), opened):
            expected, answered = compared(answer)
            assert answered == expected, f"{page}, after\n{answer.commands}\n`make docs` renews the answers."
            shown += 1

    assert shown >= 10
    check_static_pages(place / "website")
    check_server(place, opened)
    if shutil.which("node"):
        works = json.loads(
            opened.run(
                "node -e 'import(\"./folio.mjs\").then(async (m) => console.log(JSON.stringify(await m.default())))'"
            )
        )
        assert [work["cover"]["alt"] for work in works if work["slug"] == "harbour-bakery"] == [ALT]
        assert all("description_html" in work and "gallery" in work for work in works)
    served = [line for line in blocks_of((ROOT / "docs/tutorial.md").read_text())[1].text.splitlines() if line]
    assert [line for line in served if line.replace("http://127.0.0.1:8000", first.url) not in first.output] == []


def check_static_pages(site: Path) -> None:
    """Look at what the static example built: every active work, pictures in several sizes, alt texts."""
    front = (site / "index.html").read_text()
    own = (site / "projects" / "harbour-bakery" / "index.html").read_text()

    assert len(list((site / "projects").iterdir())) == front.count("<h2>") > 10
    assert f'alt="{ALT}"' in front
    assert re.search(r'<source type="image/avif" srcset="http\S+_320.avif 320w, http\S+_640.avif 640w, ', own)
    assert re.search(r'<source type="image/jpeg" srcset="http\S+_320.jpg 320w, ', own)
    assert '<a href="https://harbourbakery.example/">Site</a>' in own
    pictures = re.findall(r"<img [^>]+>", front + own)
    assert len(pictures) > 20
    assert [picture for picture in pictures if not re.search(r' alt="[^"]+" width="\d+" height="\d+"', picture)] == []


def check_server(place: Path, opened: Terminal) -> None:
    """Look at what the example of a server answers: an active work, no draft, and what was changed a moment ago."""
    port = free_port()
    opened.run(f"PORT={port} python3 serve.py > serve.log 2>&1 & SITE=$!")
    site, api = Session(f"http://127.0.0.1:{port}"), Session(opened.server, opened.run("echo $KEY").strip())
    [work] = api.get("/api/portfolios/?slug=harbour-bakery").json()["results"]
    path, own = "/projects/harbour-bakery/", f"/api/portfolios/{work['id']}/"
    try:
        wait_for(site, path)
        assert work["title"] in site.get("/").text
        assert f"<h1>{work['title']}</h1>" in site.get(path).text
        api.patch(own, json={"title": "A <sign>"})
        assert "<h1>A &lt;sign&gt;</h1>" in site.get(path).text
        api.patch(own, json={"title": work["title"], "is_active": False})
        assert [site.get(url).status_code for url in (path, "/projects/none/", "/none/")] == [404] * 3
        assert work["title"] not in site.get("/").text
    finally:
        api.patch(own, json={"title": work["title"], "is_active": True})
        opened.run("kill $SITE; wait $SITE || true")


def wait_for(site: Session, path: str) -> None:
    for _ in range(200):
        try:
            site.get(path)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{path} did not answer")
