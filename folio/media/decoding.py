"""Images are decoded in processes of their own, which a hostile file may bring down, and nothing else with them.

A decoder is `python -m folio.media.decoding MEMORY SECONDS`. It knows neither Django nor the server's environment. By
the socket that is its standard input it gets one open file after another, each with what is wanted of it: thumbnails,
or some variants. It answers each with a msgpack object behind its length in four bytes. It ends when the server does,
when it has had nothing to do for a while, and after a number of images.
"""

import atexit
import logging
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from threading import BoundedSemaphore, Lock
from typing import IO

import msgspec
from PIL import AvifImagePlugin, Image

from .opening import FORMATS, ImageHeader, UnreadableImage, load, read_header
from .refusals import DAMAGED, gettext_noop
from .rendering import Wanted, render
from .standing_in import dominant_color, open_in_srgb, placeholder
from .thumbnails import scale_of_thumbnails, shrink

logger = logging.getLogger(__name__)

IMAGES = 500  # that a decoder decodes before it makes place for a new one
IDLE_SECONDS = 60  # that it waits for another image
START_SECONDS = 60  # that it may take to start
MEMORY_AT_REST = 32 * 1024 * 1024  # bytes that Python, Pillow and their threads take before the first image
NICENESS = 5  # reads go before
CODEC_THREADS = 2  # each takes memory of its own
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes; four thumbnails as BMP have 6 million
ENOUGH_VARIANTS = LARGEST_ANSWER // 4  # bytes of variants after which no further one is begun
SHARE_OF_TIME = 3  # of the time for an image, that after which no further variant of it is begun
REQUEST = struct.Struct(">QI")  # the most pixels that are accepted, and the bytes of what is wanted, which follow
LENGTH = struct.Struct(">I")
READY = b"\0"
# What the interpreter may need to find itself; the other variables are the server's, secrets among them.
VARIABLES = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR")


class DecodersBusy(Exception):
    """No decoder became free in time, or it was killed."""


class Decoded(msgspec.Struct, tag=True):
    """An image's header in plain values, its thumbnails by the edge of their box, and what stands in for it."""

    format: str
    mode: str
    width: int
    height: int
    thumbnails: dict[int, bytes]
    dominant_color: str
    placeholder: str
    is_animated: bool
    is_transparent: bool

    @property
    def header(self) -> ImageHeader:
        return ImageHeader(FORMATS[self.format], self.mode, self.width, self.height, self.is_animated)


class Rendered(msgspec.Struct, tag=True):
    """The first of the variants that were wanted, one at least; there was no time or room for the others."""

    variants: list[bytes]


class NoImage(msgspec.Struct, tag=True):
    """The file is no image of an accepted format, or a damaged one."""


class Refused(msgspec.Struct, tag=True):
    """The image isn't decoded, for a reason that its sender is told."""

    text: str
    values: dict[str, str]


class OutOfMemory(msgspec.Struct, tag=True):
    """The image needs more memory than the decoder has."""


Answer = Decoded | Rendered | NoImage | Refused | OutOfMemory
decode_answer = msgspec.msgpack.Decoder(Answer).decode
decode_wanted = msgspec.msgpack.Decoder(list[Wanted]).decode


def receive(connection: socket.socket, length: int, deadline: float) -> bytes:
    """Return so many bytes; raise TimeoutError after the deadline, a monotonic time, or EOFError at the end."""
    data = bytearray(length)
    rest = memoryview(data)
    while rest:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        received = connection.recv_into(rest)
        if not received:
            raise EOFError
        rest = rest[received:]
    return bytes(data)


