"""Programs that tests need and a developer's machine may lack."""

import os

import pytest


def found(path: str | None, name: str, package: str) -> str:
    """Return where a program is; skip the test where it is not installed, which fails it where everything has to be."""
    if path is None:
        message = f"These need {name} (on Debian: apt-get install {package})."
        if os.environ.get("CI_STRICT"):
            pytest.fail(message)
        pytest.skip(message)
    return path
