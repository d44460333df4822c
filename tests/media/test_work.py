"""What stands between a file's parts is skipped in few reads, however long it is; nothing is read byte by byte."""

import io
import struct
from collections.abc import Callable

import pytest

from folio.media.bounds import check_head, frames_of_gif
from folio.media.opening import UnreadableImage, read_header
from folio.media.privacy import UnreadableStructure, write_without_private_data
from folio.media.privacy.original import Original

from .private_files import box, chunk, encode, picture

pytestmark = pytest.mark.any_database

LONG = 1_000_000  # bytes
READS = 400  # that are enough for so many: some dozens of blocks, and what the file itself causes


class Counting(io.BytesIO):
    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        return super().read(size)


def progressive() -> tuple[bytes, bytes]:
    """Return a JPEG up to its last scan, and the rest."""
    data = encode(picture(), "JPEG", progressive=True)
    place = data.rfind(b"\xff\xda")
    return data[:place], data[place:]


def between_scans(junk: bytes) -> bytes:
    before, after = progressive()
    return before + b"\xff\xfe\0\4ab" + junk + after


def before_the_frame(junk: bytes) -> bytes:
    data = encode(picture(), "JPEG")
    return data[:20] + junk + data[20:]


JPEGS = {
    "zeros": between_scans(bytes(LONG)),
    "fill bytes": between_scans(b"\xff" * LONG),
    "stuffed": between_scans(b"\xff\0" * (LONG // 2)),
    "markers that stand alone": between_scans(b"\xff\1\xff\xd0" * (LONG // 4)),
    "empty segments": between_scans(b"\xff\xfe\0\2" * (LONG // 4)),
    "small segments with junk between": between_scans(b"\xff\xfe\0\2x" * (LONG // 5)),
    "empty segments before the picture": before_the_frame(b"\xff\xec\0\2" * (LONG // 4)),
    "fill bytes before the picture": before_the_frame(b"\xff" * LONG),
    "zeros in the scan": progressive()[0] + progressive()[1][:-40] + bytes(LONG) + b"\xff\xd9",
}


@pytest.mark.parametrize("name", JPEGS)
def test_junk_in_a_jpeg_takes_few_reads(name: str) -> None:
    source, target = Counting(JPEGS[name]), io.BytesIO()

    write_without_private_data(source, target, "image/jpeg", "rights")

    assert source.reads < READS
    if "scan" not in name:
        assert len(target.getvalue()) < LONG // 100


def test_junk_in_a_jpeg_is_left_out_and_the_picture_stays() -> None:
    before, after = progressive()
    target = io.BytesIO()

    write_without_private_data(io.BytesIO(between_scans(b"\0x\xff" * 1000)), target, "image/jpeg", "rights")

    assert target.getvalue() == before + after


@pytest.mark.parametrize(
    "segment", [b"\xff\xc4\0\2", b"\xff\xda\0\2", b"\xff\xe1\0\2"], ids=["tables", "scans", "of applications"]
)
def test_a_jpeg_of_more_segments_than_any_has_is_refused(segment: bytes) -> None:
    before, after = progressive()
    with pytest.raises(UnreadableStructure):
        write_without_private_data(io.BytesIO(before[:20] + segment * 20_000), io.BytesIO(), "image/jpeg", "rights")
    data = before + b"\xff\xc4\0\2" * 5_000 + after
    write_without_private_data(io.BytesIO(data), io.BytesIO(), "image/jpeg", "rights")


@pytest.mark.parametrize("name", ["empty segments before the picture", "fill bytes before the picture"])
def test_what_pillow_would_read_byte_by_byte_is_refused_before(name: str) -> None:
    source = Counting(JPEGS[name])

    with pytest.raises(UnreadableImage, match="built in an unusual way"):
        read_header(source, 1_000_000)

    assert source.reads < READS


def test_what_stands_behind_the_first_scan_is_no_reason_to_refuse_a_jpeg() -> None:
    for name in ("zeros", "fill bytes", "empty segments"):
        assert read_header(io.BytesIO(JPEGS[name]), 1_000_000)
    check_head(io.BytesIO(encode(picture(), "PNG")))


def gif(junk: bytes, place: int | None = None) -> bytes:
    data = encode(picture().quantize(16), "GIF")
    place = 13 + (3 << (data[10] & 7) + 1) if place is None else place
    return data[:place] + junk + data[place:]


GIFS = {
    "zeros": gif(bytes(LONG)),
    "zeros at the end": gif(bytes(LONG), -1),
    "a comment of small blocks": gif(b"!\xfe" + b"\1x" * (LONG // 2) + b"\0"),
}


@pytest.mark.parametrize("name", GIFS)
def test_junk_in_a_gif_takes_few_reads(name: str) -> None:
    source, target, counted = Counting(GIFS[name]), io.BytesIO(), Counting(GIFS[name])

    write_without_private_data(source, target, "image/gif", "rights")

    assert target.getvalue() == gif(b"")
    assert source.reads < READS
    assert frames_of_gif(Original(counted)) == 1
    assert counted.reads < READS


def test_a_gif_of_more_extensions_than_any_has_is_refused() -> None:
    data = gif(b"!\xfe\0" * 100_000)
    with pytest.raises(UnreadableStructure):
        write_without_private_data(io.BytesIO(data), io.BytesIO(), "image/gif", "rights")
    with pytest.raises(UnreadableStructure):
        frames_of_gif(Original(io.BytesIO(data)))


def empty_chunks_of_webp(count: int) -> bytes:
    data = encode(picture(), "WEBP") + struct.pack("<4sI", b"none", 0) * count
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


SMALL_PARTS: dict[str, tuple[Callable[[int], bytes], int]] = {
    "image/png": (lambda count: b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"") * count, 12),
    "image/webp": (empty_chunks_of_webp, 8),
    "image/avif": (lambda count: encode(picture(), "AVIF") + box(b"free") * count, 8),
    "video/mp4": (lambda count: box(b"ftyp", b"mp42") + box(b"free") * count, 8),
}


@pytest.mark.parametrize("mime_type", SMALL_PARTS)
def test_small_parts_of_other_files_are_read_many_at_a_time(mime_type: str) -> None:
    make, size = SMALL_PARTS[mime_type]
    source = Counting(make(200_000 // size))

    write_without_private_data(source, io.BytesIO(), mime_type, "rights")

    assert source.reads < READS