class Decoder:
    """A process that decodes one image after another, as its owner sees it."""

    def __init__(self, memory: int, seconds: int) -> None:
        self.seconds = seconds
        self.socket, other = socket.socketpair()
        variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
        try:
            with other:
                self.process = subprocess.Popen(  # noqa: S603 - this very file
                    [sys.executable, "-P", "-m", __name__, str(memory), str(seconds)],
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

    def ask(self, file: IO[bytes], max_pixels: int, wanted: Sequence[Wanted] = ()) -> Answer:
        """Return what the process says of a file; raise TimeoutError, or EOFError or another OSError where it ended.

        It makes thumbnails unless variants are wanted.
        """
        deadline = time.monotonic() + self.seconds
        what = msgspec.msgpack.encode(wanted)
        socket.send_fds(self.socket, [REQUEST.pack(max_pixels, len(what))], [file.fileno()])
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
        self.process.kill()
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

    def decode(self, file: IO[bytes], max_pixels: int) -> Decoded | None:
        """Return an image of a file on the disk decoded, or None where it is none of an accepted format.

        Raises UnreadableImage where it can't be decoded or would take too many pixels, too much memory or time, and
        DecodersBusy where no decoder becomes free for as long as an image may take, or is left alive.
        """
        with self.one_of(self.free, self.seconds) as slot:
            answer = judged(self.ask_by(slot, file, max_pixels))
        return answer if isinstance(answer, Decoded) else None

    def render(self, file: IO[bytes], max_pixels: int, wanted: Sequence[Wanted], patience: float = 0) -> list[bytes]:
        """Return the first of these variants of an image, one at least; raise what `decode()` raises.

        It is DecodersBusy where none of those for variants is free within the seconds of `patience`.
        """
        if not self.variants.acquire(timeout=patience):
            raise DecodersBusy
        try:
            with self.one_of(self.free_for_variants, patience) as slot:
                answer = judged(self.ask_by(slot, file, max_pixels, wanted))
        finally:
            self.variants.release()
        if not isinstance(answer, Rendered):
            raise UnreadableImage(DAMAGED)
        return answer.variants

    @contextmanager
    def one_of(self, free: LifoQueue[Decoder | None], patience: float) -> Iterator[list[Decoder | None]]:
        """Yield a list with a decoder in it, or with None in its place, and take back what is in it then."""
        try:
            slot = [free.get(timeout=patience) if patience else free.get_nowait()]
        except Empty:
            raise DecodersBusy from None
        try:
            yield slot
        finally:
            free.put(slot[0])

    def ask_by(
        self, slot: list[Decoder | None], file: IO[bytes], max_pixels: int, wanted: Sequence[Wanted] = ()
    ) -> Answer:
        """Return the answer of the decoder in a slot, where it stays only if it is fit for another image."""
        decoder, slot[0] = slot[0], None
        slot[0], answer = self.ask(decoder, file, max_pixels, wanted)
        return answer

    def ask(
        self, decoder: Decoder | None, file: IO[bytes], max_pixels: int, wanted: Sequence[Wanted] = ()
    ) -> tuple[Decoder | None, Answer]:
        """Return a decoder's answer, and the decoder if it is fit for another image."""
        is_new = decoder is None
        decoder = decoder or Decoder(self.memory, self.seconds)
        try:
            answer = decoder.ask(file, max_pixels, wanted)
        except TimeoutError:
            decoder.kill()
            raise UnreadableImage(
                gettext_noop(
                    "The image takes more time to decode than is allowed. "
                    "Send a smaller version of it, or save it anew."
                )
            ) from None
        except (EOFError, OSError, msgspec.MsgspecError) as error:
            status = decoder.end()
            if status:
                logger.warning("A decoder ended with the status %s before it answered.", status)
            if not is_new:  # not the image's doing, perhaps: it had been idle for long, or killed meanwhile
                return self.ask(None, file, max_pixels, wanted)
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


def judged(answer: Answer) -> Answer:
    """Return a decoder's answer, or raise UnreadableImage where it says why it has made nothing."""
    if isinstance(answer, Refused):
        raise UnreadableImage(answer.text, **answer.values)
    if isinstance(answer, OutOfMemory):
        raise UnreadableImage(
            gettext_noop(
                "The image takes more memory to decode than is allowed. Send a smaller version of it, or save it anew."
            )
        )
    return answer


lock = Lock()
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


# In the decoder


def answer(file: IO[bytes], max_pixels: int, wanted: Sequence[Wanted], seconds: float) -> Answer:
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        return rendered(file, max_pixels, wanted, seconds) if wanted else decoded(file, max_pixels)
    except UnreadableImage as error:
        return Refused(error.text, error.values)
    except MemoryError:
        return OutOfMemory()


def decoded(file: IO[bytes], max_pixels: int) -> Answer:
    header = read_header(file, max_pixels)
    if header is None:
        return NoImage()
    loaded = load(file, scale_of_thumbnails)
    is_transparent = loaded.is_transparent
    thumbnails = shrink(loaded)
    smallest = open_in_srgb(thumbnails[min(thumbnails)])
    return Decoded(
        header.format.name,
        header.mode,
        header.width,
        header.height,
        thumbnails,
        dominant_color(smallest),
        placeholder(smallest),
        header.is_animated,
        is_transparent,
    )


def rendered(file: IO[bytes], max_pixels: int, wanted: Sequence[Wanted], seconds: float) -> Answer:
    late = time.monotonic() + seconds / SHARE_OF_TIME
    variants: list[bytes] = []
    size = 0
    for variant in render(file, wanted, max_pixels):
        size += len(variant)
        if size > LARGEST_ANSWER - 1024:
            if variants:
                break
            raise UnreadableImage("The image is too large to be kept in this format.")
        variants.append(variant)
        if size > ENOUGH_VARIANTS or time.monotonic() > late:
            break
    return Rendered(variants)


def serve(server: socket.socket, seconds: int) -> None:
    server.sendall(READY)
    for _ in range(IMAGES):
        server.settimeout(IDLE_SECONDS)
        try:
            message, descriptors, _, _ = socket.recv_fds(server, REQUEST.size, 1)
        except TimeoutError:
            return
        if not descriptors:
            return
        signal.alarm(seconds + 1)  # for where the server is no longer there to end it
        with open(descriptors[0], "rb") as file:
            max_pixels, length = REQUEST.unpack(message)
            wanted = decode_wanted(receive(server, length, time.monotonic() + seconds))
            data = msgspec.msgpack.encode(answer(file, max_pixels, wanted, seconds))
        server.settimeout(IDLE_SECONDS)
        server.sendall(LENGTH.pack(len(data)) + data)
        signal.alarm(0)


def limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def main() -> None:
    memory, seconds = map(int, sys.argv[1:])
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_DATA, memory + MEMORY_AT_REST)
    os.nice(NICENESS)
    AvifImagePlugin.DEFAULT_MAX_THREADS = CODEC_THREADS
    warnings.simplefilter("ignore")  # what is wrong with an image is for its sender
    with socket.socket(fileno=sys.stdin.fileno()) as server, suppress(ConnectionError, EOFError):
        serve(server, seconds)


if __name__ == "__main__":
    main()
