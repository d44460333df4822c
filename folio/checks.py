"""What `folio check` looks at, and every other command before it begins."""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

from .access.uses import SECONDS_VARIABLE as USES_VARIABLE
from .api.middleware import THREADS_VARIABLE
from .installation import refuse_unusable
from .tasks.runner import SECONDS_VARIABLE as TASKS_VARIABLE

PREFIX = "FOLIO_"
INTERNAL = {USES_VARIABLE, TASKS_VARIABLE, THREADS_VARIABLE}  # between Folio's own processes


def installation_is_usable(**kwargs: Any) -> list[CheckMessage]:
    """Stop a command, by a sentence of its own, where the data folder or the secret key can't be used."""
    refuse_unusable()
    return []


def variables_are_known(**kwargs: Any) -> list[CheckMessage]:
    return [
        Warning(f"There is no setting {name}.{nearest(name)}", id="folio.W003", hint="See docs/reference/settings.md.")
        for name in unknown_variables()
    ]


def unknown_variables() -> Iterator[str]:
    """Yield the environment's variables that look like settings and are none."""
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name not in settings.VARIABLES | INTERNAL:
            yield name


def nearest(name: str) -> str:
    found = get_close_matches(name.upper(), settings.VARIABLES, n=1)
    return f" Did you mean {found[0]}?" if found else ""
