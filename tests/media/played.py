"""Films and sounds put together by hand: containers that say what they hold, around data that no codec knows."""

import struct
from collections.abc import Iterable

from .private_files import box

Matrix = tuple[int, int, int, int]  # of a track: a, b, c and d, which turn it

UPRIGHT: Matrix = (1, 0, 0, 1)
TO_THE_RIGHT: Matrix = (0, 1, -1, 0)
UPSIDE_DOWN: Matrix = (-1, 0, 0, -1)
SCALE = 1000  # ticks a second
DATA = box(b"mdat", bytes(range(64)))


def matrix_of(matrix: Matrix) -> bytes:
    a, b, c, d = (value << 16 for value in matrix)
    return struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)


def times(seconds: float, *, long: bool = False) -> bytes:
    """Return what `mvhd` and `mdhd` begin with."""
    ticks = round(seconds * SCALE)
    return struct.pack(">IQQIQ", 1 << 24, 0, 0, SCALE, ticks) if long else struct.pack(">IIIII", 0, 0, 0, SCALE, ticks)


def track(
    handler: bytes = b"vide",
    *,
    id: int = 1,
    size: tuple[int, int] = (640, 360),
    shown: tuple[int, int] | None = None,
    pixel: tuple[int, int] | None = None,
    matrix: Matrix = UPRIGHT,
    seconds: float = 2.5,
    long: bool = False,
    chapters: int = 0,
    is_enabled: bool = True,
) -> bytes:
    """Return a `trak`: `size` is that of the coded pictures, `shown` the header's, `pixel` how wide and high one is."""
    width, height = (shown or size) if handler == b"vide" else (0, 0)
    moments = struct.pack(">QQIIQ", 0, 0, id, 0, 0) if long else struct.pack(">IIIII", 0, 0, id, 0, 0)
    head = struct.pack(">I", long << 24 | is_enabled) + moments + bytes(16)
    tkhd = box(b"tkhd", head, matrix_of(matrix), struct.pack(">II", width << 16, height << 16))
    entry = box(b"sowt", bytes(28))
    if handler == b"vide":
        pasp = box(b"pasp", struct.pack(">II", *pixel)) if pixel else b""
        entry = box(b"avc1", bytes(24), struct.pack(">HH", *size), bytes(50), box(b"avcC", bytes(7)), pasp)
    table = box(b"stbl", box(b"stsd", struct.pack(">II", 0, 1), entry))
    name = box(b"hdlr", bytes(8), handler, bytes(13))
    media = box(b"mdia", box(b"mdhd", times(seconds, long=long), bytes(4)), name, box(b"minf", table))
    reference = box(b"tref", box(b"chap", struct.pack(">I", chapters))) if chapters else b""
    return box(b"trak", tkhd, reference, media)


def moov(*parts: bytes, seconds: float = 2.5, matrix: Matrix = UPRIGHT, long: bool = False) -> bytes:
    head = times(seconds, long=long) + struct.pack(">IH", 1 << 16, 1 << 8) + bytes(10)
    return box(b"moov", box(b"mvhd", head, matrix_of(matrix), bytes(28)), *parts)


def ftyp(brand: bytes = b"isom") -> bytes:
    return box(b"ftyp", brand, bytes(4), b"isom")


def film(*tracks: bytes, brand: bytes = b"isom") -> bytes:
    """Return an MP4 that keeps its index at the end, as cameras do."""
    return ftyp(brand) + DATA + moov(*(tracks or [track()]))


def fragmented(fragments: int = 3, *, runs: bool = True, told: float = 0) -> bytes:
    """Return a film in fragments of one second; their samples, or else the track, tell how long they take.

    `told` are the seconds of the header for all of them, which may be missing.
    """
    whole = box(b"mehd", struct.pack(">II", 0, round(told * SCALE))) if told else b""
    extends = box(b"mvex", whole, box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 250, 0, 0)))
    parts = [ftyp(b"iso5"), moov(track(seconds=0), extends, seconds=0)]
    for number in range(fragments):
        run = struct.pack(">II", 0x100, 2) + struct.pack(">II", 400, 600) if runs else struct.pack(">II", 0, 4)
        begin = box(b"tfdt", struct.pack(">IQ", 1 << 24, number * SCALE))
        piece = box(b"traf", box(b"tfhd", struct.pack(">II", 0, 1)), begin, box(b"trun", run))
        parts += [box(b"moof", box(b"mfhd", struct.pack(">II", 0, number)), piece), DATA]
    return b"".join(parts)


# Matroska


