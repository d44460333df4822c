import random
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest

from folio.snapshots.caches import SHARE, SnapshotCache

pytestmark = pytest.mark.database_free

SIZE = 100


@pytest.fixture
def cache() -> SnapshotCache:
    """A cache with room for ten entries of the usual size."""
    return SnapshotCache(10 * SIZE)


def fill(cache: SnapshotCache, *keys: str, snapshot: int = 1) -> None:
    for key in keys:
        cache.put(snapshot, key, key.upper(), SIZE)


def kept(cache: SnapshotCache) -> list[object]:
    """Return the keys, the one that goes first before the others."""
    return list(cache.entries)


def test_gives_back_what_was_put_in_that_snapshot(cache: SnapshotCache) -> None:
    fill(cache, "a", "b")

    assert cache.get(1, "a") == "A"
    assert cache.get(1, "c") is None
    assert cache.get_many(1, ["b", "c", "a"]) == {"b": "B", "a": "A"}


@pytest.mark.parametrize("look", [lambda cache: cache.get(2, "a"), lambda cache: cache.get_many(2, ["a"])])
def test_a_newer_snapshot_empties_it(cache: SnapshotCache, look: object) -> None:
    fill(cache, "a", "b")

    assert not look(cache)  # type: ignore[operator]
    assert (kept(cache), cache.size) == ([], 0)
    assert cache.get(1, "a") is None


def test_an_entry_of_a_newer_snapshot_drives_out_all_older_ones(cache: SnapshotCache) -> None:
    fill(cache, "a", "b")
    fill(cache, "c", snapshot=2)

    assert (kept(cache), cache.size) == (["c"], SIZE)


def test_an_older_snapshot_finds_nothing_and_leaves_nothing(cache: SnapshotCache) -> None:
    fill(cache, "a", snapshot=5)

    fill(cache, "b", snapshot=4)

    assert cache.get(4, "a") is None
    assert cache.get_many(4, ["a"]) == {}
    assert cache.get(5, "b") is None
    assert cache.get(5, "a") == "A", "and takes nothing away"


def test_the_least_recently_used_goes_first(cache: SnapshotCache) -> None:
    fill(cache, *"abcdefghij")
    cache.get(1, "a")
    cache.get_many(1, ["c", "b"])

    fill(cache, *"klm")

    assert kept(cache) == list("ghijacbklm")
    assert cache.size == cache.limit


def test_the_bound_counts_bytes_not_entries(cache: SnapshotCache) -> None:
    fill(cache, *"abcdefghij")

    cache.put(1, "k", "K", SIZE + 1)

    assert kept(cache) == list("cdefghijk")
    assert cache.size == 9 * SIZE + 1


def test_an_entry_that_would_take_more_than_its_share_is_not_kept(cache: SnapshotCache) -> None:
    fill(cache, "a")

    cache.put(1, "large", "LARGE", cache.limit // SHARE + 1)
    cache.put(1, "just", "JUST", cache.limit // SHARE)

    assert kept(cache) == ["a", "just"]


def test_an_entry_that_grew_past_its_share_goes(cache: SnapshotCache) -> None:
    """It stays the same object, so what is counted for it would no longer be what it takes."""
    fill(cache, "a", "b")

    cache.put(1, "a", "A" * 1000, cache.limit)

    assert (kept(cache), cache.size) == (["b"], SIZE)


def test_an_entry_put_again_counts_once(cache: SnapshotCache) -> None:
    fill(cache, "a", "b")

    cache.put(1, "a", "AA", SIZE + 20)

    assert cache.get(1, "a") == "AA"
    assert cache.size == 2 * SIZE + 20


def test_a_bound_of_nothing_keeps_nothing() -> None:
    cache = SnapshotCache(0)

    cache.put(1, "a", "A", 1)

    assert cache.get(1, "a") is None
    assert cache.size == 0


def test_many_threads_leave_it_whole() -> None:
    cache = SnapshotCache(10_000)

    def use(seed: int) -> None:
        chance = random.Random(seed)
        for step in range(2_000):
            snapshot = step // 100
            key = chance.randrange(200)
            found = cache.get(snapshot, key)
            assert found is None or found == (snapshot, key)
            for other, value in cache.get_many(snapshot, range(key, key + 5)).items():
                assert value == (snapshot, other)
            cache.put(snapshot, key, (snapshot, key), chance.randrange(1, 1_000))

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(use, seed) for seed in range(8)]:
            future.result(timeout=60)

    assert cache.size == sum(size for _, size in cache.entries.values()) <= cache.limit


def test_what_is_driven_out_is_freed() -> None:
    cache = SnapshotCache(1_000_000)
    tracemalloc.start()
    try:
        for number in range(3_000):
            cache.put(1, number, bytes(9_700), 10_000)
        held, _ = tracemalloc.get_traced_memory()
        cache.get(2, 0)
        left, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 1.05 * cache.limit
    assert left < 0.05 * cache.limit
