"""Connections beside the pool, on each of which one thing is done: looks, leases, claims, the migrations' lock.

None of them may set anything that outlasts a transaction: behind a pooler that gives connections for a transaction
each, such as pgbouncer, the next transaction of anyone may get it.
"""

from typing import Any

from django.conf import settings

TRANSACTION_TIMEOUT = 17_00_00  # the version of the server that first had one


def connect_apart(database: Any, purpose: str, **given: Any) -> Any:
    """Return a new connection of psycopg to a database of Django's, named by its purpose where that costs nothing.

    Of its parameters, those that are given hold.

    pgbouncer gives each connection the name of whom it is for, by a statement more wherever that one changes.
    """
    parameters = {**database.get_connection_params(), **given}
    if not settings.PGBOUNCER:
        parameters["application_name"] = f"{parameters.get('application_name', 'folio')} {purpose}"
    return database.Database.connect(**parameters)


def let_be(connection: Any) -> None:
    """Begin a transaction that may stay open for long: nothing of what the server ends by itself ends this one.

    It holds no snapshot and takes no number, so it keeps neither VACUUM nor anyone's look waiting.
    """
    timeouts = ["idle_in_transaction_session_timeout"]
    if connection.info.server_version >= TRANSACTION_TIMEOUT:
        timeouts.append("transaction_timeout")
    connection.execute("; ".join(f"SET LOCAL {name} = 0" for name in timeouts))
