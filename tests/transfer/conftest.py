"""The folder that the tests of import and export work in."""

from pathlib import Path

import pytest


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """An empty folder, beside what else a test writes."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"
