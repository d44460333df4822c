"""What is due to be folded, and how it is folded: in parts, each in one transaction with what it notes as done.

A note is never changed: whoever writes adds one, so that writers neither wait for each other nor for those who fold.
Whoever folds reads notes first, the texts after them, and removes just those notes: a write that comes meanwhile has
its own. One folds at a time, or the older of two readings might be written last.
"""

import logging
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from folio.tasks.models import State, Task
from folio.tasks.queue import enqueue
from folio.tasks.registry import Payload, task

from . import content, vocabulary
from .stores import DUE, STATE, Entry, among, run, store

logger = logging.getLogger(__name__)

FEW = 20  # portfolios that a write folds besides its own, so that it stays quick
NOTES = 10  # that are read for each of them: a write may leave several of one portfolio
BATCH = 500  # portfolios that are folded in one transaction, for which other writers wait
TASK = "portfolios.fold"  # its name and its key
SECONDS = 2  # that it folds for before others have their turn
TELLING = 1  # seconds between two words on how many are left

OF_MANY = f"""
    SELECT x.portfolio_id FROM {DUE} d CROSS JOIN portfolios_portfoliotag x WHERE x.tag_id = d.tag_id
    UNION
    SELECT p.id FROM {DUE} d CROSS JOIN portfolios_portfolio p WHERE p.employer_id = d.employer_id
"""  # what notes of tags and employers are about
Note = tuple[int, int | None, int | None, int | None]  # its id, and whose it is; of everyone where it is of no one


def version() -> str:
    """Return what folded texts depend on besides the texts."""
    return f"{content.VERSION} {unicodedata.unidata_version}"


@dataclass(frozen=True)
class Due:
    """The portfolios whose entries may not be what their texts are, those that are gone included."""

    ids: list[int]
    is_everything: bool = False  # the index tells nothing

    def __bool__(self) -> bool:
        return bool(self.ids) or self.is_everything


def due_now() -> Due:
    """Return what is due, in one query where nothing of many is: PostgreSQL takes milliseconds to plan for more."""
    notes = run(f"SELECT DISTINCT portfolio_id, tag_id, employer_id FROM {DUE}")
    if (None, None, None) in notes:
        return Due([pk for (pk,) in run("SELECT id FROM portfolios_portfolio")], True)
    found = {portfolio for portfolio, _, _ in notes if portfolio is not None}
    if len(found) < len(notes):
        found.update(pk for (pk,) in run(OF_MANY))  # what was folded meanwhile is not due any more
    return Due(sorted(found))


def is_anything_due() -> bool:
    return bool(run(f"SELECT 1 FROM {DUE} LIMIT 1"))


def fold_some(start: int = 0) -> int | None:
    """Fold up to BATCH portfolios, of those that have waited longest; return the first note, None where none was done.

    To be called within a transaction. Notes before `start` are left out. A note of many, such as a renamed tag's, is
    first made into one for each of them.
    """
    notes = first_notes(BATCH, start)
    return notes[0][0] if fold_noted(notes, BATCH, split=True) else None


def first_notes(most: int, start: int = 0) -> list[Note]:
    """Return the oldest notes of so many portfolios, those before `start` left out."""
    # A program of another version, which goes on beside this one in an update, leaves folding to those that made it.
    is_ours = f"EXISTS (SELECT 1 FROM {STATE} WHERE version = %s)"
    sql = f"SELECT * FROM {DUE} WHERE id >= %s AND {is_ours} ORDER BY id LIMIT %s"
    return run(sql, [start, version(), NOTES * most])


def fold_noted(notes: list[Note], most: int, *, split: bool) -> bool:
    if not notes or not store().take_turn():
        return False
    ids: set[int] = set()
    done: list[int] = []
    for note, portfolio, tag, employer in notes:
        if portfolio is not None:
            found = [portfolio]
        else:
            sql, parameters = portfolios_of(tag, employer)
            found = [pk for (pk,) in run(f"{sql} LIMIT %s", [*parameters, most + 1])]
            if len(found) > most:
                if not split:
                    continue
                run(f"INSERT INTO {DUE} (portfolio_id) {sql}", parameters)
                found = []
        if done and len(ids.union(found)) > most:
            break
        ids.update(found)
        done.append(note)
    put(list(ids))
    condition, parameter = among(done)
    run(f"DELETE FROM {DUE} WHERE id {condition}", [parameter])
    return bool(done)


