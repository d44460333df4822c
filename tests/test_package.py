"""The package: what is in it, what it says of itself, and that it serves from an empty folder where it is installed."""

import os
import re
import tarfile
import tomllib
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import folio
from tests.environment import ROOT
from tests.packages import (
    PINNED,
    UV,
    Built,
    build,
    install_beside,
    install_pinned,
    pins,
    run,
    run_uv,
    running,
    try_out,
    try_sample,
)
from tests.papers import blocks_of
from tests.pythons import MINORS, OTHERS, find_python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = f"folio_portfolios-{folio.__version__}"
ABOUT = f"{NAME}.dist-info"
RELEASE = re.compile(r"\d+(?:\.\d+)*")
BY_DAYS = {"drf-spectacular-sidecar", "tzdata"}  # whose releases are numbered by days: none is known to break what was
pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def metadata(built: Built) -> Message:
    with zipfile.ZipFile(built.wheel) as wheel:
        return message_from_string(wheel.read(f"{ABOUT}/METADATA").decode())


def contents(wheel: Path) -> dict[str, int]:
    """Return the sums of the files of a wheel by their names, without the list of them."""
    with zipfile.ZipFile(wheel) as opened:
        return {each.filename: each.CRC for each in opened.infolist() if each.filename != f"{ABOUT}/RECORD"}


def test_the_wheel_has_every_file_of_the_program_and_nothing_else(built: Built) -> None:
    own = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "folio").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    found = {name for name in contents(built.wheel) if not name.startswith(ABOUT)}

    assert found == own
    assert {Path(name).suffix for name in found} >= {".html", ".css", ".js", ".woff2", ".ttf", ".mo", ".md", ".avif"}
    assert [name for name in found if "test" in Path(name).name] == []
    assert built.wheel.name == f"{NAME}-py3-none-any.whl"


def test_the_archive_makes_the_wheel_that_the_clone_makes(built: Built, tmp_path: Path) -> None:
    done = run_uv("build", "--wheel", "--offline", "--no-build-isolation", "--out-dir", tmp_path)

    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / built.wheel.name) == contents(built.wheel)


def test_the_archive_has_what_is_pinned_and_neither_tests_nor_benchmarks(built: Built) -> None:
    with tarfile.open(built.archive) as archive:
        names = {name.removeprefix(f"{NAME}/") for name in archive.getnames()}

    top = {name.partition("/")[0] for name in names}
    assert top == {"CHANGELOG.md", "LICENSE", "PKG-INFO", "docs", "folio", "pyproject.toml", "requirements"}
    assert "requirements/run.txt" in names


def test_its_name_is_its_own_and_the_commands_stays(built: Built, metadata: Message) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        commands = wheel.read(f"{ABOUT}/entry_points.txt").decode()

    assert (metadata["Name"], metadata["Version"]) == ("folio-portfolios", folio.__version__)
    assert commands.split() == ["[console_scripts]", "folio=folio.__main__:main"]


def test_it_says_which_pythons_it_is_for_and_under_which_licences(metadata: Message) -> None:
    classifiers = metadata.get_all("Classifier") or []

    minors = {int(each.rpartition(".")[2]) for each in classifiers if re.search(r":: Python :: 3\.\d+$", each)}
    assert minors == set(MINORS) == {11, 12, 13}
    assert metadata["Requires-Python"] == f">=3.{min(minors)}"
    assert "Framework :: Django :: 5.2" in classifiers
    licences = {str(path.relative_to(ROOT)) for path in (ROOT / "folio").rglob("*LICENSE")} | {"LICENSE"}
    assert set(metadata.get_all("License-File") or []) == licences
    assert metadata["License-Expression"] == "MIT AND OFL-1.1 AND Apache-2.0"


def test_what_the_index_shows_of_it_leads_nowhere_that_is_only_in_a_clone(metadata: Message) -> None:
    text = metadata.get_payload()

    assert isinstance(text, str)
    assert text.strip() == (ROOT / "docs" / "package.md").read_text().strip()
    assert metadata["Description-Content-Type"] == "text/markdown"
    links = re.findall(r"\]\(([^)]*)\)|\b(?:href|src)=\"([^\"]*)\"|^\[[^\]]+\]: (\S+)", text, flags=re.MULTILINE)
    assert links
    assert [link for link in map("".join, links) if not link.startswith("https://")] == []
    assert [line for line in text.splitlines() if line.startswith("<")] == []  # which the index would leave out


