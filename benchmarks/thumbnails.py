"""Measure `render_thumbnails` against the usual ways: `python -m benchmarks.thumbnails [rounds]`.

All start from one JPEG of 12 megapixels in memory and end with four encoded thumbnails, saved with the same options.
"""

import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageChops, ImageOps, features

from folio.media.thumbnails import BOXES, SAVE_OPTIONS, render_thumbnails

SIZE = (4000, 3000)


def photograph() -> bytes:
    """Return a JPEG of 12 megapixels: a photograph of scikit-learn's, or else a gradient, with a sensor's noise."""
    spec = find_spec("sklearn")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None
    if folder:
        with Image.open(folder / "datasets" / "images" / "china.jpg") as image:
            picture = ImageOps.fit(image.convert("RGB"), SIZE, Image.Resampling.LANCZOS)
    else:
        picture = Image.merge("RGB", [Image.linear_gradient("L").rotate(angle) for angle in (0, 90, 180)]).resize(SIZE)
    noise = Image.merge("RGB", [Image.effect_noise(SIZE, 8) for _ in range(3)])
    file = BytesIO()
    ImageChops.add(picture, noise, offset=-128).save(file, "JPEG", quality=92)
    return file.getvalue()


def folio(data: bytes) -> list[bytes]:
    return list(render_thumbnails(BytesIO(data)).values())


def four_full_decodes(data: bytes) -> list[bytes]:
    """The usual way that heeds the EXIF orientation; turning the image upright decodes it whole, for each box."""
    return [save(ImageOps.exif_transpose(Image.open(BytesIO(data))), box) for box in BOXES]


def four_drafts(data: bytes) -> list[bytes]:
    """The usual way that ignores the orientation; `thumbnail()` lets JPEG decode at a fraction of the size."""
    return [save(Image.open(BytesIO(data)), box) for box in BOXES]


def save(image: Image.Image, box: int) -> bytes:
    image.thumbnail((box, box), Image.Resampling.LANCZOS)
    file = BytesIO()
    image.save(file, "JPEG", **SAVE_OPTIONS["JPEG"])
    return file.getvalue()


def measure(ways: list[Callable[[bytes], list[bytes]]], data: bytes, rounds: int) -> list[list[float]]:
    """Return the milliseconds that each way took, round by round; they take turns, to meet the same other load."""
    times: list[list[float]] = [[] for _ in ways]
    for turn in range(-1, rounds):  # the first one warms up
        for way, taken in zip(ways, times, strict=True):
            start = time.perf_counter()
            way(data)
            if turn >= 0:
                taken.append((time.perf_counter() - start) * 1000)
    return times


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    data = photograph()
    ways = {
        "render_thumbnails: one decode, upright": folio,
        "four full decodes, upright": four_full_decodes,
        "four drafts, not upright": four_drafts,
    }
    times = measure(list(ways.values()), data, rounds)
    base = statistics.median(times[0])
    print(f"{SIZE[0]} x {SIZE[1]} JPEG of {len(data):,} bytes, boxes {BOXES}, {rounds} rounds")
    print(f"Pillow {features.version('pil')}, libjpeg-turbo {features.version('libjpeg_turbo')}\n")
    print(f"{'':40} {'median':>9} {'fastest to slowest':>22} {'ratio':>7}")
    for name, taken in zip(ways, times, strict=True):
        median = statistics.median(taken)
        print(f"{name:40} {median:6.0f} ms {min(taken):13.0f} – {max(taken):3.0f} ms {median / base:6.2f}x")


if __name__ == "__main__":
    main()
