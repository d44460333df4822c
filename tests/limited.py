"""Commands run as by a user who may not do everything: root, whom permissions don't bind, without that power."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .environment import ROOT, environment

POWERS = "-dac_override,-dac_read_search,-fowner,-chown"


def limited() -> list[str]:
    """Return what stands before a command so that permissions bind it; nothing for a user whom they bind anyway."""
    return ["setpriv", f"--bounding-set={POWERS}"] if os.geteuid() == 0 else []


def can_limit() -> bool:
    if not limited():
        return True
    return shutil.which("setpriv") is not None and subprocess.run([*limited(), "true"]).returncode == 0


def run_limited(*arguments: str, folder: Path, current: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the `folio` command as someone whom permissions bind."""
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.run(
        [*limited(), sys.executable, "-B", "-m", "folio", *arguments],
        cwd=current,
        env=environment(folder, PYTHONPATH=python_path, **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
