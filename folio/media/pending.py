"""The journal of files in object storage: names whose fate is undecided stand in the database, which all machines have.

A name is on record, in a transaction of its own, before its file is put; the transaction that writes the row takes it
off. So a name on record has no row, whoever looks. It has an owner: an operation, known by the number of a lock that
its end or its process's death frees. What an owner leaves on record goes: the names are moved, in one transaction, to
those of removed files (`RemovedFile`), whose files are removed at once, and again later, when nothing can be on its way
to them any more. A row that would take a name off which was moved meanwhile is not written.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import Error, IntegrityError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from folio.claims import claim_number
from folio.postgresql.pools import give_back
from folio.tasks.queue import enqueue
from folio.tasks.registry import Payload, task

from . import removing
from .models import FormerName, Media, PendingFile, RemovedFile, Thumbnail

logger = logging.getLogger(__name__)

TASK = "media.recover"
ATTEMPTS = 20  # at names that nobody has or had
NUMBER_BITS = 62  # of an owner: PostgreSQL's numbers and a file's places have a sign
RECOVER_EVERY = timedelta(seconds=60)  # while anything is on record
# For whoever removes files at once, before the task does.
AT_ONCE = timedelta(seconds=30)
# After which nothing that was sent to the storage is still on its way: a put ends within two minutes, however it ends,
# and a picture is made within less.
LATE = timedelta(minutes=10)
# In the place of a media's id: whose the files were that never had a row, or are to go without a grace; and whose they
# were once they have been removed for the first time.
NOBODY, GONE = 0, -1


class Lost(OperationalError):
    """Someone has taken this process for dead, for its lock was lost, and removes the files that it has put."""


class Owner:
    """An operation that has names on record, and holds the lock by which others know that it is at work."""

    def __init__(self) -> None:
        self.number = secrets.randbits(NUMBER_BITS)
        self.names: set[str] = set()  # those that may be on record yet
        take, self.free = claim_number(self.number)
        if not take():
            raise OperationalError("The lock of a new operation is taken.")


class Mine(threading.local):
    """The owners of this thread that have not come to their end."""

    def __init__(self) -> None:
        self.owners: list[Owner] = []


mine = Mine()


# While the files are put


def claim(names: Callable[[bool], list[str]], is_other: bool = False) -> list[str]:
    """Put names on record which nobody else has, or had, or will have, and return them.

    `names` is asked for some, and, where these are taken or `is_other`, for others. Call it in an `operation()`,
    outside of transactions: others are to see it, and nobody is to wait.
    """
    if connection.in_atomic_block:
        raise transaction.TransactionManagementError("Files are put into a bucket before the transaction.")
    owner = current()
    for attempt in range(ATTEMPTS):
        wanted = names(is_other or attempt > 0)
        owner.names.update(wanted)
        try:
            with transaction.atomic():
                PendingFile.objects.bulk_create([PendingFile(name=name, owner=owner.number) for name in wanted])
                # After it, not before: whoever had a name on record has either taken it off or got a row by now.
                is_free = not are_taken(wanted)
                if is_free:
                    enqueue(TASK, due=timezone.now() + RECOVER_EVERY, key=TASK)
                else:
                    transaction.set_rollback(True)
        except IntegrityError:
            is_free = False
        if is_free:
            give_back()
            return wanted
        owner.names.difference_update(wanted)
    raise FileExistsError(f"No name like {wanted[0]} is free.")


def current() -> Owner:
    if not mine.owners:
        mine.owners.append(Owner())
    return mine.owners[-1]


def are_taken(names: Sequence[str]) -> bool:
    """Tell whether a row has one of these names, or had it; asked at once, for names move between the tables."""

    def of(rows: QuerySet, field: str) -> QuerySet:  # type: ignore[type-arg]
        return rows.order_by().filter(**{f"{field}__in": names}).values_list(field, flat=True)

    found = of(Media.objects.all(), "file").union(
        of(Thumbnail.objects.all(), "file"),
        of(RemovedFile.objects.all(), "name"),
        of(FormerName.objects.all(), "name"),
        all=True,
    )
    return bool(found[:1])


def give_up(names: Sequence[str]) -> None:
    """Take names off record that turned out to be another program's files: these stay."""
    PendingFile.objects.filter(name__in=names, owner=current().number).delete()
    forget(names)


