"""The package as others get it: built, installed where nothing else is, and tried out from an empty folder."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import requests

import folio
from tests.environment import ROOT, environment
from tests.factories import draw
from tests.live import LATER, START, Session, stop
from tests.postgresql import free_port

UV = Path(sys.executable).with_name("uv")
PATIENCE = 240  # seconds for what may have to be fetched, on a machine that does much else
PINNED = ROOT / "requirements" / "run.txt"


def run_uv(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run uv, which builds and installs, with an environment that knows nothing of this one's packages."""
    return subprocess.run([UV, *arguments], cwd=ROOT, env=alone(), capture_output=True, text=True, timeout=PATIENCE)


def alone(**variables: str) -> dict[str, str]:
    """Return an environment that knows nothing of this one's packages, nor of an installation of Folio."""
    others = {"FOLIO_DATA_DIR", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
    return {name: value for name, value in environment(ROOT).items() if name not in others} | variables


@dataclass(frozen=True)
class Built:
    """Where what was built lies."""

    wheel: Path
    archive: Path


def build(folder: Path) -> Built:
    """Build the archive of the sources and, of that alone, the wheel; by what is installed, so nobody is asked."""
    done = run_uv("build", "--offline", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder)
    assert done.returncode == 0, done.stderr
    [wheel], [archive] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, archive)


def pins(path: Path = PINNED) -> dict[str, str]:
    """Return the release of each package that a file of requirements pins."""
    return dict(re.findall(r"^([\w.-]+)==([\w.+!]+)", path.read_text(), flags=re.MULTILINE))


def install_beside(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a new environment with what is pinned, lent by this one; return its folder of programs.

    Nothing else that is installed here, such as what only tests need, is found there.
    """
    new_environment(folder, Path(sys.executable))
    [packages] = folder.glob("lib/python3*/site-packages")
    for name in pins():
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:  # pinned for another system
            continue
        for top in {file.parts[0] for file in files} - {"..", "__pycache__", *os.listdir(packages)}:
            (packages / top).symlink_to(metadata.distribution(name).locate_file(top))  # type: ignore[arg-type]
    install(wheel, folder, "--offline", "--no-deps")
    return folder / "bin"


def install_pinned(wheel: Path, folder: Path, python: Path) -> Path:
    """Install the wheel for another Python with what is pinned, which is fetched; return its folder of programs."""
    new_environment(folder, python)
    install(PINNED, folder, "--require-hashes", "--requirements")
    install(wheel, folder, "--offline", "--no-deps")
    return folder / "bin"


def run(*command: str | Path, **variables: str) -> str:
    """Run a program that was installed, to its end, and return what it printed."""
    done = subprocess.run(command, env=alone(**variables), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def new_environment(folder: Path, python: Path) -> None:
    done = run_uv("venv", "--offline", "--no-python-downloads", "--python", python, folder)
    assert done.returncode == 0, done.stderr


def install(what: Path, folder: Path, *flags: str) -> None:
    done = run_uv("pip", "install", "--python", folder / "bin" / "python", *flags, what)
    assert done.returncode == 0, done.stderr


@contextmanager
def running(command: list[str | Path], folder: Path, *flags: str, **variables: str) -> Iterator[tuple[Session, Path]]:
    """Run a command that serves, from a folder; yield who asks it with the key of the sample content, and its log."""
    port, log = free_port(), folder.parent / f"{folder.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "serve", "--port", str(port), *flags],
            cwd=folder,
            env=alone(**LATER, **variables),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        session = Session(f"http://127.0.0.1:{port}")
        wait(session, process, log)
        if key := re.search(r"API key +(\S+)", log.read_text()):
            session.headers["Authorization"] = f"Token {key[1]}"
        yield session, log
    finally:
        stop(process)


def wait(session: Session, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until all of the server is ready, whose parts /readyz tells."""
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert process.poll() is None, f"The server ended: {log.read_text()}"
        try:
            if session.get("/readyz", timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):
            time.sleep(0.1)
    raise AssertionError(f"The server did not become ready: {log.read_text()}")


def try_sample(session: Session) -> None:
    """Ask for the sample content as its page shows it."""
    [found] = (
        Session(session.url).get("/api/public/portfolios/?search=weather&fields=slug,title,year").json()["results"]
    )
    assert found == {"slug": "paper-weather", "title": "Paper Weather", "year": 2024}


def try_out(session: Session) -> None:
    """Ask a server for each kind of thing that lies in the package beside the program: texts, files, fonts."""
    assert session.get("/readyz").json()["version"] == folio.__version__
    anyone = Session(session.url)
    page = anyone.get("/admin/login/", headers={"Accept-Language": "fa"})
    assert 'lang="fa"' in page.text
    assert "ورود" in page.text
    for text in (page.text, anyone.get("/api/docs/").text):
        files: set[str] = set(re.findall(r'(?:href|src)="([^"]+\.(?:css|js|woff2|png|ico|svg))"', text))
        assert len(files) >= 2
        assert {file: anyone.get(file).status_code for file in files} == dict.fromkeys(files, 200)
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><text y="40">Folio</text></svg>'
    for name, content in (("sign.png", draw()), ("sign.svg", drawing.encode())):
        made = session.post("/api/media/", files={"file": (name, content)})
        assert made.status_code == 201, made.text
        stored = [made.json()["f"], *(each["f"] for each in made.json()["thumbnails"])]
        assert [anyone.get(file).status_code for file in stored] == [200] * 5
