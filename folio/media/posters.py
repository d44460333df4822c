"""What shows a file that is no image: the first page of a PDF, or a frame of a film; no database, no request.

This is a decoder's work. Both libraries are hostile files' favourite prey, and neither is loaded or started before
such a file comes.
"""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import closing, suppress
from io import BytesIO
from typing import IO, Any, NamedTuple

from PIL import Image, ImageStat

from .pixels import Size
from .thumbnails import BOXES

PDF = "application/pdf"
# ffmpeg's readers by the type of a film. It never guesses one: what a playlist or a list of files names would be read.
DEMUXERS = {"video/mp4": "mov", "video/quicktime": "mov", "video/webm": "matroska", "video/ogg": "ogg"}
EDGE = max(BOXES)
POINTS_TO_PIXELS = 96 / 72  # of CSS
LARGEST_PAGE = 1_000_000  # points an edge; PDF 1.7 knows 14,400

SHOWS_MUCH = (
    32.0  # of 127.5, the standard deviation of the brightness: a frame that is taken, unless the next one shows more
)
FADES_IN = 1.1  # times as much; a film that fades in is looked at until it is there
SHOWS_NOTHING = 6.0  # black, white, a plain ground
KEY_FRAMES = 8  # that are looked at
KEY_SECONDS = 60  # of the film's beginning in which they lie
FRAMES = 20  # that are looked at where no key frame shows anything
FRAMES_A_SECOND = 2  # of them
THREADS = "2"  # each takes memory of its own
OPEN_FILES = 64  # its libraries among them
BMP_HEADER = 14  # bytes, which tell the length of the whole
LARGEST_FRAME = 4 * EDGE * EDGE + 1024  # bytes


class Picture(NamedTuple):
    """A picture that fits in the largest box, as BMP, and the size in CSS pixels of the page that it shows."""

    file: IO[bytes]
    width: int | None = None
    height: int | None = None


def depict(file: IO[bytes], mime_type: str, seconds: float, max_pixels: int, ffmpeg: str) -> Picture | None:
    """Return what shows a file of that type, None where nothing can.

    Of a film, that is the best that was found in so many seconds. A page has to be waited for.
    """
    if mime_type == PDF:
        return picture_of_page(file)
    if mime_type in DEMUXERS and ffmpeg:
        frame = best_frame(file, DEMUXERS[mime_type], time.monotonic() + seconds, max_pixels, ffmpeg)
        return Picture(in_bmp(frame)) if frame else None
    return None


def in_bmp(image: Image.Image) -> IO[bytes]:
    buffer = BytesIO()
    image.save(buffer, "BMP")
    buffer.seek(0)
    return buffer


# Pages


def picture_of_page(file: IO[bytes]) -> Picture | None:
    """Return the first page of a PDF, upright and on white, its longer edge as long as the largest box.

    What a page says of its size decides its shape, and never how many pixels are drawn. No script runs: the library
    is built without any language.
    """
    import pypdfium2  # not at the top: a decoder at rest stays small

    try:
        with closing(pypdfium2.PdfDocument(file)) as document, closing(document[0]) as page:
            points = page.get_size()
            if not all(0 < edge <= LARGEST_PAGE for edge in points):
                return None
            width, height = (max(1, round(edge * EDGE / max(points))) for edge in points)
            image = drawn(pypdfium2, page, (width, height))
    except (pypdfium2.PdfiumError, IndexError):  # damaged, encrypted, or without a page
        return None
    return Picture(in_bmp(image), *(max(1, round(edge * POINTS_TO_PIXELS)) for edge in points))


def drawn(pypdfium2: Any, page: Any, size: Size) -> Image.Image:
    """Return a page in exactly that size; the library's own way rounds up what a scale gives."""
    raw = pypdfium2.raw
    with closing(pypdfium2.PdfBitmap.new_native(*size, raw.FPDFBitmap_BGRx)) as bitmap:
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        flags = raw.FPDF_ANNOT | raw.FPDF_RENDER_LIMITEDIMAGECACHE
        raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, flags)
        image: Image.Image = bitmap.to_pil().convert("RGB")
        return image


# Frames


def best_frame(file: IO[bytes], demuxer: str, until: float, max_pixels: int, ffmpeg: str) -> Image.Image | None:
    """Return a frame from a film's beginning that shows something, upright, or the one of all that shows most.

    Key frames are looked at first, for they cost least. A film may have none after a black first one.
    """
    best, most = None, -1.0
    for given, wanted in (
        (["-skip_frame", "nokey", "-t", str(KEY_SECONDS)], ["-frames:v", str(KEY_FRAMES)]),
        ([], ["-r", str(FRAMES_A_SECOND), "-frames:v", str(FRAMES)]),
    ):
        command = [ffmpeg, *READING, "-max_pixels", str(max_pixels), "-f", demuxer, *given]
        command += ["-i", f"/dev/fd/{file.fileno()}", *WRITING, *wanted, "pipe:1"]
        with closing(frames(command, file, until)) as found:
            for frame in found:
                shown = contrast(frame)
                if most >= SHOWS_MUCH and shown < most * FADES_IN:
                    return best
                if shown > most:
                    best, most = frame, shown
        if most >= SHOWS_NOTHING:
            return best
    return best


# Before the file: nothing is asked, no other protocol than the files' is spoken, and no other file is opened, for the
# readers that do are none of `DEMUXERS`, but for QuickTime's references, which are off.
READING = [
    *("-nostdin", "-hide_banner", "-loglevel", "quiet", "-protocol_whitelist", "file"),
    *("-threads", THREADS, "-filter_threads", "1"),
]
# Behind it: the first film track that is no cover of an album, its pixels square, never enlarged.
SCALE = f"min(1,{EDGE}/max(iw*sar,ih))"
WRITING = [
    *("-map", "0:V:0", "-an", "-sn", "-dn", "-vsync", "vfr"),
    *("-vf", f"scale=w='max(1,round(iw*sar*{SCALE}))':h='max(1,round(ih*{SCALE}))',setsar=1,format=bgr24"),
    *("-threads", "1", "-c:v", "bmp", "-f", "image2pipe"),
]


def frames(command: list[str], file: IO[bytes], until: float) -> Generator[Image.Image]:
    """Yield the frames that ffmpeg writes, until a moment, a monotonic time."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        return

    def restrain() -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)  # which ends it, should this process be there no more
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    variables = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    with subprocess.Popen(  # noqa: S603 - the operator's program; the file is no part of the command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=variables,
        pass_fds=[file.fileno()],
        preexec_fn=restrain,  # safe in a decoder, which has no threads while it is here
    ) as process:
        assert process.stdout
        try:
            while frame := read_frame(process.stdout):
                yield frame
        finally:
            process.kill()


def read_frame(stream: IO[bytes]) -> Image.Image | None:
    """Return the next of several BMP files behind one another, None at the end."""
    head = stream.read(BMP_HEADER)
    length = int.from_bytes(head[2:6], "little")
    if len(head) < BMP_HEADER or not BMP_HEADER < length <= LARGEST_FRAME:
        return None
    with suppress(OSError, ValueError):
        image = Image.open(BytesIO(head + stream.read(length - BMP_HEADER)), formats=["BMP"])
        if max(image.size) <= EDGE:
            image.load()
            return image
    return None


def contrast(image: Image.Image) -> float:
    """Return how much of an image can be told apart: the standard deviation of its brightness, 0 to 127.5."""
    return float(ImageStat.Stat(image.convert("L")).stddev[0])
