"""Whether the servers of one database share what they must: the secret key, and the place of the media.

No server can read another machine's environment. So each has a lock in the database that tells it: an advisory lock,
shared, whose two numbers are what it is of and a fingerprint of what this server has. Whoever sees a lock of the same
kind with another fingerprint knows of a running server that is set up otherwise. Nothing is written, and nothing stays
of a server that has died. docs/decisions/0064-several-machines.md tells why it is only told.

Beside SQLite, which has one machine, there is nothing to compare.
"""

import hmac
import json
import logging
import os
import struct
from hashlib import blake2b
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, NamedTuple

from django.conf import settings
from django.core.signals import request_started
from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connections

from folio.claims import number_of, of_files
from folio.outages import outage
from folio.postgresql.apart import connect_apart, let_be
from folio.postgresql.pools import pools

logger = logging.getLogger(__name__)

SECONDS_VARIABLE = "FOLIO_PEERS_SECONDS"  # for tests, which can't wait for long
SECONDS = float(os.environ.get(SECONDS_VARIABLE, 10))  # between two looks
MISSED = 2  # looks that see no difference any more before it is over: between two transactions a server has no lock
UID = "folio.server.peers.start"
KEY, MEDIA = "secret key", "media"
CLASSES = {KEY: 0x666F6C6B, MEDIA: 0x666F6C6D}  # any two numbers of ours, the first of each lock
SEEN = """
    SELECT DISTINCT l.classid::bigint, l.objid::bigint, host(a.client_addr)
    FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.classid::bigint = ANY(%s)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY 1, 3
"""
TOLD = {
    KEY: (
        "Another server of this database{where} has another FOLIO_SECRET_KEY. Sessions, forms and links to previews of "
        "one are refused by the other, and each signs webhooks in its own way."
    ),
    MEDIA: (
        "Another server of this database{where} keeps its media elsewhere. What is uploaded to one is missing at the "
        "other."
    ),
}
MEND = {
    KEY: "Give all servers the same FOLIO_SECRET_KEY, and restart those that had another one.",
    MEDIA: (
        "Give all servers the same FOLIO_MEDIA, or, where the media are in the data folder, the same FOLIO_DATA_DIR on "
        "a disk that they share, and restart those that had another one."
    ),
}
OVER = {
    KEY: "All servers of this database have the same FOLIO_SECRET_KEY again.",
    MEDIA: "All servers of this database keep their media in the same place again.",
}


class Difference(NamedTuple):
    """What another server has otherwise, and where it is as far as that can be told."""

    kind: str
    address: str | None

    @property
    def sentence(self) -> str:
        return TOLD[self.kind].format(where=f" (at {self.address})" if self.address else "")


def fingerprints() -> dict[str, int]:
    """Return numbers of 32 bits that are the same where two servers have the same; none tells what it is of."""
    key = hmac.digest(str(settings.SECRET_KEY).encode(), b"folio.server.peers", "sha256")
    place = blake2b(media_place().encode()).digest()
    return {KEY: number(key), MEDIA: number(place)}


def number(digest: bytes) -> int:
    found: int = struct.unpack_from(">i", digest)[0]  # as PostgreSQL takes it, with a sign
    return found


def media_place() -> str:
    """Return a text for where the media lie: the bucket as it is named, or the data folder by its own mark.

    A path would say nothing, for it is the same on each machine.
    """
    if settings.MEDIA_BUCKET is not None:
        bucket = settings.MEDIA_BUCKET
        return json.dumps(["s3", bucket.name, bucket.prefix, bucket.endpoint])
    try:
        return json.dumps(["folder", Path(settings.FOLDER_MARK).read_text()])
    except OSError:
        return json.dumps(["folder", None])  # which no server uses


def differences(database: Any) -> list[Difference]:
    """Return what running servers have otherwise than this process, each kind once."""
    own = {(CLASSES[kind], value & 0xFFFFFFFF) for kind, value in fingerprints().items()}
    kinds = {number: kind for kind, number in CLASSES.items()}
    found: dict[str, Difference] = {}
    with database.cursor() as cursor:
        cursor.execute(SEEN, [list(kinds)])
        for first, second, address in cursor:
            if (first, second) not in own:
                found.setdefault(kinds[first], Difference(kinds[first], address))
    return list(found.values())