@pytest.mark.parametrize("extra", ["", "redis", "s3", "sentry"])
def test_what_it_depends_on_is_bounded_by_what_was_tried_and_what_may_break(extra: str) -> None:
    lines = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    pinned = pins(PINNED.with_name("extras.txt"))

    for line in lines:
        name, bounds = re.fullmatch(r"([\w-]+)(?:\[[\w,]+\])?(.*)", line).groups()  # type: ignore[union-attr]
        least, _, below = bounds.partition(",")
        assert least.startswith(">="), f"{line} says of no release that it does"
        assert numbers(least) <= numbers(pinned[name]), f"{line} is newer than {pinned[name]}, which is pinned"
        if name not in BY_DAYS:
            assert below.startswith("<"), f"{line} takes in what may break us"
            assert numbers(pinned[name]) < numbers(below), f"{line} leaves out {pinned[name]}, which is pinned"


def numbers(release: str) -> tuple[int, ...]:
    found = RELEASE.search(release)
    assert found, release
    return tuple(map(int, found[0].split(".")))


def test_installed_with_what_is_pinned_it_serves_from_an_empty_folder(built: Built, tmp_path: Path) -> None:
    programs = install_beside(built.wheel, tmp_path / "installed")
    (tmp_path / "empty").mkdir()

    with running([programs / "folio"], tmp_path / "empty", "--demo") as (session, log):
        try_sample(session)
        try_out(session)

    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["data"]
    assert "Traceback" not in log.read_text()


def test_uvx_fetches_what_it_needs_and_serves_from_an_empty_folder(built: Built, tmp_path: Path) -> None:
    """As the page of the index says, but for the wheel, which is not there yet; by the releases that are pinned."""
    if not os.environ.get("CI_STRICT"):
        pytest.skip("This asks the index for packages; CI_STRICT=1 has it run.")
    [shown] = [block.text for block in blocks_of((ROOT / "docs" / "package.md").read_text()) if "uvx" in block.text]
    assert shown == "uvx --from folio-portfolios folio serve --demo\n"
    (tmp_path / "empty").mkdir()
    command: list[str | Path] = [UV.with_name("uvx"), "--constraints", PINNED, "--from", built.wheel, "folio"]

    done = run_uv("tool", "run", *command[1:], "version")  # this fetches, which takes what the line takes
    assert done.returncode == 0, done.stderr
    with running(command, tmp_path / "empty", "--demo", UV_OFFLINE="1") as (session, log):
        try_sample(session)
        try_out(session)

    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("minor", OTHERS)
def test_another_python_that_is_here_compiles_it_installs_it_and_serves_it(
    built: Built, tmp_path: Path, minor: int
) -> None:
    """For the whole suite under it there is `make pythons`."""
    python = find_python(minor)
    if python is None:
        pytest.skip(f"There is no Python 3.{minor} here.")
    try:
        programs = install_pinned(built.wheel, tmp_path / "installed", python)
    except AssertionError:
        if os.environ.get("CI_STRICT"):
            raise
        pytest.skip(f"What is pinned can't be had for Python 3.{minor}.")
    [installed] = programs.parent.glob("lib/python3*/site-packages/folio")
    folder = tmp_path / "data"
    folder.mkdir()

    compiled = run(programs / "python", "-W", "error", "-m", "compileall", "-q", "-f", installed)
    told = run(programs / "folio", "version")
    run(programs / "folio", "migrate", "--verbosity", "0", FOLIO_DATA_DIR=str(folder))
    key = run(programs / "folio", "createtoken", "ada", "--admin", FOLIO_DATA_DIR=str(folder)).strip()

    assert compiled == ""
    assert f"(Python 3.{minor}." in told
    with running([programs / "folio"], folder, FOLIO_DATA_DIR=str(folder)) as (session, log):
        session.headers["Authorization"] = f"Token {key}"
        try_out(session)
    assert "Warning" not in log.read_text()
