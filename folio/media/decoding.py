"""Images are decoded in processes of their own, which a hostile file may bring down, and nothing else with them.

This is what the server sees of them; what they do is in `decoder`.
"""

import atexit
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Lock
from typing import IO

import msgspec

from .opening import UnreadableImage
from .orders import (
    LARGEST_ANSWER,
    LENGTH,
    READY,
    Answer,
    Clean,
    Cleaned,
    Decoded,
    Depict,
    Depicted,
    Failed,
    Order,
    OutOfMemory,
    Prepare,
    Refused,
    Render,
    Rendered,
    decode_answer,
    encode,
    receive,
)
from .refusals import DAMAGED, gettext_noop
from .rendering import Wanted

logger = logging.getLogger(__name__)

START_SECONDS = 60  # that it may take to start
# What the interpreter may need to find itself; the other variables are the server's, secrets among them.
VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR")


class DecodersBusy(Exception):
    """No decoder became free in time, or it was killed."""


class Tally:
    """What became of this process's decoders since it began, for whoever watches the server."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.images = self.started = self.lost = self.waited = self.refused = 0

    def add(self, **more: int) -> None:
        with self.lock:
            for name, number in more.items():
                setattr(self, name, getattr(self, name) + number)


tally = Tally()


class Decoder:
    """A process that decodes one image after another, as its owner sees it."""

    def __init__(self, memory: int, seconds: int) -> None:
        self.seconds = seconds
        self.socket, other = socket.socketpair()
        variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        try:
            with other:
                self.process = subprocess.Popen(  # noqa: S603 - a module of ours
                    [sys.executable, "-P", "-m", f"{__package__}.decoder", str(memory), str(seconds)],
                    stdin=other.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={**variables, "PYTHONPATH": os.pathsep.join(sys.path)},
                    start_new_session=True,  # Ctrl-C in a terminal is for the server
                )
        except BaseException:
            self.socket.close()
            raise
        try:
            self.receive(len(READY), time.monotonic() + START_SECONDS)
        except BaseException:
            self.kill()
            raise

    def ask(self, order: Order, *files: IO[bytes]) -> Answer:
        """Return what the process says of a file, and perhaps has written to a second one.

        Raises TimeoutError, or EOFError or another OSError where it ended.
        """
        seconds = min(self.seconds, order.seconds) if isinstance(order, Depict) else self.seconds
        deadline = time.monotonic() + seconds
        what = encode(order)
        socket.send_fds(self.socket, [LENGTH.pack(len(what))], [file.fileno() for file in files])
        self.socket.settimeout(self.seconds)
        self.socket.sendall(what)
        (length,) = LENGTH.unpack(self.receive(LENGTH.size, deadline))
        if length > LARGEST_ANSWER:
            raise OSError("The decoder's answer is too long.")
        return decode_answer(self.receive(length, deadline))

    def receive(self, length: int, deadline: float) -> bytes:
        return receive(self.socket, length, deadline)

    def end(self) -> int:
        """Return the process's exit status, once it has followed from its closed input; a negative one is a signal."""
        self.socket.close()
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(1)
        return self.kill()

    def kill(self) -> int:
        self.socket.close()
        os.killpg(self.process.pid, signal.SIGKILL)  # with what it may have started to look at a film
        return self.process.wait()