class Peers:
    """What a worker knows of the other servers, found out by a thread of its own.

    Of the workers of an installation on one machine, one has the lock, and tells the log.
    """

    def __init__(self) -> None:
        self.connection: Any = None
        self.epoch = 0  # of the pools when it was made: whether it leads to what is the database now
        self.speaks = False  # whether this process is the one that has the lock
        self.known: frozenset[str] | None = None  # what differs; None where that is not known
        self.told: dict[str, int] = {}  # what the log was told of, with how many looks have not seen it since
        self.lock = Lock()
        self.is_stopping = Event()
        self.thread: Thread | None = None

    # What is told

    def parts(self) -> dict[str, str]:
        """Return a word for `/readyz`: none is a reason to send no requests."""
        if connections[DEFAULT_DB_ALIAS].vendor != "postgresql":
            return {"peers": "ok"}
        if self.known is None:
            return {"peers": "unknown"}
        return {"peers": WORDS[self.known]}

    def note(self, found: list[Difference]) -> None:
        """Keep what a look found, and tell the log what begins and ends."""
        seen = {each.kind: each for each in found}
        for kind, difference in seen.items():
            if kind not in self.told and self.speaks:
                logger.warning("%s %s", difference.sentence, MEND[kind])
            self.told[kind] = 0
        for kind in [kind for kind in self.told if kind not in seen]:
            self.told[kind] += 1
            if self.told[kind] >= MISSED:
                del self.told[kind]
                if self.speaks:
                    logger.warning(OVER[kind])
        self.known = frozenset(self.told)

    # The lock

    def hold(self, database: Any) -> None:
        """Have the lock, in a transaction that begins anew each time: pgbouncer's PAUSE waits until none is open."""
        self.speaks = self.speaks or speaks_for_the_folder()
        if not self.speaks:
            return
        with database.wrap_database_errors:
            if self.connection is not None:
                if self.epoch == pools.epoch:
                    self.connection.rollback()
                else:
                    self.let_go()
            if self.connection is None:
                self.epoch = pools.epoch
                self.connection = connect_apart(database, "peers")
            let_be(self.connection)
            for kind, value in fingerprints().items():
                self.connection.execute("SELECT pg_try_advisory_xact_lock_shared(%s, %s)", [CLASSES[kind], value])

    def let_go(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.close()

    # The thread

    def start(self) -> None:
        """Look from now on until the process ends; nothing where the settings say so."""
        if not settings.RUN_TASKS or connections[DEFAULT_DB_ALIAS].vendor != "postgresql":
            return
        with self.lock:
            if self.thread is None or not self.thread.is_alive():
                self.thread = Thread(target=self.serve, name="peers", daemon=True)
                self.thread.start()

    def start_with_requests(self) -> None:
        """Start with the first request, where a process may load the program only to fork others."""

        def start(**kwargs: object) -> None:
            request_started.disconnect(dispatch_uid=UID)
            self.start()

        request_started.connect(start, weak=False, dispatch_uid=UID)

    def serve(self) -> None:
        while not self.is_stopping.is_set():
            try:
                self.look()
            except Exception:
                logger.exception("The other servers could not be looked for; it is tried again.")
            self.is_stopping.wait(SECONDS)

    def look(self) -> None:
        """Look once; while the database is away, which others tell, nothing is known."""
        database = connections[DEFAULT_DB_ALIAS]  # this thread's
        try:
            if outage.is_on:
                raise OperationalError
            self.hold(database)
            self.note(differences(database))
        except Error:
            self.known = None
            self.let_go()
        finally:
            connections.close_all()  # back into the pool


WORDS = {
    frozenset(): "ok",
    frozenset({KEY}): "secret key differs",
    frozenset({MEDIA}): "media differ",
    frozenset({KEY, MEDIA}): "secret key and media differ",
}


def speaks_for_the_folder() -> bool:
    """Tell whether this process is the first that has these fingerprints in its data folder, and is still alive."""
    own = fingerprints()
    try:
        return of_files().take(number_of(f"peers:{own[KEY]}:{own[MEDIA]}"))
    except OSError:  # the folder can't be written; better two locks than none
        return True


peers = Peers()
