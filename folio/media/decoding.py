"""Images are decoded in processes of their own, which a hostile file may bring down, and nothing else with them.

A decoder is `python -m folio.media.decoding MEMORY SECONDS`. It knows neither Django nor the server's environment. By
the socket that is its standard input it gets one open file after another, and answers each with a msgpack object
behind its length in four bytes. It ends when the server does, when it has had nothing to do for a while, and after a
number of images.
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
from contextlib import suppress
from queue import Empty, LifoQueue
from threading import Lock
from typing import IO

import msgspec
from PIL import AvifImagePlugin, Image

from .refusals import DAMAGED, gettext_noop
from .thumbnails import (
    FORMATS,
    ImageHeader,
    UnreadableImage,
    dominant_color,
    open_in_srgb,
    placeholder,
    read_header,
    render_thumbnails,
)

logger = logging.getLogger(__name__)

IMAGES = 500  # that a decoder decodes before it makes place for a new one
IDLE_SECONDS = 60  # that it waits for another image
START_SECONDS = 60  # that it may take to start
MEMORY_AT_REST = 32 * 1024 * 1024  # bytes that Python, Pillow and their threads take before the first image
NICENESS = 5  # reads go before
CODEC_THREADS = 2  # each takes memory of its own
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes; four thumbnails as BMP have 6 million
REQUEST = struct.Struct(">Q")  # the most pixels that are accepted
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

    @property
    def header(self) -> ImageHeader:
        return ImageHeader(FORMATS[self.format], self.mode, self.width, self.height)


class NoImage(msgspec.Struct, tag=True):
    """The file is no image of an accepted format, or a damaged one."""


class Refused(msgspec.Struct, tag=True):
    """The image isn't decoded, for a reason that its sender is told."""

    text: str
    values: dict[str, str]


class OutOfMemory(msgspec.Struct, tag=True):
    """The image needs more memory than the decoder has."""


Answer = Decoded | NoImage | Refused | OutOfMemory
decode_answer = msgspec.msgpack.Decoder(Answer).decode


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

    def ask(self, file: IO[bytes], max_pixels: int) -> Answer:
        """Return what the process says of a file; raise TimeoutError, or EOFError or another OSError where it ended."""
        deadline = time.monotonic() + self.seconds
        socket.send_fds(self.socket, [REQUEST.pack(max_pixels)], [file.fileno()])
        (length,) = LENGTH.unpack(self.receive(LENGTH.size, deadline))
        if length > LARGEST_ANSWER:
            raise OSError("The decoder's answer is too long.")
        return decode_answer(self.receive(length, deadline))

    def receive(self, length: int, deadline: float) -> bytes:
        data = bytearray(length)
        rest = memoryview(data)
        while rest:
            self.socket.settimeout(max(0.001, deadline - time.monotonic()))
            received = self.socket.recv_into(rest)
            if not received:
                raise EOFError
            rest = rest[received:]
        return bytes(data)

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
    """A number of decoders for the threads of this process, started when they are needed."""

    def __init__(self, count: int, memory: int, seconds: int) -> None:
        self.memory, self.seconds = memory, seconds
        self.free: LifoQueue[Decoder | None] = LifoQueue()  # the last one first, so that those too many end
        for _ in range(count):
            self.free.put(None)

    def decode(self, file: IO[bytes], max_pixels: int) -> Decoded | None:
        """Return an image of a file on the disk decoded, or None where it is none of an accepted format.

        Raises UnreadableImage where it can't be decoded or would take too many pixels, too much memory or time, and
        DecodersBusy where no decoder becomes free for as long as an image may take, or is left alive.
        """
        try:
            decoder = self.free.get(timeout=self.seconds)
        except Empty:
            raise DecodersBusy from None
        try:
            decoder, answer = self.ask(decoder, file, max_pixels)
        except BaseException:
            self.free.put(None)
            raise
        self.free.put(decoder)
        if isinstance(answer, Refused):
            raise UnreadableImage(answer.text, **answer.values)
        if isinstance(answer, OutOfMemory):
            raise UnreadableImage(
                gettext_noop(
                    "The image takes more memory to decode than is allowed. "
                    "Send a smaller version of it, or save it anew."
                )
            )
        return answer if isinstance(answer, Decoded) else None

    def ask(self, decoder: Decoder | None, file: IO[bytes], max_pixels: int) -> tuple[Decoder | None, Answer]:
        """Return a decoder's answer, and the decoder if it is fit for another image."""
        is_new = decoder is None
        decoder = decoder or Decoder(self.memory, self.seconds)
        try:
            answer = decoder.ask(file, max_pixels)
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
                return self.ask(None, file, max_pixels)
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
        idle: list[Decoder | None] = []
        with suppress(Empty):
            while True:
                idle.append(self.free.get_nowait())
        for decoder in idle:
            if decoder:
                decoder.end()
            self.free.put(None)


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


def answer(file: IO[bytes], max_pixels: int) -> Answer:
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        header = read_header(file, max_pixels)
        if header is None:
            return NoImage()
        thumbnails = render_thumbnails(file)
        smallest = open_in_srgb(thumbnails[min(thumbnails)])
        return Decoded(
            header.format.name,
            header.mode,
            header.width,
            header.height,
            thumbnails,
            dominant_color(smallest),
            placeholder(smallest),
        )
    except UnreadableImage as error:
        return Refused(error.text, error.values)
    except MemoryError:
        return OutOfMemory()


def serve(server: socket.socket, seconds: int) -> None:
    server.settimeout(IDLE_SECONDS)
    server.sendall(READY)
    for _ in range(IMAGES):
        try:
            message, descriptors, _, _ = socket.recv_fds(server, REQUEST.size, 1)
        except TimeoutError:
            return
        if not descriptors:
            return
        signal.alarm(seconds + 1)  # for where the server is no longer there to end it
        with open(descriptors[0], "rb") as file:
            data = msgspec.msgpack.encode(answer(file, *REQUEST.unpack(message)))
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
    with socket.socket(fileno=sys.stdin.fileno()) as server, suppress(ConnectionError):
        serve(server, seconds)


if __name__ == "__main__":
    main()
