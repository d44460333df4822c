import gc
import subprocess
import sys
from pathlib import Path

from folio.server.processes import share_memory
from tests.environment import ROOT, environment

WORKER = """
import sys
import django
django.setup(set_prefix=False)
from folio.server.processes import load_program
load_program()
before = set(sys.modules)
import folio.wsgi
print(*(name for name in set(sys.modules) - before if name.partition(".")[0] == "folio"))
"""


def test_what_is_loaded_is_not_looked_through_for_garbage_by_each_worker() -> None:
    """A worker is forked; what its collector touches is copied for it, 20 MB of what all could share."""
    try:
        share_memory()
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()


def test_a_worker_loads_nothing_of_the_program_that_its_parent_has_not(tmp_path: Path) -> None:
    """What it read from files of a newer version would not fit the rest."""
    variables = environment(tmp_path, PYTHONPATH=str(ROOT), DJANGO_SETTINGS_MODULE="folio.settings")
    command = [sys.executable, "-c", WORKER]

    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=True)

    assert done.stdout.split() == ["folio.wsgi"]
