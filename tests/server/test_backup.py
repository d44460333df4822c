"""A backup that is taken under load, and restored: every answer is what it was, and every file is there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live import running_server
from tests.s3 import CREDENTIALS, S3, running_s3

from .backed_up import AT_ONCE, Writing, elsewhere, files_of, folio, publish
from .moved import answers_of


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with running_s3() as server:
        yield server


@dataclass
class BackedUp:
    """What was taken of an installation: under load, and when nobody wrote."""

    folder: Path
    under_load: list[str]  # as `folio restore` is told of it
    quiet: list[str]
    other: str  # the storage that it is restored to
    key: str
    answers: dict[str, str]
    files: dict[str, str]


@pytest.fixture(
    scope="module",
    params=[("folder", "archive", "bucket"), ("bucket", "bucket", "folder")],
    ids=["from a folder by an archive into a bucket", "from a bucket by a bucket into a folder"],
)
def backed_up(request: pytest.FixtureRequest, s3: S3, tmp_path_factory: pytest.TempPathFactory) -> BackedUp:
    storage, target, other = request.param
    folder, beside = tmp_path_factory.mktemp("old"), tmp_path_factory.mktemp("beside")
    variables = {**AT_ONCE, **CREDENTIALS, **(s3.variables(f"media-{storage}") if storage == "bucket" else {})}
    places = [str(beside / "first.tar"), str(beside / "second.tar")]
    if target == "bucket":
        places = [s3.url("backups")] * 2
    with running_server(folder, **variables) as server:
        client = server.session(server.key)
        for number in range(3):
            publish(client, number)
        with Writing(server) as writing:
            server.folio("backup", places[0])
        assert writing.rounds > 0
        server.folio("backup", places[1], "--with-secret-key")
        answers, files = answers_of(server, server.key), files_of(server)
        first, second = [places[0]], [places[1]]
        if target == "bucket":
            lines = server.folio("backup", "--list", places[0]).splitlines()
            assert "made at, UTC" in lines[0]
            names = [line.split()[0] for line in lines[1:]]
            assert len(names) == 2
            first += ["--at", names[0]]
        return BackedUp(folder, first, second, other, server.key, answers, files)


def test_what_was_backed_up_under_load_has_all_its_files(backed_up: BackedUp, s3: S3, tmp_path: Path) -> None:
    new = tmp_path / "new"
    with elsewhere(new, backed_up.other, s3, **AT_ONCE) as variables:
        said = folio(new, variables, "restore", *backed_up.under_load)

        assert "The secret key here is another one than the backup was made beside." in said
        assert "links to previews have to be made anew" in said
        assert folio(new, variables, "checkmedia", "--min-age", "0").endswith("nothing is wrong.\n")


def test_everything_is_answered_as_before(backed_up: BackedUp, s3: S3, tmp_path: Path) -> None:
    new = tmp_path / "new"
    with elsewhere(new, backed_up.other, s3, **AT_ONCE) as variables:
        said = folio(new, variables, "restore", *backed_up.quiet)

        assert "The secret key is the one that the backup was made beside" in said
        assert (new / "secret_key").read_text() == (backed_up.folder / "secret_key").read_text()
        with running_server(new, **{**CREDENTIALS, **variables}) as server:
            server.key = backed_up.key
            assert answers_of(server, server.key) == backed_up.answers
            assert len(backed_up.answers) > 20
            assert files_of(server) == backed_up.files
            assert len(backed_up.files) > 20


def test_a_second_backup_copies_what_is_new_alone(tmp_path: Path) -> None:
    with running_server(tmp_path, **AT_ONCE) as server:
        client = server.session(server.key)
        for number in range(3):
            publish(client, number)
        store = tmp_path / "store"
        server.folio("backup", str(store))
        publish(client, 4)
        server.folio("backup", str(store))

    first, second = [json.loads(path.read_text()) for path in sorted((store / "backups").iterdir())]
    contents = [{file["sha256"] for file in manifest["media"]} for manifest in (first, second)]
    assert (len(first["media"]), len(second["media"])) == (15, 20)
    assert first["new_files"] == len(contents[0])  # a small picture's thumbnails are alike
    assert second["new_files"] == len(contents[1] - contents[0]) > 0
    assert {path.name for path in (store / "media").iterdir()} == {file["sha256"] for file in second["media"]}
    assert not list((store / "running").iterdir())
    assert {path.name.split(".")[0] for path in (store / "databases").iterdir()} == {first["name"], second["name"]}
    secret = (tmp_path / "secret_key").read_text()
    assert not any(secret.encode() in path.read_bytes() for path in store.rglob("*") if path.is_file())
