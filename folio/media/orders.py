"""What is ordered of a decoder, and what it answers: msgpack objects behind their length in four bytes."""

import socket
import struct
import time

import msgspec

from .opening import IMAGES, ImageHeader
from .privacy import Keep
from .rendering import Wanted

LENGTH = struct.Struct(">I")
READY = b"\0"
LARGEST_ANSWER = 64 * 1024 * 1024  # bytes; four thumbnails as BMP have 6 million


class Prepare(msgspec.Struct, tag=True):
    """Decode an image that is uploaded, and write what is to be stored of it where a file for that comes with it.

    Of SVG that is another file whatever `keep_metadata` says.
    """

    max_pixels: int
    keep_metadata: Keep


class Clean(msgspec.Struct, tag=True):
    """Write a file of that type without private data; no pixel is decoded."""

    mime_type: str
    keep_metadata: Keep


class Render(msgspec.Struct, tag=True):
    """Make variants of an image."""

    max_pixels: int
    wanted: list[Wanted]


class Depict(msgspec.Struct, tag=True):
    """Make thumbnails of a PDF's first page, or of a frame of a film; `ffmpeg` is the path of that program."""

    mime_type: str
    max_pixels: int
    seconds: float
    ffmpeg: str


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
    is_rewritten: bool = False  # what is to be stored was written

    @property
    def header(self) -> ImageHeader:
        return ImageHeader(IMAGES[self.format], self.mode, self.width, self.height, self.is_animated)


class Rendered(msgspec.Struct, tag=True):
    """The first of the variants that were wanted, one at least; there was no time or room for the others."""

    variants: list[bytes]


class Cleaned(msgspec.Struct, tag=True):
    """The file is written without private data."""


class Depicted(msgspec.Struct, tag=True):
    """What shows a file that is no image: thumbnails as JPEG by the edge of their box, and what stands in for them.

    A page has a width and a height, in CSS pixels; what a film has of them is told by the film itself.
    """

    thumbnails: dict[int, bytes]
    dominant_color: str
    placeholder: str
    width: int | None = None
    height: int | None = None


class NoImage(msgspec.Struct, tag=True):
    """The file is no image of an accepted format, or a damaged one; or nothing of it can be shown."""


class Refused(msgspec.Struct, tag=True):
    """The image isn't decoded, for a reason that its sender is told."""

    text: str
    values: dict[str, str]


class Failed(msgspec.Struct, tag=True):
    """The system could not read or write, for the reason that this number of its stands for."""

    errno: int


class OutOfMemory(msgspec.Struct, tag=True):
    """The image needs more memory than the decoder has."""


Order = Prepare | Clean | Render | Depict
Answer = Decoded | Rendered | Cleaned | Depicted | NoImage | Refused | Failed | OutOfMemory
encode = msgspec.msgpack.encode
decode_order = msgspec.msgpack.Decoder(Order).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


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
