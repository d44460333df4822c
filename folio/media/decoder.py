"""A decoder: `python -m folio.media.decoder MEMORY SECONDS`, with a limit of bytes and of seconds for each image.

It knows neither Django nor the server's environment. By the socket that is its standard input it gets one order after
another, each with an open file, and perhaps another one to write to. It ends when the server does, also in the midst of
an image, when it has had nothing to do for a while, and after a number of images.
"""

import fcntl
import os
import resource
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from PIL import AvifImagePlugin, Image

from folio.allocator import give_back_memory

from .bounds import MEMORY_AT_REST
from .endings import with_end
from .heif import as_jpeg
from .opening import FORMATS, SVG, ImageHeader, Loaded, UnreadableImage, load, read_header
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
    NoImage,
    Order,
    OutOfMemory,
    Prepare,
    Refused,
    Render,
    Rendered,
    decode_order,
    encode,
    receive,
)
from .pixels import fit
from .posters import depict
from .privacy import Keep, write_without_private_data
from .refusals import Refusal
from .rendering import render
from .standing_in import dominant_color, open_in_srgb, placeholder
from .svg.drawing import loaded as loaded_drawing
from .svg.drawing import rewritten
from .svg.telling import is_svg
from .thumbnails import BOXES, Made, made_alone, make_thumbnails, scale_of_thumbnails

IMAGES = 500  # that a decoder decodes before it makes place for a new one
IDLE_SECONDS = 60  # that it waits for another image
NICENESS = 5  # reads go before
CODEC_THREADS = 2  # each takes memory of its own
ENOUGH_VARIANTS = LARGEST_ANSWER // 4  # bytes of variants after which no further one is begun
MODES = ("rb", "r+b")  # of the file, and of the one to write to
SHARE_OF_FRAMES = 0.8  # of the time for a poster, in which frames of a film may be looked at
SHARE_OF_TIME = 3  # of the time for an image, that after which no further variant of it is begun


def answer(order: Order, file: IO[bytes], target: IO[bytes] | None, seconds: float) -> Answer:
    try:
        if isinstance(order, Prepare):
            return prepared(order, file, target)
        if isinstance(order, Clean):
            return cleaned(order, file, target)
        if isinstance(order, Depict):
            return depicted(order, file)
        return rendered(order, file, seconds)
    except Refusal as error:
        return Refused(error.text, error.values)
    except MemoryError:
        return OutOfMemory()
    except OSError as error:
        if error.errno is None:  # not the system's
            raise
        return Failed(error.errno)


def prepared(order: Prepare, file: IO[bytes], target: IO[bytes] | None) -> Answer:
    Image.MAX_IMAGE_PIXELS = order.max_pixels
    if is_svg(file):
        return prepared_drawing(order, file, target)
    source = as_jpeg(file, order.max_pixels) or file
    header = read_header(source, order.max_pixels)
    if header is None:
        return NoImage()
    try:
        loaded = load(source, scale_of_thumbnails)
    except UnreadableImage:
        ended = with_end(source)
        if ended is None:
            raise
        source = ended
        loaded = load(source, scale_of_thumbnails)
    is_rewritten = target is not None and (source is not file or order.keep_metadata != "all")
    stored = source
    if target and is_rewritten:
        clean(source, target, header.mime_type, order.keep_metadata)
        stored = target
    return decoded(header, loaded, make_thumbnails(source, loaded, stored.seek(0, 2)), is_rewritten)


def prepared_drawing(order: Prepare, file: IO[bytes], target: IO[bytes] | None) -> Answer:
    drawing = rewritten(file, order.keep_metadata)
    header = ImageHeader(SVG, drawing.mode, *drawing.size)
    loaded = loaded_drawing(drawing, fit(drawing.size, max(BOXES)))
    answer = decoded(header, loaded, made_alone(loaded), target is not None)
    if target:
        write(drawing.content, target)
    return answer


