"""Bringing the database up to date before it is served, and knowing one that is newer than the program."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, Error, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from folio import __version__
from folio.claims import number_of, of_files
from folio.installation import why_not
from folio.portfolios.searching.due import follow_migrations, is_outdated
from folio.postgresql.migrating import alone
from folio.turns import PATIENCE, wait_for_turn

logger = logging.getLogger(__name__)


class Turn:
    """Whether this process has its turn to migrate already: `folio serve` calls the command that asks for one too."""

    is_mine = False


def migrate(say: Callable[[str], None]) -> None:
    """Apply the migrations that the database lacks, and fold what its search needs anew; `say` tells what is slow."""
    with one_at_a_time(say):
        refuse_newer()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            say("Migrating the database ...")
            call_command("migrate", interactive=False, verbosity=0)
        if is_outdated():  # after a migration it never is; a newer Python may know other letters
            say("Folding all texts for the search ...")
            follow_migrations()


def refuse_unmigrated() -> None:
    """Raise CommandError where the database lacks migrations, for a server that is not to apply them; write nothing."""
    try:
        executor = MigrationExecutor(connection)
        lacking = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        raise CommandError(why_not(error)) from error
    if lacking:
        count = "1 migration" if len(lacking) == 1 else f"{len(lacking)} migrations"
        raise CommandError(
            f"The database lacks {count} of this version, and --no-migrate applies none. Run `folio migrate` first."
        )


@contextmanager
def one_at_a_time(say: Callable[[str], object], alias: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Keep other servers that start on the same database from migrating meanwhile.

    Which migrations a database lacks is found out before the first one is applied: two that begin at once would both
    apply them.
    """
    database: Any = connections[alias]
    is_private = database.vendor == "sqlite" and database.is_in_memory_db()
    if Turn.is_mine or is_private:
        yield
        return
    with alone(alias, say) if database.vendor == "postgresql" else alone_on_this_machine(say):
        Turn.is_mine = True
        try:
            yield
        finally:
            Turn.is_mine = False


@contextmanager
def alone_on_this_machine(say: Callable[[str], object], patience: float = PATIENCE) -> Iterator[None]:
    """Keep all others of this machine who do so from migrating meanwhile; raise CommandError where one takes too long.

    The lock dies with its holder.
    """
    claims, number = of_files(), number_of("migrate")
    wait_for_turn(lambda: None if claims.take(number) else "", say, patience)
    try:
        yield
    finally:
        claims.free(number)


def refuse_newer() -> None:
    """Raise ImproperlyConfigured where the database was migrated by a newer version than this one."""
    if (why := newer()) is not None:
        raise ImproperlyConfigured(why)


def newer() -> str | None:
    """Return a sentence where the database has migrations of ours that this program does not know."""
    recorder = MigrationRecorder(connection)
    if not recorder.has_table():
        return None
    known = {app.label: set(names_in(Path(app.path) / "migrations")) for app in apps.get_app_configs() if is_ours(app)}
    found = (
        recorder.migration_qs.filter(app__in=known).order_by("-applied", "-pk").values_list("app", "name", "applied")
    )
    unknown = [(app, name, applied) for app, name, applied in found if name not in known[app]]
    if unknown:  # those that others replace have no file any more; to know them, all are loaded
        loaded = MigrationLoader(None, ignore_no_migrations=True).disk_migrations.values()
        replaced = {name for each in loaded for name in each.replaces}
        unknown = [row for row in unknown if row[:2] not in replaced]
    if not unknown:
        return None
    app, name, applied = unknown[0]
    return (
        f"The database is newer than Folio {__version__}: {app}.{name} was applied to it at "
        f"{applied:%Y-%m-%d %H:%M:%S} UTC, which this version does not know. Run the version that applied it, or a "
        "newer one; to go back, restore a backup of before. Servers that run already go on."
    )


def is_ours(app: AppConfig) -> bool:
    return app.name.partition(".")[0] == "folio"


def names_in(folder: Path) -> Iterator[str]:
    return (module.name for module in iter_modules([str(folder)]))


def newer_if_it_can_be_told() -> str | None:
    """Return what `newer()` does; None where the database is away or not made yet, which others tell better."""
    try:
        return newer()
    except Error:
        return None
    finally:
        if not connection.in_atomic_block:
            connection.close()


def tell_if_newer() -> None:
    """Log that the database is newer, where another WSGI server loads the program.

    It isn't refused: nobody can tell a server that begins from one that replaces a worker, which has to go on.
    """
    if (why := newer_if_it_can_be_told()) is not None:
        logger.error(why)
