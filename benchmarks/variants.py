"""What variants of pictures weigh, and what it costs to make them: `python -m benchmarks.variants [--quick]`.

Three tables. Bytes and time of photographs, drawings and screenshots by the encoders' settings, with how like its
original each is: SSIM of the brightness, and noise of the colours in dB. What the covers of the sample's grid weigh as
AVIF, beside their thumbnails of the same size. And how long the first request for a variant of 1,920 pixels takes, of a
photograph of 12 megapixels; beside libvips where `pyvips` is installed.

The photographs are scikit-learn's, in their own size; the drawings are the sample's, and the screenshots the README's.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from folio.media.decoding import Decoders
from folio.media.rendering import SAVE_OPTIONS, Wanted, render
from folio.media.thumbnails import render_thumbnails
from folio.sample.formats import in_formats
from folio.transfer.matter import read_markdown

from . import thumbnails

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "folio" / "sample" / "content"
FIELD = 8  # pixels along each edge of the fields that are compared
PIXELS = 50_000_000
EDGE = 1280  # pixels that drawings and screenshots are made smaller to
JPEG, WEBP, AVIF = SAVE_OPTIONS["jpg"], SAVE_OPTIONS["webp"], SAVE_OPTIONS["avif"]
SETTINGS: list[dict[str, Any]] = [
    *({**JPEG, "quality": quality} for quality in (75, 80, 85)),
    *({**WEBP, "quality": quality} for quality in (75, 80)),
    {**WEBP, "method": 6},
    *({**AVIF, "quality": quality} for quality in (50, 55, 60, 65)),
    {**AVIF, "subsampling": "4:2:0"},
    *({**AVIF, "speed": speed} for speed in (4, 7, 8)),
]
CHOSEN = (JPEG, WEBP, AVIF)


def pictures() -> dict[str, list[Image.Image]]:
    """Return what is measured, by its kind."""
    spec = find_spec("sklearn")
    assert spec is not None
    assert spec.submodule_search_locations
    photographs = Path(spec.submodule_search_locations[0]) / "datasets" / "images"
    drawings = [next(SAMPLE.rglob(name)) for name in ("northline-network.png", "little-cities.avif")]
    screenshots = [ROOT / "docs" / "images" / f"portfolio-{name}.png" for name in ("list", "form")]
    return {
        "photographs": [opened(photographs / name) for name in ("china.jpg", "flower.jpg")],
        "drawings": [opened(path) for path in drawings],
        "screenshots": [opened(path) for path in screenshots],
    }


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        made = image.convert("RGB")
    made.thumbnail((EDGE, EDGE), Image.Resampling.LANCZOS)
    return made


def means(values: Any) -> Any:
    """Return the mean of each field, one for each pixel that it may begin at."""
    sums = np.cumsum(np.cumsum(np.pad(values, ((1, 0), (1, 0))), 0), 1)
    return (sums[FIELD:, FIELD:] - sums[:-FIELD, FIELD:] - sums[FIELD:, :-FIELD] + sums[:-FIELD, :-FIELD]) / FIELD**2


def likeness(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """Return the SSIM of two pictures' brightness, 1 where they are the same, and the noise of the colours in dB."""
    left, right = (np.asarray(image.convert("YCbCr")).astype(float) for image in (one, other))
    x, y = left[..., 0], right[..., 0]
    mean_x, mean_y = means(x), means(y)
    spread = means(x * x) - mean_x**2 + means(y * y) - mean_y**2
    common = means(x * y) - mean_x * mean_y
    ssim = (2 * mean_x * mean_y + 6.5) * (2 * common + 58.5) / ((mean_x**2 + mean_y**2 + 6.5) * (spread + 58.5))
    error = max(float(((left[..., 1:] - right[..., 1:]) ** 2).mean()), 1e-9)
    return float(ssim.mean()), 10 * float(np.log10(255**2 / error))


