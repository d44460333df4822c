"""Films, made by ffmpeg."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.programs import found

TEST_PICTURE = "testsrc2=size=320x180:rate=10"
CODECS = {  # of small builds of ffmpeg, too
    "mp4": ["-c:v", "mpeg4"],
    "mov": ["-c:v", "mpeg4"],
    "mkv": ["-c:v", "mpeg4"],
    "webm": ["-c:v", "libvpx", "-b:v", "500k", "-deadline", "realtime"],
    "ogv": ["-c:v", "libtheora"],
}


def find_ffmpeg() -> str:
    """Return where ffmpeg is; skip the test where it is not installed, which fails it where everything has to be."""
    return found(shutil.which("ffmpeg"), "ffmpeg", "ffmpeg")


@cache
def film(extension: str = "mp4", source: str = TEST_PICTURE, seconds: float = 1, *options: str) -> bytes:
    """Return a film of what ffmpeg draws by that `source`, in the container of that extension."""
    with TemporaryDirectory() as folder:
        path = Path(folder, f"film.{extension}")
        command = [find_ffmpeg(), "-v", "error", "-f", "lavfi", "-i", source, "-t", str(seconds)]
        command += [*CODECS[extension], "-pix_fmt", "yuv420p", *options, str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=120)
        return path.read_bytes()


def referring(content: bytes, path: str) -> bytes:
    """Return a QuickTime film of one track whose frames lie, by its own word, in another file, and not in it."""
    volume = bytes(10) + b"\x01v".ljust(28, b"\0") + bytes(12)
    name = b"\x01f".ljust(64, b"\0") + bytes(16) + bytes(4) + bytes(16)
    where = b"\0\x02" + len(path).to_bytes(2, "big") + path.encode() + bytes(len(path) % 2) + b"\xff\xff\0\0"
    record = bytes(4) + volume + name + where
    alias = (8 + len(record)).to_bytes(4, "big") + b"alis" + record
    changed = bytearray(content)
    start = changed.index(b"mdat")
    length = int.from_bytes(changed[start - 4 : start], "big")
    changed[start + 4 : start - 4 + length] = bytes(length - 8)
    place = changed.index(b"dref") + 12
    old = int.from_bytes(changed[place : place + 4], "big")
    changed[place : place + old] = alias
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        head = changed.rindex(kind, 0, place) - 4
        size = int.from_bytes(changed[head : head + 4], "big") + len(alias) - old
        changed[head : head + 4] = size.to_bytes(4, "big")
    return bytes(changed)
