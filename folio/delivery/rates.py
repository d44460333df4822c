"""How often each address has asked, counted by all workers of a machine together, in a file of a bounded size.

The file is a table of slots, in buckets: an address belongs to one bucket, by a keyed digest, and has any of its
slots. A slot holds the rest of the digest and one moment: when all that the address has asked for would have been asked
at the steady rate. That one number is the whole count (the "generic cell rate algorithm" of ATM networks), and a slot
whose moment is past is free. docs/decisions/0035-the-edge-of-what-is-public.md tells why.
"""

import fcntl
import logging
import math
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from threading import Lock

from django.conf import settings

logger = logging.getLogger(__name__)

SLOT = struct.Struct("<Qd")  # a part of the digest, and the moment in seconds since the epoch
SLOTS = 8  # of a bucket
BUCKET = SLOT.size * SLOTS  # bytes
BUCKETS = 1 << 14  # two megabytes in all, for 131,072 addresses at a time
EMPTY = (0, 0.0)


class Rates:
    """The counts of this machine; no method raises an error of the disk, which must not keep anybody out."""

    def __init__(self) -> None:
        self.turn = Lock()  # the system knows locks on files by process
        self.file: tuple[int, str] | None = None

    def take(self, address: str, number: int, seconds: int, now: float | None = None) -> int:
        """Count a request; return 0, or the whole seconds to wait where `number` in `seconds` were asked for already.

        So many may come at once, and then one more whenever its part of the time is over. What is refused is not
        counted. An address that is unknown is let through.
        """
        if not address:
            return 0
        now = time.time() if now is None else now
        digest = blake2b(address.encode(), key=str(settings.SECRET_KEY).encode()[:64], digest_size=16).digest()
        place = int.from_bytes(digest[:8]) % BUCKETS * BUCKET
        tag = int.from_bytes(digest[8:]) or 1
        try:
            with self.alone(place) as file:
                return take_slot(file, place, tag, now, seconds / number, seconds)
        except OSError:
            logger.exception("Public requests are not counted: %s can't be used", settings.RATES_PATH)
            return 0

    @contextmanager
    def alone(self, place: int) -> Iterator[int]:
        """Give the bucket at that place of the file to this request alone, for a moment."""
        with self.turn:
            file = self.opened()
            fcntl.lockf(file, fcntl.LOCK_EX, BUCKET, place)
            try:
                yield file
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN, BUCKET, place)

    def opened(self) -> int:
        path = str(settings.RATES_PATH)
        if self.file is None or self.file[1] != path:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), path
        return self.file[0]


def take_slot(file: int, place: int, tag: int, now: float, step: float, seconds: int) -> int:
    """Count in the bucket at that place; where it is full of others, the one whose moment is next gives way."""
    content = os.pread(file, BUCKET, place).ljust(BUCKET, b"\0")
    slots = list(SLOT.iter_unpack(content))
    mine = next((index for index, slot in enumerate(slots) if slot[0] == tag), None)
    # Not later than it can have become: the clock, or the setting, may have been put back.
    moment = now if mine is None else min(max(slots[mine][1], now), now + seconds)
    if moment + step > now + seconds + step * 1e-6:
        return max(1, math.ceil(moment + step - now - seconds))
    if mine is None:
        mine = min(range(SLOTS), key=lambda index: slots[index][1])
    os.pwrite(file, SLOT.pack(tag, moment + step), place + mine * SLOT.size)
    return 0


rates = Rates()