def encoders(rounds: int) -> None:
    kinds = pictures()
    print("Bytes of both pictures of a kind, milliseconds of a processor, SSIM, dB of colours; * is what Folio takes\n")
    print(f"{'':44}" + "".join(f"{kind:>32}" for kind in kinds))
    for options in SETTINGS:
        words = " ".join(f"{name} {options[name]}" for name in ("quality", "speed", "method") if name in options)
        chroma = options.get("subsampling", "4:2:0")
        line = f"{'*' if options in CHOSEN else ' '} {options['format']:5} {words:22} {chroma:12}"
        for images in kinds.values():
            line += measured(images, options, rounds)
        print(line)


def measured(images: list[Image.Image], options: dict[str, Any], rounds: int) -> str:
    size, taken, ssims, noises = 0, 0.0, [], []
    for image in images:
        times = []
        for _ in range(rounds):
            start = time.process_time()
            file = BytesIO()
            image.save(file, **options)
            times.append(time.process_time() - start)
        ssim, noise = likeness(image, Image.open(BytesIO(file.getvalue())))
        size, taken = size + len(file.getvalue()), taken + min(times)
        ssims.append(ssim)
        noises.append(noise)
    return f"{size:10,} {taken * 1000:6.0f} {statistics.mean(ssims):7.4f} {statistics.mean(noises):6.1f}"


def grid() -> None:
    """Weigh the covers of the sample, in the formats in which the demo has them."""
    weights = {"thumbnails": 0, "avif": 0, "webp": 0, "jpg": 0}
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        in_formats(SAMPLE, Path(folder))
        for text in sorted(Path(folder).glob("[0-9]*/index.md")):
            fields, _ = read_markdown(text.read_bytes(), str(text))
            cover = fields.get("cover")
            if cover is None:
                continue
            content = BytesIO((text.parent / str(cover.content)).read_bytes())
            thumbnail = render_thumbnails(content)[1080]
            with Image.open(BytesIO(thumbnail)) as image:
                wanted = [Wanted(extension, image.width) for extension in ("avif", "webp", "jpg")]
            weights["thumbnails"] += len(thumbnail)
            for each, made in zip(wanted, render(content, wanted, PIXELS), strict=True):
                weights[each.extension] += len(made)
            count += 1
    print(f"\nThe {count} covers of the sample's grid, as large as their largest thumbnails")
    for name, weight in weights.items():
        print(f"  {name:12} {weight:10,} bytes {weight / weights['thumbnails']:7.1%}")


def first_request(rounds: int) -> None:
    """Measure what a decoder takes for one variant of a photograph, from the open file to the answer."""
    pool = Decoders(2, 1024**3, 120)
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(thumbnails.photograph())
        file.flush()
        vips = of_libvips(file.name)
        print("\nA variant of 1,920 pixels from 12 megapixels: the fastest and the median, and its bytes")
        for extension in ("avif", "webp", "jpg"):
            wanted = [Wanted(extension, 1920)]
            told("Folio, in a decoder", extension, rounds, lambda wanted=wanted: pool.render(file, PIXELS, wanted)[0])  # type: ignore[misc]
            if vips:
                told("libvips", extension, rounds, lambda extension=extension: vips(extension))  # type: ignore[misc]
    pool.close()


def told(name: str, extension: str, rounds: int, make: Callable[[], bytes]) -> None:
    times = []
    for turn in range(-1, rounds):  # the first one warms up
        start = time.perf_counter()
        made = make()
        if turn >= 0:
            times.append((time.perf_counter() - start) * 1000)
    print(f"  {extension:5} {name:20} {min(times):6.0f} ms {statistics.median(times):6.0f} ms {len(made):10,} bytes")


def of_libvips(path: str) -> Callable[[str], bytes] | None:
    """Return what makes a variant by libvips, with sharp's usual settings; None where it isn't installed."""
    if find_spec("pyvips") is None:
        return None
    pyvips: Any = import_module("pyvips")
    saving = {"avif": "[compression=av1,Q=50,effort=4]", "webp": "[Q=80,effort=4]", "jpg": "[Q=80]"}

    def make(extension: str) -> bytes:
        suffix = f".{extension}{saving[extension]}"
        made: bytes = pyvips.Image.thumbnail(path, 1920).write_to_buffer(suffix)
        return made

    return make


def main() -> None:
    is_quick = "--quick" in sys.argv[1:]
    encoders(1 if is_quick else 3)
    grid()
    first_request(1 if is_quick else 5)


if __name__ == "__main__":
    main()
