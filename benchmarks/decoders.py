"""Measure what thumbnails weigh and what memory they take: `python -m benchmarks.decoders [FOLDER …]`.

Prints the bytes of the four thumbnails of every picture in the folders (else of the sample content), beside those of
each encoded anew in the usual way; and the memory of a decoder that makes four thumbnails of JPEGs of 100 megapixels.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile

from PIL import Image, ImageOps

import folio.sample
from folio.media.bounds import MEMORY_AT_REST
from folio.media.decoding import Decoders
from folio.media.opening import UnreadableImage, read_header
from folio.media.thumbnails import BOXES, SAVE_OPTIONS, render_thumbnails

SIZE = (11_648, 8_736)  # of a camera of medium format
MEMORY, SECONDS, PIXELS = 1024**3, 120, 120_000_000
KINDS: dict[str, dict[str, object]] = {
    "baseline, half the colours": {"subsampling": "4:2:0"},
    "baseline, all colours": {"subsampling": "4:4:4"},
    "progressive, half the colours": {"subsampling": "4:2:0", "progressive": True},
    "progressive, all colours": {"subsampling": "4:4:4", "progressive": True},
}


def pictures(folders: list[Path]) -> Iterator[Path]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            with open(path, "rb") if path.is_file() else BytesIO() as file:
                try:
                    if read_header(file, PIXELS):
                        yield path
                except UnreadableImage:
                    continue


def encoded_anew(path: Path) -> int:
    """Return the bytes of four thumbnails that are all encoded, in the colours that they come out in."""
    total = 0
    with Image.open(path) as image:
        format = "PNG" if image.format == "TIFF" else str(image.format)
        shown = ImageOps.exif_transpose(image)
        if shown.mode not in ("L", "LA", "RGB", "RGBA"):
            shown = shown.convert("RGBA" if shown.has_transparency_data else "RGB")
        for box in BOXES:
            thumbnail = shown.copy()
            thumbnail.thumbnail((box, box), Image.Resampling.LANCZOS)
            file = BytesIO()
            (thumbnail.quantize(256) if format == "GIF" else thumbnail).save(
                file, format, **SAVE_OPTIONS.get(format, {})
            )
            total += len(file.getvalue())
    return total


def weigh(folders: list[Path]) -> None:
    usual = ours = count = 0
    for path in pictures(folders):
        with open(path, "rb") as file:
            made = sum(len(data) for data in render_thumbnails(file).values())
        count, usual, ours = count + 1, usual + encoded_anew(path), ours + made
    print(f"bytes of four thumbnails each of {count} pictures: {usual:,} all encoded, {ours:,} now, {ours / usual:.0%}")


def resident(pid: int) -> int:
    """Return the most bytes that a process had in memory."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def measure(name: str, options: dict[str, object]) -> None:
    pool = Decoders(1, MEMORY, SECONDS)
    with TemporaryFile() as file:
        Image.effect_noise((SIZE[0] // 8, SIZE[1] // 8), 40).resize(SIZE).convert("RGB").save(file, "JPEG", **options)
        file.flush()
        image = pool.decode(file, PIXELS)
    decoder = pool.free.get()
    assert image is not None
    assert decoder is not None
    peak = resident(decoder.process.pid)
    pool.free.put(decoder)
    pool.close()
    print(
        f"JPEG of {SIZE[0]:,} x {SIZE[1]:,}, {name:30} {peak / 1024**2:5.0f} MiB at most, of {MEMORY >> 20:,} allowed"
    )


def main() -> None:
    Image.MAX_IMAGE_PIXELS = None
    weigh([Path(each) for each in sys.argv[1:]] or [Path(folio.sample.__file__).parent / "content"])
    print(f"a decoder at rest may take {MEMORY_AT_REST / 1024**2:.0f} MiB more")
    for name, options in KINDS.items():
        measure(name, options)


if __name__ == "__main__":
    main()
