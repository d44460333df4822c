"""What the uploads of a test leave open is closed."""

from collections.abc import Iterator

import pytest

from .stored import temporary_files


@pytest.fixture(autouse=True)
def _close_temporary_files() -> Iterator[None]:
    """Do what Django does at the end of a request."""
    yield
    while temporary_files:
        temporary_files.pop().close()
