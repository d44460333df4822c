"""How often each one has asked, counted by all workers of a machine together, in a file of a bounded size.

Where FOLIO_REDIS_URL names a Redis, all machines count there; the file is for when it doesn't answer.

The file is a table of slots, in buckets: who asks belongs to one bucket, by a keyed digest, and has any of its slots. A
slot holds the rest of the digest and one moment: when all that was asked for would have been asked at the steady rate.
That one number is the whole count (the "generic cell rate algorithm" of ATM networks), and a slot whose moment is past
is free. docs/decisions/0035-the-edge-of-what-is-public.md and 0063-limits.md tell why.
"""

import fcntl
import logging
import math
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

from django.conf import settings

from .shared import digest_of, shared

logger = logging.getLogger(__name__)

SLOT = struct.Struct("<Qd")  # a part of the digest, and the moment in seconds since the epoch
SLOTS = 8  # of a bucket
BUCKET = SLOT.size * SLOTS  # bytes
BUCKETS = 1 << 14  # two megabytes in all, for 131,072 names at a time
EMPTY = (0, 0.0)
TURN = 0.1  # seconds that a request waits for others that are being counted
TOLD = 60.0  # seconds in which it is said once that nothing can be counted
# The same count in Redis, by its own clock: that of one machine may be wrong. Moments pass, and with them the key.
TAKE = """
local now = tonumber(ARGV[3])
if not now then
    local time = redis.call('TIME')
    now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local step, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local moment = tonumber(redis.call('GET', KEYS[1])) or now
moment = math.min(math.max(moment, now), now + seconds)
if moment + step > now + seconds + step * 1e-6 then
    return {0, string.format('%.9f', moment - now)}
end
moment = moment + step
redis.call('SET', KEYS[1], string.format('%.17g', moment), 'PX', math.ceil((moment - now) * 1000))
return {1, string.format('%.9f', moment - now)}
"""


class Standing(NamedTuple):
    """How often one may still ask, after a request of theirs was counted, or refused."""

    wait: int  # whole seconds until the next request is heard; 0 where this one was
    left: int  # requests that are heard if they come now
    window: int  # whole seconds in which these are certain to be heard, and more may not be


def standing(ahead: float, step: float, seconds: int, is_heard: bool) -> Standing:
    """Return how one stands whose moment is so many seconds ahead of now."""
    until_next = max(1, math.ceil(ahead + step - seconds))
    if not is_heard:
        return Standing(until_next, 0, until_next)
    left = max(0, math.floor((seconds - ahead) / step + 1e-6))
    return Standing(0, left, math.ceil(ahead) if left else until_next)


class Rates:
    """The counts; no method raises an error of the disk or of Redis, which must not keep anybody out."""

    def __init__(self) -> None:
        self.turn = Lock()  # the system knows locks on files by process
        self.file: tuple[int, str] | None = None
        self.told_at = -math.inf

    def take(self, name: str, number: int, seconds: int, now: float | None = None) -> Standing | None:
        """Count a request; return how its sender stands: to wait where `number` in `seconds` were asked for already.

        So many may come at once, and then one more whenever its part of the time is over. What is refused is not
        counted. None where it was let through uncounted.
        """
        step = seconds / number
        if (together := shared()) is not None:
            found = together.run(TAKE, [f"rate {name}"], [step, seconds, "" if now is None else now])
            if found is not None:
                return standing(float(found[1]), step, seconds, found[0] == 1)
        now = time.time() if now is None else now
        digest = digest_of(name)
        place = int.from_bytes(digest[:8]) % BUCKETS * BUCKET
        tag = int.from_bytes(digest[8:]) or 1
        try:
            with self.alone(place) as file:
                return take_slot(file, place, tag, now, step, seconds)
        except OSError:
            if time.monotonic() - self.told_at >= TOLD:
                self.told_at = time.monotonic()
                logger.exception("Requests are not counted: %s can't be used", settings.RATES_PATH)
            return None

    @contextmanager
    def alone(self, place: int) -> Iterator[int]:
        """Give the bucket at that place of the file to this request alone, for a moment."""
        with self.turn:
            file = self.opened()
            lock(file, place)
            try:
                yield file
            finally:
                fcntl.lockf(file, fcntl.LOCK_UN, BUCKET, place)

    def opened(self) -> int:
        path = str(settings.RATES_PATH)
        if self.file is None or self.file[1] != path:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), path
        return self.file[0]


def lock(file: int, place: int) -> None:
    """Lock the bucket at that place; raise OSError where another process keeps it, which may have been stopped."""
    end = time.monotonic() + TURN
    while True:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, BUCKET, place)
        except (BlockingIOError, PermissionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.001)
        else:
            return


def take_slot(file: int, place: int, tag: int, now: float, step: float, seconds: int) -> Standing:
    """Count in the bucket at that place; where it is full of others, the one whose moment is next gives way."""
    content = os.pread(file, BUCKET, place).ljust(BUCKET, b"\0")
    slots = list(SLOT.iter_unpack(content))
    mine = next((index for index, slot in enumerate(slots) if slot[0] == tag), None)
    # Not later than it can have become: the clock, or the setting, may have been put back.
    moment = now if mine is None else min(max(slots[mine][1], now), now + seconds)
    if moment + step > now + seconds + step * 1e-6:
        return standing(moment - now, step, seconds, is_heard=False)
    if mine is None:
        mine = min(range(SLOTS), key=lambda index: slots[index][1])
    moment += step
    os.pwrite(file, SLOT.pack(tag, moment), place + mine * SLOT.size)
    return standing(moment - now, step, seconds, is_heard=True)


rates = Rates()
