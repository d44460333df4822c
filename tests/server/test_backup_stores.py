"""Stores of backups: what several keep there together, who makes and who prunes side by side, and where none may be."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from folio.places import Bucket
from folio.server import backups
from folio.server.backups import Made, Refused, keeping, making, stores
from folio.server.backups.databases import Copied, Wanted
from folio.server.backups.sources import source_at
from folio.server.backups.stores import AtWork, beside_media, store_at
from tests.s3 import BUCKET, CREDENTIALS, S3, running_s3

pytestmark = pytest.mark.any_database  # none has a part in what becomes of its copy
PATIENCE = 60  # seconds, on a machine that does much else
numbers = count()


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with running_s3() as server:
        yield server


@pytest.fixture
def in_s3(s3: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture(params=["folder", "bucket"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "store")
    s3: S3 = request.getfixturevalue("in_s3")
    return s3.url(f"store-{next(numbers)}")


class Installation:
    """Media files, and a copy of a database that names them; the copy may wait for a word."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: list[str] = []
        self.wait: Callable[[], object] = lambda: None

    def put(self, *letters: str) -> None:
        for letter in letters:
            path = self.root / "core_media" / f"{letter}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content_of(letter))
            self.names.append(f"core_media/{letter}.txt")

    def drop(self, letter: str) -> None:
        (self.root / "core_media" / f"{letter}.txt").unlink()
        self.names.remove(f"core_media/{letter}.txt")

    @contextmanager
    def copied(self, folder: Path, *, hold: bool = False) -> Iterator[Copied]:
        self.wait()
        path, content = folder / "database.zst", b"A database."
        path.write_bytes(content)
        size, digest = len(content), sha256(content).hexdigest()
        yield Copied("sqlite", "3", path, size, digest, size, digest, {}, {}, [Wanted(name) for name in self.names])