def portfolios_of(tag: int | None, employer: int | None) -> tuple[str, list[Any]]:
    """Return the SELECT of the portfolios with the tag or employer, or of all."""
    if tag is not None:
        return "SELECT portfolio_id FROM portfolios_portfoliotag WHERE tag_id = %s", [tag]
    if employer is not None:
        return "SELECT id FROM portfolios_portfolio WHERE employer_id = %s", [employer]
    return "SELECT id FROM portfolios_portfolio WHERE true", []


def put(ids: list[int]) -> None:
    """Make the entries of these portfolios what their texts are."""
    found = content.read(ids)
    entries = [entry_of(texts) for texts in found]
    if entries:
        store().put(entries)
        words = set().union(*(entry.words for entry in entries))
        store().learn(vocabulary.of(words))
    store().forget(set(ids).difference(entry.pk for entry in entries))


def entry_of(texts: content.Texts) -> Entry:
    """Return what the index is to hold: visitors don't find a draft, so it holds no words of one."""
    words = texts.words() if texts.is_active else {}
    return Entry(texts.pk, texts.parts(), words, is_timed=bool(words) and texts.is_timed)


def fold_with_a_write() -> None:
    """Fold what a write has changed, in its transaction, and some of what else is due.

    A text that can't be folded, such as bytes that another program wrote to SQLite, must not keep Folio from writing.
    """
    notes = [] if connection.needs_rollback else first_notes(FEW)
    if notes:
        try:
            with transaction.atomic():
                fold_noted(notes, FEW, split=False)
        except Exception:
            logger.exception("What was written could not be folded for the search; a task tries it again.")


def fold_all(tell: Callable[[int], None] = lambda count: None) -> None:
    """Fold whatever is due, in many transactions; `tell` is told how many notes are left, each second and at last."""
    next_time, start = 0.0, 0
    while True:
        with transaction.atomic():
            # PostgreSQL would pass all that were removed before the first one that is left, again and again.
            first = fold_some(start)
        if first is None and not start:
            break
        start = first or 0  # at last from the beginning: of a transaction that took long, older ones may have come
        if monotonic() >= next_time:  # to count them takes as long as to fold some, where there are millions
            tell(run(f"SELECT COUNT(*) FROM {DUE}")[0][0])
            next_time = monotonic() + TELLING
    tell(0)


@task(TASK)
def fold_what_is_due(payload: Payload) -> datetime | None:
    """Fold for a while, and go on at once where something is left."""
    end = monotonic() + SECONDS
    while monotonic() < end:
        with transaction.atomic():
            if fold_some() is None:
                return None
    return timezone.now()


def look_for_due() -> None:
    """Have a task fold what another program wrote, or what is left of what Folio did."""
    if is_anything_due() and not Task.objects.filter(key=TASK).exclude(state=State.FAILED).exists():
        enqueue(TASK, key=TASK)


def is_outdated() -> bool:
    """Tell whether the index was folded in another way, or missed what was written."""
    return run(f"SELECT version FROM {STATE}") != [(version(),)] or store().missing_triggers()


def is_made() -> bool:
    """Tell whether the migration that makes the tables was applied."""
    return DUE in connection.introspection.table_names()


def begin() -> bool:
    """Have everything noted from now on; where it was not until now, make all due. Tell whether it was so.

    What is due is folded by the next writes and tasks, or by `fold_all()`; searches are right meanwhile, and slow.
    """
    with transaction.atomic():
        store().make()
        if not is_outdated():
            return False
        store().make_triggers()
        begin_anew()
    return True


def begin_anew() -> int:
    """Forget the index, and make all due; return how many that are. To be called within a transaction."""
    store().clear()
    run(f"DELETE FROM {DUE}")
    run(f"INSERT INTO {DUE} (portfolio_id) SELECT id FROM portfolios_portfolio")
    run(f"DELETE FROM {STATE}")
    run(f"INSERT INTO {STATE} VALUES (%s)", [version()])
    return int(run(f"SELECT COUNT(*) FROM {DUE}")[0][0])


def follow_migrations(verbosity: int = 1, **kwargs: Any) -> None:
    """Have triggers and index be what they should be after every migration.

    Where Django makes a table anew, as it does on SQLite for many a change of a column, its triggers are gone, and
    nobody knows what was written meanwhile.
    """
    if is_made() and begin():
        fold_all()
        with transaction.atomic():
            store().settle()