def element(id: int, *bodies: bytes, is_open: bool = False) -> bytes:
    body = b"".join(bodies)
    size = b"\x01" + b"\xff" * 7 if is_open else (len(body) | 1 << 56).to_bytes(8)
    return id.to_bytes((id.bit_length() + 7) // 8) + size + body


def number(id: int, value: int) -> bytes:
    return element(id, value.to_bytes(4))


def matroska(
    doctype: bytes = b"webm",
    types: Iterable[int] = (1, 2),
    *,
    seconds: float | None = 2.5,
    size: tuple[int, int] = (640, 360),
    shown: tuple[int, int] | None = None,
    tracks_last: bool = False,
    clusters: int = 2,
) -> bytes:
    """Return a WebM or Matroska with tracks of these types: 1 is a film, 2 a sound, 17 subtitles.

    Without `seconds` it is as browsers record: sizes and the duration are unknown.
    """
    shape = [number(0xB0, size[0]), number(0xBA, size[1])]
    if shown:
        shape += [number(0x54B0, shown[0]), number(0x54BA, shown[1])]
    entries = [element(0xAE, number(0x83, type), element(0xE0, *shape) if type == 1 else b"") for type in types]
    tracks = element(0x1654AE6B, *entries)
    is_live = seconds is None
    told = b"" if seconds is None else element(0x4489, struct.pack(">d", seconds * SCALE))
    info = element(0x1549A966, number(0x2AD7B1, 1_000_000), told)
    data = b"".join(
        element(
            0x1F43B675,
            number(0xE7, 1000 * each),
            element(0xA3, b"\x81", struct.pack(">hB", 0, 0), b"picture"),
            element(0xA0, element(0xA1, b"\x81", struct.pack(">hB", 500, 0), b"sound")),
            is_open=is_live,
        )
        for each in range(clusters)
    )
    body = info + tracks + data
    if tracks_last:
        at = 0
        for _ in range(2):
            seek = element(0x4DBB, element(0x53AB, 0x1654AE6B.to_bytes(4)), number(0x53AC, at))
            head = element(0x114D9B74, seek) + info + data
            at = len(head)
        body = head + tracks
    header = element(0x1A45DFA3, number(0x42F7, 1), element(0x4282, doctype))
    return header + element(0x18538067, body, is_open=is_live)


# Frames

MP3 = b"\xff\xfb\x90\x64" + bytes(413)  # 128 kbit/s of 44,100 samples: 1,152 of them
FRAME_SECONDS = 1152 / 44_100


def aac_frame(size: int = 200) -> bytes:
    """Return a frame of AAC at 44,100 samples a second: 1,024 of them."""
    head = bytes([0xFF, 0xF1, 0x50, 0x80 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC])
    return head + bytes(size - len(head))


def id3(content: bytes = b"", told: int | None = None, version: int = 3, flags: int = 0) -> bytes:
    """Return a tag, of which the header may tell another length than it has."""
    length = len(content) if told is None else told
    digits = bytes(length >> shift & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3" + bytes([version, 0, flags]) + digits + content


def picture_in_tag(size: int) -> bytes:
    """Return a frame of a tag with a picture of that many bytes, none of which begins a sound's frame."""
    data = b"image/jpeg\0\3\0\xff\xd8\xff\xe0" + bytes(range(1, 251)) * (size // 250)
    return b"APIC" + struct.pack(">IH", len(data) + 1, 0) + b"\0" + data


def with_count(frames: int) -> bytes:
    """Return a first frame that tells how many follow, as encoders of variable rates write it."""
    return MP3[:36] + b"Xing" + struct.pack(">II", 1, frames) + MP3[48:]


def aiff(kind: bytes = b"AIFF", seconds: float = 2.5, rate: int = 44_100) -> bytes:
    exponent = rate.bit_length() - 1
    ten = struct.pack(">HQ", 0x3FFF + exponent, rate << 63 - exponent)
    common = struct.pack(">HIH", 1, round(seconds * rate), 16) + ten + (b"sowt\0\0" if kind == b"AIFC" else b"")
    chunks = [(b"COMM", common), (b"SSND", bytes(108))]
    body = kind + b"".join(name + struct.pack(">I", len(data)) + data for name, data in chunks)
    return b"FORM" + struct.pack(">I", len(body)) + body


def page(packet: bytes, *, stream: int = 1, position: int = 0, flags: int = 0) -> bytes:
    """Return a page of Ogg with one packet of fewer than 255 bytes."""
    head = struct.pack("<QIIIB", position, stream, 0, 0, 1)
    return b"OggS\0" + bytes([flags]) + head + bytes([len(packet)]) + packet


def theora(width: int, height: int, per_second: int = 25, pixel: tuple[int, int] = (1, 1), shift: int = 6) -> bytes:
    shape = struct.pack(">HH", -(-width // 16), -(-height // 16)) + width.to_bytes(3) + height.to_bytes(3) + bytes(2)
    rate = struct.pack(">II", per_second, 1) + pixel[0].to_bytes(3) + pixel[1].to_bytes(3) + bytes(4)
    return b"\x80theora\3\2\1" + shape + rate + (shift << 5).to_bytes(2)


def ogg(*packets: bytes, positions: Iterable[int] = ()) -> bytes:
    """Return an Ogg with a stream for each first packet, and a last page for each with these positions."""
    firsts = [page(packet, stream=stream, flags=2) for stream, packet in enumerate(packets)]
    lasts = [page(b"x", stream=stream, position=each, flags=4) for stream, each in enumerate(positions)]
    return b"".join(firsts + lasts)