class Decoders:
    """A number of decoders for the threads of this process, started when they are needed.

    Variants get all but one of them, so that they keep no upload waiting. Where there is but one, they get another one
    of their own.
    """

    def __init__(self, count: int, memory: int, seconds: int) -> None:
        self.count, self.memory, self.seconds = count, memory, seconds
        self.free: LifoQueue[Decoder | None] = LifoQueue()  # the last one first, so that those too many end
        for _ in range(count):
            self.free.put(None)
        self.free_for_variants = self.free if count > 1 else LifoQueue[Decoder | None]()
        if count == 1:
            self.free_for_variants.put(None)
        self.variants = BoundedSemaphore(max(1, count - 1))

    @property
    def is_idle(self) -> bool:
        """Tell whether none of the decoders that uploads may have is at work."""
        return self.free.qsize() == self.count

    @property
    def busy(self) -> int:
        """How many decoders are at work."""
        own = 0 if self.free_for_variants is self.free else 1 - self.free_for_variants.qsize()
        return max(0, self.count - self.free.qsize() + own)

    def decode(self, file: IO[bytes], max_pixels: int) -> Decoded | None:
        """Return an image of a file on the disk decoded, or None where it is none of an accepted format.

        Raises UnreadableImage where it can't be decoded or would take too many pixels, too much memory or time, and
        DecodersBusy where no decoder becomes free for as long as an image may take, or is left alive.
        """
        return self.prepare(file, None, Prepare(max_pixels, keep_metadata="all"))

    def prepare(self, file: IO[bytes], target: IO[bytes] | None, order: Prepare) -> Decoded | None:
        """Do what `decode()` does, and write to `target` what is to be stored, if that is other than the file.

        Raises what `decode()` raises, and OSError where it can't be written.
        """
        with self.one_of(self.free, self.seconds) as slot:
            answer = judged(self.ask_by(slot, order, file, *([target] if target else [])))
        return answer if isinstance(answer, Decoded) else None

    def clean(self, file: IO[bytes], target: IO[bytes], order: Clean) -> None:
        """Write a file to `target` without private data, as it is ordered; raise what `prepare()` raises."""
        with self.one_of(self.free, self.seconds) as slot:
            answer = judged(self.ask_by(slot, order, file, target))
        if not isinstance(answer, Cleaned):
            raise UnreadableImage(DAMAGED)

    def render(self, file: IO[bytes], max_pixels: int, wanted: Sequence[Wanted], patience: float = 0) -> list[bytes]:
        """Return the first of these variants of an image, one at least; raise what `decode()` raises.

        It is DecodersBusy where none of those for variants is free within the seconds of `patience`.
        """
        if not self.variants.acquire(timeout=patience):
            tally.add(refused=1)
            raise DecodersBusy
        try:
            with self.one_of(self.free_for_variants, patience) as slot:
                answer = judged(self.ask_by(slot, Render(max_pixels, list(wanted)), file))
        finally:
            self.variants.release()
        if not isinstance(answer, Rendered):
            raise UnreadableImage(DAMAGED)
        return answer.variants

    def depict(self, file: IO[bytes], order: Depict) -> Depicted | None:
        """Return what shows a file that is no image; None where nothing can be made of it, for whatever reason.

        Raises DecodersBusy where no decoder becomes free in the order's time, or is left alive.
        """
        with self.one_of(self.free, order.seconds) as slot:
            try:
                answer = judged(self.ask_by(slot, order, file))
            except (UnreadableImage, OSError) as error:
                logger.info("Could not depict a file of the type %s: %s", order.mime_type, error)
                return None
        return answer if isinstance(answer, Depicted) else None

    @contextmanager
    def one_of(self, free: LifoQueue[Decoder | None], patience: float) -> Iterator[list[Decoder | None]]:
        """Yield a list with a decoder in it, or with None in its place, and take back what is in it then."""
        for step in before_waits:
            step()
        slot = [self.one_free(free, patience)]
        try:
            yield slot
        finally:
            free.put(slot[0])

    def one_free(self, free: LifoQueue[Decoder | None], patience: float) -> Decoder | None:
        """Return a decoder that is free within the seconds of `patience`, or None in the place of a new one."""
        with suppress(Empty):
            return free.get_nowait()
        try:
            if not patience:
                raise Empty
            tally.add(waited=1)
            return free.get(timeout=patience)
        except Empty:
            tally.add(refused=1)
            raise DecodersBusy from None

    def ask_by(self, slot: list[Decoder | None], order: Order, *files: IO[bytes]) -> Answer:
        """Return the answer of the decoder in a slot, where it stays only if it is fit for another image."""
        decoder, slot[0] = slot[0], None
        tally.add(images=1)
        slot[0], answer = self.ask(decoder, order, *files)
        return answer

    def ask(self, decoder: Decoder | None, order: Order, *files: IO[bytes]) -> tuple[Decoder | None, Answer]:
        """Return a decoder's answer, and the decoder if it is fit for another image."""
        is_new = decoder is None
        decoder = decoder or self.begun()
        try:
            answer = decoder.ask(order, *files)
        except TimeoutError:
            tally.add(lost=1)
            decoder.kill()
            raise UnreadableImage(
                gettext_noop(
                    "The image takes more time to decode than is allowed. "
                    "Send a smaller version of it, or save it anew."
                )
            ) from None
        except (EOFError, OSError, msgspec.MsgspecError) as error:
            status = decoder.end()
            tally.add(lost=1 if status else 0)
            if status:
                logger.warning("A decoder ended with the status %s before it answered.", status)
            if not is_new:  # not the image's doing, perhaps: it had been idle for long, or killed meanwhile
                return self.ask(None, order, *files)
            if status == -signal.SIGKILL:  # by the system, where memory is short; the decoder's own limits end it else
                raise DecodersBusy from error
            raise UnreadableImage(DAMAGED) from error
        except BaseException:
            decoder.kill()
            raise
        if isinstance(answer, OutOfMemory):
            decoder.end()
            return None, answer
        return decoder, answer

    def begun(self) -> Decoder:
        """Return a new decoder; raise DecodersBusy where it does not come to its first image."""
        tally.add(started=1)
        try:
            return Decoder(self.memory, self.seconds)
        except (EOFError, ConnectionError, TimeoutError) as error:
            logger.warning("A decoder ended before it had started.")
            raise DecodersBusy from error

    def close(self) -> None:
        """End the decoders that are free."""
        for free in {self.free, self.free_for_variants}:
            idle: list[Decoder | None] = []
            with suppress(Empty):
                while True:
                    idle.append(free.get_nowait())
            for decoder in idle:
                if decoder:
                    decoder.end()
                free.put(None)


def open_pools() -> list[Decoders]:
    """Return the decoders of this process, as far as any were asked for."""
    with lock:
        return [pool for key, pool in pools.items() if key[0] == os.getpid()]


def judged(answer: Answer) -> Answer:
    """Return a decoder's answer, or raise UnreadableImage or OSError where it says why it has made nothing."""
    if isinstance(answer, Refused):
        raise UnreadableImage(answer.text, **answer.values)
    if isinstance(answer, Failed):
        raise OSError(answer.errno, os.strerror(answer.errno))
    if isinstance(answer, OutOfMemory):
        raise UnreadableImage(
            gettext_noop(
                "The image takes more memory to decode than is allowed. Send a smaller version of it, or save it anew."
            )
        )
    return answer


lock = Lock()
before_waits: list[Callable[[], object]] = []  # what a thread does that may wait for a decoder
pools: dict[tuple[int, int, int, int], Decoders] = {}


def decoders(count: int, memory: int, seconds: int) -> Decoders:
    """Return this process's decoders: `count` at once, each with so many bytes, and so many seconds for an image."""
    key = (os.getpid(), count, memory, seconds)  # a forked process must not speak to those of its parent
    with lock:
        if key not in pools:
            pools[key] = Decoders(count, memory, seconds)
        return pools[key]


@atexit.register
def close() -> None:
    """End all decoders of this process that are free."""
    with lock:
        for key, pool in pools.items():
            if key[0] == os.getpid():
                pool.close()