def take_off(names: Sequence[str]) -> None:
    """Take names off record in the transaction that writes their rows; raise Lost where one was given to removal."""
    if not names:
        return
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Names are taken off record with their rows.")
    numbers = [owner.number for owner in mine.owners]
    count, _ = PendingFile.objects.filter(name__in=names, owner__in=numbers).delete()
    if count != len(names):
        raise Lost("Files that were put are being removed, for the connection was lost that told of their owner.")
    transaction.on_commit(lambda: forget(names))


def forget(names: Iterable[str]) -> None:
    for owner in mine.owners:
        owner.names.difference_update(names)


# Afterwards


def settle() -> None:
    """Have the files removed that this thread's operations have put in vain; to be called when they have ended.

    What the database can't be asked for stays for the next time.
    """
    while mine.owners:
        owner = mine.owners[0]
        names: list[str] = []
        if owner.names:
            try:
                names = condemn(owner.number)
            except Error:
                logger.exception("Could not ask the database which files are used. They are looked at again later.")
                return
        mine.owners.pop(0)
        owner.free()
        sweep(names)


def condemn(owner: int | None) -> list[str]:
    """Have an owner's names go from the record to the files to be removed, and return them.

    Where the transaction of a row is just taking one off, this waits for its end: a commit of a process that died, or
    lost its connection, may still be carried out.
    """
    now = timezone.now()
    with transaction.atomic():
        rows = PendingFile.objects.filter(owner=owner)
        names = sorted(rows.select_for_update().values_list("name", flat=True))
        if names:
            rows.filter(name__in=names).delete()
            let_go(names, now)
    return names


def let_go(names: Iterable[str], now: datetime) -> None:
    """Write down, in the running transaction, that these files are to go; whoever does calls `sweep()` after it."""
    due = now + AT_ONCE
    RemovedFile.objects.bulk_create(
        [RemovedFile(name=name, media_id=NOBODY, remove_at=due) for name in names],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["media_id", "remove_at"],
    )
    enqueue(removing.TASK, due=due, key=removing.TASK)


def sweep(names: Iterable[str]) -> None:
    """Remove files that were let go, and write down that they are looked for once more.

    What can't be removed the task removes: it is not this thread's to wait for.
    """
    rows = RemovedFile.objects.filter(name__in=sorted(names), media_id=NOBODY)
    try:
        known = dict(rows.order_by("name").values_list("name", "pk")) if names else {}
        gone = []
        for name, pk in known.items():
            if not removing.remove(name):
                break
            gone.append(pk)
        if gone:
            removed(gone)
    except Error:
        logger.exception("Could not write down which files were removed. They are looked for again later.")


def removed(rows: Sequence[int]) -> None:
    """Have files that were removed looked for once more: what was on its way to them may have come since."""
    RemovedFile.objects.filter(pk__in=rows).update(media_id=GONE, remove_at=timezone.now() + LATE)


class Sweep:
    """What a transaction that deletes rows has let go, to be removed once it is committed."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __call__(self) -> None:
        sweep(self.names)


def let_go_after_commit(names: Iterable[str]) -> None:
    """Have files go, without a grace, once the running transaction is committed."""
    names = set(names)
    let_go(names, timezone.now())
    # One that is of a savepoint which was rolled back is not there any more; names of such are none of those let go.
    found = next((hook[1] for hook in connection.run_on_commit if isinstance(hook[1], Sweep)), None)
    if found is None:
        found = Sweep()
        transaction.on_commit(found, robust=True)
    found.names |= names


def recover() -> int:
    """Have the files removed whose owners have died, of whichever machine; return how many owners that were."""
    count = 0
    for number in list(PendingFile.objects.order_by().values_list("owner", flat=True).distinct()):
        take, free = claim_number(number or 0)
        if not take():
            continue
        try:
            names = condemn(number)
        finally:
            free()
        count += bool(names)
        sweep(names)
    return count


@task(TASK)
def recover_again(payload: Payload) -> datetime | None:
    recover()
    return timezone.now() + RECOVER_EVERY if PendingFile.objects.exists() else None


def release() -> None:
    """Give up what this thread has on record, so that the next `recover()` removes it."""
    while mine.owners:
        mine.owners.pop().free()
