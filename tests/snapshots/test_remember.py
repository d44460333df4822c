from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from folio import snapshots
from folio.snapshots import remember, usable
from folio.snapshots.caches import SnapshotCache


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch) -> SnapshotCache:
    """A document cache of the test's own."""
    cache = SnapshotCache(1_000_000)
    monkeypatch.setattr(snapshots, "documents", cache)
    return cache


class Source:
    """Counts how often it was asked, and answers with that."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.count = 0

    def __call__(self) -> Any:
        self.count += 1
        return self.answers.pop(0)


@pytest.fixture
def in_transaction(transactional_db: None) -> Iterator[None]:
    with transaction.atomic():
        yield


def test_asks_once_in_a_snapshot() -> None:
    source = Source("first", "second")

    assert [remember(1, "key", source, 10) for _ in range(3)] == ["first"] * 3
    assert remember(2, "key", source, 10) == "second"


def test_asks_each_time_without_a_snapshot(cache: SnapshotCache) -> None:
    source = Source("first", "second")

    assert [remember(None, "key", source, 10) for _ in range(2)] == ["first", "second"]
    assert not cache.entries


def test_what_is_not_there_takes_no_room(cache: SnapshotCache) -> None:
    source = Source(None, None, "made meanwhile")

    assert [remember(1, "key", source, 10) for _ in range(2)] == [None, None]
    assert not cache.entries
    assert remember(1, "key", source, 10) == "made meanwhile"


def test_zero_is_remembered_like_any_other_answer() -> None:
    source = Source(0, 1)

    assert [remember(1, "count", source, 10) for _ in range(2)] == [0, 0]


def test_nothing_is_left_by_what_fails(cache: SnapshotCache) -> None:
    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        remember(1, "key", fail, 10)
    assert not cache.entries


def test_nothing_is_put_within_a_transaction(cache: SnapshotCache, in_transaction: None) -> None:
    """Others would find what may yet be rolled back."""
    assert remember(1, "key", Source("uncommitted"), 10) == "uncommitted"
    assert not cache.entries


def test_nothing_is_taken_within_a_transaction(cache: SnapshotCache, in_transaction: None) -> None:
    """A transaction must see its own changes, which no snapshot knows."""
    cache.put(1, "key", "before", 10)

    assert remember(1, "key", Source("changed"), 10) == "changed"


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_is_usable_again_after_the_transaction() -> None:
    assert usable(1) == 1
    with transaction.atomic():
        assert usable(1) is None
        with transaction.atomic():
            assert usable(1) is None
        assert usable(1) is None
    assert usable(1) == 1
    assert usable(None) is None
