"""What the uploads of a test leave open is closed."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from .stored import temporary_files


@pytest.fixture
def _removed_at_once(settings: Any) -> None:
    """Without a grace, files go with the commit that lets them go."""
    settings.KEEP_REMOVED = timedelta(0)


@pytest.fixture(autouse=True)
def _close_temporary_files() -> Iterator[None]:
    """Do what Django does at the end of a request."""
    yield
    while temporary_files:
        temporary_files.pop().close()
