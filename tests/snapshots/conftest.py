"""What the tests of the response cache play on."""

import pytest

from folio.snapshots.caches import SnapshotCache
from folio.snapshots.front import SnapshotFront

from .stage import Scene, StubApplication, StubLooks


@pytest.fixture
def scene() -> Scene:
    application, looks, cache = StubApplication(), StubLooks(), SnapshotCache(1_000_000)
    return Scene(application, looks, cache, SnapshotFront(application, looks, cache))  # type: ignore[arg-type]
