"""The sample's pictures in the formats that a studio's files come in.

They are kept as small as they can be, in `content/`, which `folio import` reads as it is. The demo has what staff
really upload: photographs as JPEG, one of them for print, a scan as TIFF, old BMP files, and so on.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

SAVING: dict[str, dict[str, object]] = {
    ".jpg": {"format": "JPEG", "quality": 84},
    ".png": {"format": "PNG", "compress_level": 4},
    ".gif": {"format": "GIF"},
    ".bmp": {"format": "BMP"},
    ".tif": {"format": "TIFF", "compression": "tiff_lzw"},
}
# What becomes of a picture by its name: the ending and the colour mode. All other WebP and AVIF files become JPEG.
BECOMES = {
    "brightmoor-dashboard.webp": (".png", "RGB"),
    "fathom-dark.webp": (".png", "RGB"),
    "fathom-specimen.webp": (".png", "L"),
    "harbour-colours.webp": (".png", "RGB"),
    "quilt-tiles.png": (".gif", "P"),
    "star-trails.avif": (".jpg", "L"),
    "studio-2019.png": (".bmp", "RGB"),
    "tag-data.png": (".gif", "P"),
    "tag-print.png": (".bmp", "RGB"),
    "ten-chairs.webp": (".jpg", "CMYK"),
    "tidal-cover.webp": (".tif", "RGB"),
}
STAY = {"glasshouse-cutouts.webp", "lumen.webp", "paper-weather.avif", "postcard-lake.webp"}
SMALL = {".webp", ".avif"}


def in_formats(source: Path, target: Path) -> None:
    """Copy the sample to a new folder, its pictures in the demo's formats, and their names in the texts with them."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    new_names = {path.name: path.stem + becomes(path.name)[0] for path in files if is_made_anew(path.name)}
    for folder in {path.parent for path in files}:
        (target / folder.relative_to(source)).mkdir(parents=True, exist_ok=True)

    def put(path: Path) -> None:
        place = target / path.relative_to(source)
        if path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
            for old, new in new_names.items():
                text = text.replace(old, new)
            place.write_text(text, encoding="utf-8")
        elif path.name in new_names:
            suffix, mode = becomes(path.name)
            with Image.open(path) as image:
                image.convert(mode).save(place.with_suffix(suffix), **SAVING[suffix])  # type: ignore[arg-type]
        else:
            shutil.copyfile(path, place)

    with ThreadPoolExecutor() as pool:
        list(pool.map(put, files))


def is_made_anew(name: str) -> bool:
    return name in BECOMES or (name not in STAY and Path(name).suffix in SMALL)


def becomes(name: str) -> tuple[str, str]:
    return BECOMES.get(name, (".jpg", "RGB"))
