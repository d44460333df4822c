"""The program as another environment would have it: its settings, and its commands run as processes."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "folio" / "settings.py"
READERS = (SETTINGS, *(SETTINGS.with_name(name) for name in ("environment.py", "places.py")))
TEMPROOT = "PYTEST_DEBUG_TEMPROOT"  # below which a run of pytest has its folders
VARIABLE = re.compile(r"FOLIO_[A-Z_]+|DATABASE_URL|SENTRY_DSN")


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Return this process's environment with Folio's variables alone replaced."""
    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("FOLIO_", "DJANGO_")) and name not in {"DATABASE_URL", "SENTRY_DSN"}
    }
    return {**others, "FOLIO_DATA_DIR": str(folder), **variables}


def settings_of(folder: Path, **variables: str) -> dict[str, Any]:
    """Return the settings of an installation in `folder` under these variables."""
    spec = importlib.util.spec_from_file_location("folio.settings_elsewhere", SETTINGS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ, environment(folder, **variables), clear=True):
        spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if name.isupper()}


def run_folio(
    *arguments: str,
    folder: Path,
    current: Path | None = None,
    variables: Mapping[str, str] | None = None,
    seconds: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run the `folio` command to its end, from a current folder that is not the repository's, for so long at most."""
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [sys.executable, "-m", "folio", *arguments],
        cwd=current or folder,
        env=environment(folder, **{**(variables or {}), "PYTHONPATH": python_path}),
        capture_output=True,
        text=True,
        timeout=seconds,
    )


@contextmanager
def ended_after(seconds: float, process: "subprocess.Popen[Any]") -> Iterator[None]:
    """Kill a process that is not done with what the block waits for in time: whoever reads of it then reads an end."""
    timer = Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def variables_read() -> set[str]:
    """Return the names of the environment variables that the settings read, found in their source."""
    nodes = (node for path in READERS for node in ast.walk(ast.parse(path.read_text())))
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and VARIABLE.fullmatch(value)}