@pytest.fixture
def installation(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    found = Installation(media_root)
    monkeypatch.setattr(making, "copied", found.copied)
    monkeypatch.setattr(keeping, "PAUSE", 0.05)
    return found


@pytest.fixture
def beside() -> Iterator[Callable[[str], "Future[Made]"]]:
    """A function that makes a backup beside the test."""
    with ThreadPoolExecutor(4) as pool:
        yield lambda target: pool.submit(backups.make, target)


def content_of(letter: str) -> bytes:
    return f"File {letter}.".encode()


def digests(letters: str) -> set[str]:
    return {sha256(content_of(letter)).hexdigest() for letter in letters}


def media_in(target: str) -> set[str]:
    return set(store_at(target).files("media"))


def databases_in(target: str) -> set[str]:
    return {name.partition(".")[0] for name in store_at(target).files("databases")}


def at_work(target: str) -> list[str]:
    store = store_at(target)
    return [*store.files("running"), *store.files("pruning")]


def checked(target: str) -> list[str]:
    """Return the names of all backups that are there, each of which is whole: its parts are read and compared."""
    names = [each.name for each in backups.listed(target)]
    for name in names:
        source_at(target, name).check()
    return names


def until(what: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


# Removing


def test_the_oldest_are_pruned_with_the_media_that_no_other_names(installation: Installation, target: str) -> None:
    installation.put("a", "b")
    first = backups.make(target)
    installation.drop("a")
    installation.put("c")
    second = backups.make(target)
    installation.put("d")
    third = backups.make(target)
    assert media_in(target) == digests("abcd")
    assert [first.new_files, second.new_files, third.new_files] == [2, 1, 1]

    assert backups.prune(target, 2) == [first.name]

    assert checked(target) == [second.name, third.name]
    assert media_in(target) == digests("bcd")
    assert databases_in(target) == {second.name, third.name}
    assert at_work(target) == []
    assert backups.prune(target, 2) == []
    assert checked(target) == [second.name, third.name]


def test_what_a_backup_that_broke_off_has_left_is_removed(installation: Installation, target: str) -> None:
    installation.put("a")
    made = backups.make(target)
    store = store_at(target)
    store.put("databases/20200101T000000Z.sqlite3.zst", b"Part of a database.")
    store.put("keys/20200101T000000Z", b"A key.")
    store.put(f"media/{digests('z').pop()}", content_of("z"))

    assert backups.prune(target, 5) == []

    assert checked(target) == [made.name]
    assert (databases_in(target), store.files("keys"), media_in(target)) == ({made.name}, {}, digests("a"))


def test_prune_refuses_to_keep_none_or_to_look_into_an_archive(installation: Installation, tmp_path: Path) -> None:
    target = str(tmp_path / "store")
    backups.make(target)

    with pytest.raises(Refused, match="At least one backup has to be kept"):
        backups.prune(target, 0)
    with pytest.raises(Refused, match="is one backup"):
        backups.prune(f"{target}.tar", 1)
    assert len(checked(target)) == 1


# Side by side


def test_prune_beside_a_backup_leaves_what_it_counts_on(
    installation: Installation, target: str, beside: Callable[[str], "Future[Made]"]
) -> None:
    installation.put("a")
    first = backups.make(target)
    second = backups.make(target)
    waits, goes_on = threading.Event(), threading.Event()

    def wait() -> None:
        waits.set()
        assert goes_on.wait(PATIENCE)

    installation.wait = wait
    running = beside(target)
    try:
        assert waits.wait(PATIENCE)  # it has read which media are there, and takes `a` for one of them
        store_at(target).delete(f"backups/{second.name}.json")  # as by another one who prunes, and is done
        assert backups.prune(target, 1) == []
        installation.put("b")
        assert media_in(target) == digests("a")
        store_at(target).delete(f"backups/{first.name}.json")
        assert backups.prune(target, 1) == []
        assert media_in(target) == digests("a")
    finally:
        goes_on.set()

    made = running.result(PATIENCE)
    assert (made.files, made.new_files) == (2, 1)
    assert checked(target) == [made.name]
    installation.wait = lambda: None
    installation.drop("a")
    last = backups.make(target)
    assert backups.prune(target, 1) == [made.name]
    assert checked(target) == [last.name]
    assert media_in(target) == digests("b")


def test_a_backup_waits_until_old_ones_are_removed(
    installation: Installation, target: str, beside: Callable[[str], "Future[Made]"]
) -> None:
    installation.put("a")
    store = store_at(target, is_to_begin=True)
    with AtWork(store, "pruning"):
        running = beside(target)
        until(lambda: store.files("running"))
        time.sleep(0.3)
        assert not running.done()
        assert media_in(target) == set()

    made = running.result(PATIENCE)
    assert checked(target) == [made.name]
    assert at_work(target) == []


def test_nobody_waits_for_one_who_died(
    installation: Installation, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_at(target, is_to_begin=True)
    for mark in ("pruning/dead", "running/dead", "running/draft.part"):
        store.put(mark, b"")
    monkeypatch.setattr(stores, "DEAD", 0.5)
    time.sleep(1.6)  # a bucket tells whole seconds

    made = backups.make(target)

    assert checked(target) == [made.name]
    assert at_work(target) == []


def test_a_mark_is_renewed_while_the_work_lasts(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "REFRESH", 0.05)
    store = store_at(target, is_to_begin=True)
    with AtWork(store, "running") as mark:
        first = store.files("running")[mark.name].modified
        until(lambda: store.files("running")[mark.name].modified > first)
    assert at_work(target) == []


def test_two_backups_at_once_are_whole_each(
    installation: Installation, target: str, beside: Callable[[str], "Future[Made]"]
) -> None:
    installation.put("a", "b", "c")
    installation.wait = threading.Barrier(2, timeout=PATIENCE).wait  # both have looked at what is there

    running = [beside(target), beside(target)]

    made = [each.result(PATIENCE) for each in running]
    assert sorted(checked(target)) == sorted({each.name for each in made})
    assert len(made) == len({each.name for each in made}) == 2
    assert [each.files for each in made] == [3, 3]
    assert media_in(target) == digests("abc")
    assert databases_in(target) == {each.name for each in made}
    assert at_work(target) == []


def test_a_backup_that_is_removed_while_others_are_read_is_none(
    installation: Installation, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backups.make(target)
    names_of = keeping.names_of
    monkeypatch.setattr(keeping, "names_of", lambda store: ["20200101T000000Z", *names_of(store)])

    assert [each.name for each in backups.listed(target)] == [made.name]
    assert backups.make(target).name != made.name


def test_a_store_begins_beside_the_draft_of_another_one_s_mark(installation: Installation, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / f"{'0' * 32}.part").touch()

    backups.make(str(store))

    assert len(checked(str(store))) == 1


def test_a_folder_for_what_is_copied_is_made_anew_where_another_one_took_it_for_a_dead_one_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock
    taken: list[Path] = []

    def flock(descriptor: int, how: int) -> None:
        if not taken:
            [folder] = tmp_path.iterdir()
            taken.append(folder)
            making.remove_folder(folder)
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    folder, descriptor = making.locked_folder(tmp_path)
    os.close(descriptor)

    assert [folder] == list(tmp_path.iterdir())
    assert folder not in taken
    assert (folder / "lock").exists()


# Where none may be


@pytest.fixture
def beside_the_media(in_s3: S3, settings: Any) -> str:
    """The address of a place in the bucket that has the media."""
    settings.MEDIA_BUCKET = Bucket(BUCKET, "media", in_s3.endpoint, addressing="path")
    return in_s3.url(f"store-{next(numbers)}")


def test_the_bucket_that_visitors_read_is_refused(
    installation: Installation, beside_the_media: str, settings: Any
) -> None:
    settings.FILES_URL = "https://files.example/"

    with pytest.raises(Refused) as refused:
        backups.make(beside_the_media)

    assert "is in the bucket of the media, which visitors read at https://files.example/ (FOLIO_MEDIA_URL)" in str(
        refused.value
    )
    with pytest.raises(Refused, match="There are no backups"):  # nothing was put there
        backups.listed(beside_the_media)


def test_the_bucket_of_the_media_is_warned_of(installation: Installation, beside_the_media: str, settings: Any) -> None:
    told: list[str] = []

    backups.make(beside_the_media, tell=told.append)

    assert [line.partition(":")[0] for line in told] == [f"The backups lie in the bucket of the media, {BUCKET}"]
    settings.FILES_URL = "https://files.example/"  # what is there can be read nevertheless
    assert len(checked(beside_the_media)) == 1


def test_another_bucket_is_not_warned_of(installation: Installation, in_s3: S3, settings: Any) -> None:
    settings.MEDIA_BUCKET = Bucket("elsewhere", "", in_s3.endpoint, addressing="path")
    settings.FILES_URL = "https://files.example/"
    told: list[str] = []

    backups.make(in_s3.url(f"store-{next(numbers)}"), tell=told.append)

    assert told == []


@pytest.mark.parametrize(
    ("media", "backup", "expected"),
    [
        (Bucket("one"), Bucket("one", "backups"), "warned"),
        (Bucket("one", "media"), Bucket("one"), "warned"),
        (Bucket("one"), Bucket("one", "b", "https://s3.eu-west-1.amazonaws.com"), "warned"),
        (Bucket("one"), Bucket("two"), ""),
        (Bucket("one"), Bucket("one", "b", "https://s3.example.com"), ""),
        (Bucket("one", "media"), Bucket("one", "media", region="eu-west-1"), "refused"),
        (Bucket("one"), Bucket("one", "core_media"), "refused"),
        (Bucket("one", "media"), Bucket("one", "media/core_media/backups"), "refused"),
    ],
)
def test_a_bucket_is_known_again(media: Bucket, backup: Bucket, expected: str, settings: Any) -> None:
    settings.MEDIA_BUCKET = media
    if expected == "refused":
        with pytest.raises(Refused, match="s3://it is where the media lie"):
            beside_media(backup, "s3://it")
    else:
        assert ("warned" if beside_media(backup, "s3://it") else "") == expected


def test_advice_names_the_address_that_was_given(installation: Installation, in_s3: S3) -> None:
    target = in_s3.url("store").replace(BUCKET, "no-such-bucket")

    with pytest.raises(Refused) as refused:
        backups.make(target)

    assert "NoSuchBucket" in str(refused.value)
    assert f"{target} names the bucket; Folio makes none." in str(refused.value)
    assert "FOLIO_MEDIA" not in str(refused.value)
