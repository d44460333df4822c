"""What `folio check` looks at, and every other command before it begins."""

import os
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, Error, connection

from .access.uses import SECONDS_VARIABLE as USES_VARIABLE
from .api.middleware import THREADS_VARIABLE
from .installation import refuse_unusable
from .server.listening import is_loopback
from .server.peers import KEY, MEDIA, MEND, differences
from .server.peers import SECONDS_VARIABLE as PEERS_VARIABLE
from .server.supervising import MEMORY_SECONDS_VARIABLE
from .snapshots.watches import SECONDS_VARIABLE as ADDRESS_VARIABLE
from .tasks.runner import SECONDS_VARIABLE as TASKS_VARIABLE

PREFIX = "FOLIO_"
# Between Folio's own processes.
INTERNAL = {
    *(ADDRESS_VARIABLE, USES_VARIABLE, TASKS_VARIABLE, THREADS_VARIABLE, MEMORY_SECONDS_VARIABLE),
    PEERS_VARIABLE,
}


def installation_is_usable(**kwargs: Any) -> list[CheckMessage]:
    """Stop a command, by a sentence of its own, where the data folder or the secret key can't be used."""
    refuse_unusable()
    return []


def database_is_not_newer(**kwargs: Any) -> list[CheckMessage]:
    """Stop a command, by a sentence of its own, where a newer version has migrated the database."""
    from .server.migrating import newer_if_it_can_be_told  # which needs the models

    if (why := newer_if_it_can_be_told()) is not None:
        raise ImproperlyConfigured(why)
    return []


def servers_are_alike(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Tell of running servers of the same database that have another secret key, or keep their media elsewhere."""
    if DEFAULT_DB_ALIAS not in (databases or ()) or connection.vendor != "postgresql":
        return []
    try:
        found = differences(connection)
    except Error:  # of which others tell
        return []
    ids = {KEY: "folio.W011", MEDIA: "folio.W012"}
    return [Warning(each.sentence, id=ids[each.kind], hint=MEND[each.kind]) for each in found]


def metrics_are_not_open(**kwargs: Any) -> list[CheckMessage]:
    """Tell of a port for metrics that other machines reach, and that asks nobody for a token."""
    host = settings.METRICS_HOST
    if not settings.METRICS_PORT or settings.METRICS_TOKEN or is_loopback(host):
        return []
    return [
        Warning(
            f"Metrics are for everybody who reaches {host}, port {settings.METRICS_PORT}: FOLIO_METRICS_HOST is no "
            "address of this machine alone, and FOLIO_METRICS_TOKEN is not set.",
            hint="Set FOLIO_METRICS_TOKEN, as `openssl rand -hex 24` makes one, or leave FOLIO_METRICS_HOST out. Where "
            "nobody but the monitoring reaches that port, leave it as it is.",
            id="folio.W013",
        )
    ]


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
