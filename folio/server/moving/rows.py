"""Rows: read, told apart by a digest, written as they are, and counted up from where their table was."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

from django.db import IntegrityError, connections, transaction

from . import SOURCE, TARGET, Refused, listed
from .ends import MADE, be_patient, contents, lock, not_empty, told
from .faults import Checks, checks_of, unreadable, where
from .tables import Model, columns, counted_field, tables

AT_A_TIME = 100  # rows that are fetched together: some have megabytes
EVERY = 1 << 128
DIGITS = 12  # of a digest, as it is shown
Tell = Callable[[int], object]  # is told how many rows more are done


class Facts(NamedTuple):
    """What a table is compared by."""

    rows: int
    digest: str  # of all rows, in whatever order
    last: int | None  # the highest id that was ever given; None where ids are not counted


def read(model: Model, alias: str) -> Iterator[tuple[Any, ...]]:
    """Yield a table's rows as Python knows them, few of them in memory at a time."""
    names = [field.attname for field in columns(model)]
    yield from model._base_manager.using(alias).order_by().values_list(*names).iterator(chunk_size=AT_A_TIME)


# Comparing


def facts_of(model: Model, alias: str, tell: Tell, look: Callable[[tuple[Any, ...]], object] | None = None) -> Facts:
    """Return what a table is compared by; `look` is given each row."""
    count = total = 0
    for row in read(model, alias):
        if look is not None:
            look(row)
        total = (total + int.from_bytes(blake2b(plain(row), digest_size=16).digest())) % EVERY
        count += 1
        tell(1)
    return Facts(count, f"{total:032x}", last_of(model, alias))


def plain(row: tuple[Any, ...]) -> bytes:
    """Return a row as bytes that are the same from each database."""
    return json.dumps([alike(value) for value in row], sort_keys=True, default=str).encode()


def alike(value: Any) -> Any:
    """Return a value as JSON has it; 1.0 and 1 are one number to PostgreSQL's documents."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, list):
        return [alike(each) for each in value]
    if isinstance(value, dict):
        return {name: alike(each) for name, each in value.items()}
    return value


def checked(tell: Tell) -> dict[Model, Facts]:
    """Return what there is in each table of the source; raise Refused for what the target would not take."""
    found: dict[Model, Facts] = {}
    faults: list[str] = []
    for model in tables():
        try:
            found[model] = facts_of(model, SOURCE, tell, partial(look_at, model, checks_of(model), faults))
        except Exception:  # whatever a field raises at what it is not made for
            bad = list(unreadable(model))
            if not bad:
                raise
            faults += bad
    try:
        connections[SOURCE].check_constraints()
    except IntegrityError as error:
        faults.append(str(error))
    if faults:
        raise Refused(
            f"There are values that the target can't hold: {len(faults):,}. Nothing was written. Correct them in the "
            f"source, and start the move again.{listed(faults)}"
        )
    return found


def look_at(model: Model, checks: Checks, faults: list[str], row: tuple[Any, ...]) -> None:
    for place, field, check in checks:
        if (fault := check(row[place])) is not None:
            faults.append(f"{where(model, row[columns(model).index(model._meta.pk)], field)}: {fault}")


def facts_of_all(alias: str, tell: Tell) -> dict[Model, Facts]:
    return {model: facts_of(model, alias, tell) for model in tables()}


def different(facts: dict[Model, Facts], others: dict[Model, Facts]) -> list[str]:
    """Return, in words, in which tables the target is not what the source is."""
    return [
        f"{model._meta.db_table}: {in_words(each)}; in the target {in_words(others[model])}"
        for model, each in facts.items()
        if each != others[model]
    ]


def in_words(facts: Facts) -> str:
    last = "" if facts.last is None else f", the last id {facts.last}"
    return f"{facts.rows:,} rows, digest {facts.digest[:DIGITS]}{last}"


# Writing


def carry(facts: dict[Model, Facts], tell: Tell, tell_compared: Tell) -> None:
    """Write all rows into the empty target, and compare them there, in one transaction of it."""
    connections[TARGET].close()  # it may have been ended while files were copied
    with told(TARGET, "Nothing of the rows was kept there. Go on with the same command."), transaction.atomic(TARGET):
        have_alone()
        for model in reversed(tables()):
            if model in MADE:
                run(f"DELETE FROM {name_of(model, TARGET)}")  # noqa: S608 names alone
        for model in tables():
            write(model, tell)
            if connections[TARGET].vendor == "postgresql":  # SQLite would look at all tables each time
                connections[TARGET].check_constraints()  # so that the server need not keep all of them in mind
            if (last := facts[model].last) is not None:
                count_from(model, last)
        if differences := different(facts, facts_of_all(TARGET, tell_compared)):
            raise Refused(f"The rows did not arrive as they are, and were not kept.{listed(differences)}")


def have_alone() -> None:
    """Keep others from writing to the target until the transaction ends; raise Refused unless it is empty."""
    database: Any = connections[TARGET]
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            be_patient(cursor)
            lock(cursor, TARGET, "EXCLUSIVE", "Something uses it. Stop what does.")
    if found := contents(tables()):
        raise not_empty(found)


def run(sql: str, parameters: list[Any] | None = None) -> None:
    with connections[TARGET].cursor() as cursor:
        cursor.execute(sql, parameters)


def name_of(model: Model, alias: str) -> str:
    return str(connections[alias].ops.quote_name(model._meta.db_table))


def write(model: Model, tell: Tell) -> None:
    """Write a table's rows, with their ids and moments, past all that a model does when it is saved."""
    database: Any = connections[TARGET]
    kept = [(place, field) for place, field in enumerate(columns(model)) if not field.generated]
    names = ", ".join(database.ops.quote_name(field.column) for _, field in kept)
    table = name_of(model, TARGET)

    def prepared() -> Iterator[list[Any]]:
        for row in read(model, SOURCE):
            yield [field.get_db_prep_save(row[place], database) for place, field in kept]
            tell(1)

    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            with database.wrap_database_errors, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in prepared():
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(kept))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", prepared())  # noqa: S608 names alone


# Ids that are counted up


def last_of(model: Model, alias: str) -> int | None:
    """Return the highest id that a table has ever given, also to rows that are gone; None where it counts none."""
    database: Any = connections[alias]
    field = counted_field(model)
    if field is None:
        return None
    with database.cursor() as cursor:
        if database.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
            found = cursor.fetchone()
            given = int(found[0]) if found else 0
        else:
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [name_of(model, alias), field.column])
            [(sequence,)] = cursor.fetchall()
            cursor.execute(f"SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {sequence}")  # noqa: S608
            [(given,)] = cursor.fetchall()
        column = database.ops.quote_name(field.column)
        cursor.execute(f"SELECT max({column}) FROM {name_of(model, alias)}")  # noqa: S608 names alone
        [(highest,)] = cursor.fetchall()
    return max(given, highest or 0)


def count_from(model: Model, last: int) -> None:
    """Have the table's next id be the one after `last`."""
    table = model._meta.db_table
    if connections[TARGET].vendor == "sqlite":
        run("DELETE FROM sqlite_sequence WHERE name = %s", [table])
        if last:
            run("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
        return
    parameters = [name_of(model, TARGET), counted_field(model).column, max(last, 1), last > 0]
    run("SELECT setval(pg_get_serial_sequence(%s, %s), %s, %s)", parameters)