def decoded(header: ImageHeader, loaded: Loaded, made: Made, is_rewritten: bool) -> Decoded:
    is_transparent = loaded.is_transparent
    smallest = open_in_srgb(made.smallest)
    return Decoded(
        header.format.name,
        header.mode,
        header.width,
        header.height,
        made.thumbnails,
        dominant_color(smallest),
        placeholder(smallest),
        header.is_animated,
        is_transparent,
        is_rewritten,
    )


def cleaned(order: Clean, file: IO[bytes], target: IO[bytes] | None) -> Answer:
    assert target
    if order.mime_type == SVG.mime_type:
        write(rewritten(file, order.keep_metadata).content, target)
    else:
        clean(file, target, order.mime_type, order.keep_metadata)
    return Cleaned()


def clean(file: IO[bytes], target: IO[bytes], mime_type: str, keep: Keep) -> None:
    empty(target)
    write_without_private_data(file, target, mime_type, keep)


def write(content: bytes, target: IO[bytes]) -> None:
    empty(target)
    target.write(content)


def empty(target: IO[bytes]) -> None:
    target.seek(0)  # the place is shared with the server, and with another decoder that may have ended midway
    target.truncate()


def depicted(order: Depict, file: IO[bytes]) -> Answer:
    picture = depict(file, order.mime_type, order.seconds * SHARE_OF_FRAMES, order.max_pixels, order.ffmpeg)
    if picture is None:
        return NoImage()
    loaded = load(picture.file, scale_of_thumbnails)
    made = made_alone(loaded._replace(format=FORMATS["JPEG"]))
    smallest = open_in_srgb(made.smallest)
    return Depicted(made.thumbnails, dominant_color(smallest), placeholder(smallest), picture.width, picture.height)


def rendered(order: Render, file: IO[bytes], seconds: float) -> Answer:
    Image.MAX_IMAGE_PIXELS = order.max_pixels
    late = time.monotonic() + seconds / SHARE_OF_TIME
    variants: list[bytes] = []
    size = 0
    for variant in render(file, order.wanted, order.max_pixels):
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
            message, descriptors, _, _ = socket.recv_fds(server, LENGTH.size, 2)
        except TimeoutError:
            return
        if not descriptors:
            return
        signal.alarm(seconds + 1)  # for where the server is no longer there to end it
        with ExitStack() as stack:
            files = [stack.enter_context(open(each, mode)) for each, mode in zip(descriptors, MODES, strict=False)]
            (length,) = LENGTH.unpack(message)
            order = decode_order(receive(server, length, time.monotonic() + seconds))
            with ended_with(server):
                made = answer(order, files[0], files[1] if len(files) > 1 else None, seconds)
        data = encode(made)
        server.settimeout(IDLE_SECONDS)
        server.sendall(LENGTH.pack(len(data)) + data)
        signal.alarm(0)


@contextmanager
def ended_with(server: socket.socket) -> Iterator[None]:
    """Have the system end this process in the block, and those that it has started, when the server's end is closed.

    A server that was killed must leave nobody behind who works for it and holds its files. It sends nothing while it
    waits for an answer, so that any signal about the socket (SIGIO) says that it is gone.
    """
    own = os.getpid()
    flags = fcntl.fcntl(server, fcntl.F_GETFL)
    fcntl.fcntl(server, fcntl.F_SETOWN, -own if os.getpgrp() == own else own)
    fcntl.fcntl(server, fcntl.F_SETFL, flags | os.O_ASYNC)
    try:
        poll = select.poll()
        poll.register(server, select.POLLHUP)
        if poll.poll(0):  # it was gone before
            raise EOFError
        yield
    finally:
        fcntl.fcntl(server, fcntl.F_SETFL, flags)


def limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def main() -> None:
    memory, seconds = map(int, sys.argv[1:])
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_DATA, memory + MEMORY_AT_REST)
    os.nice(NICENESS)
    give_back_memory()
    AvifImagePlugin.DEFAULT_MAX_THREADS = CODEC_THREADS
    warnings.simplefilter("ignore")  # what is wrong with an image is for its sender
    with socket.socket(fileno=sys.stdin.fileno()) as server, suppress(ConnectionError, EOFError):
        serve(server, seconds)


if __name__ == "__main__":
    main()
