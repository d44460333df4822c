"""Pillow's own test pictures: what Pillow reads is stored with right thumbnails, what it refuses is refused.

The collection comes with Pillow's source package, fetched once into pytest's cache and checked against the digests in
`requirements/run.txt`. Where it can't be fetched the tests are skipped; with CI_STRICT set they fail instead.
"""

import fcntl
import os
import re
import subprocess
import sys
import tarfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import PIL
import pytest
from django.core.files import File
from PIL import Image, ImageOps

from folio.media.checking import check_media
from folio.media.errors import UploadRefused
from folio.media.models import Media
from folio.media.opening import FORMATS
from folio.media.thumbnails import BOXES
from folio.media.uploads import store_upload
from tests.environment import ROOT

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

FETCH = 300  # seconds that the index may take for 50 MB

# What Pillow reads and Folio refuses, and why.
REFUSED_ON_PURPOSE = {
    "12bit.cropped.tif": "Pillow takes 12 bits for 16, and shows it dark.",
    "16bit.s.tif": "Pillow takes signed numbers for others.",
    "8bit.s.tif": "Pillow takes signed numbers for others.",
    "separate_planar_extra_samples.tiff": "Pillow takes signed numbers for others.",
}
# What Pillow refuses and Folio stores.
STORED_ON_PURPOSE = {
    "apng/chunk_no_fctl.png": "Its frames are damaged, and the picture for those who can't show them is whole.",
    "avif/hopper.heif": "HEIC becomes JPEG.",
    "truncated_jpeg.jpg": "It lacks nothing but its end marker.",
}


@pytest.fixture(scope="session")
def collection(pytestconfig: pytest.Config) -> Path:
    """The folder of the pictures."""
    folder = pytestconfig.cache.mkdir(f"pillow-{PIL.__version__}")
    images = folder / "images"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not images.exists():
            fetch(images)
    return images


def fetch(images: Path) -> None:
    """Unpack the pictures of the installed Pillow's source package; skip, or fail, where it can't be had."""
    with TemporaryDirectory(dir=images.parent) as name:
        folder = Path(name)
        (folder / "requirements.txt").write_text(pinned("pillow"))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--require-hashes", "--no-binary", "pillow", "-d", name, "-r", str(folder / "requirements.txt")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=FETCH)
        if done.returncode:
            give_up(f"Pillow's source package can't be fetched: {done.stderr.strip()[-300:]}")
        [package] = folder.glob("pillow-*.tar.gz")
        unpack(package, folder / "images")
        (folder / "images").rename(images)


def unpack(package: Path, images: Path) -> None:
    with tarfile.open(package) as archive:
        for member in archive:
            _, found, name = member.name.partition("/Tests/images/")
            if found and (content := archive.extractfile(member) if member.isfile() else None):
                (images / name).parent.mkdir(parents=True, exist_ok=True)
                (images / name).write_bytes(content.read())


def pinned(package: str) -> str:
    """Return a package's requirement with its digests."""
    text = (ROOT / "requirements" / "run.txt").read_text()
    found = re.search(rf"^{package}==(?:.*\\\n)*.*\n", text, re.MULTILINE)
    assert found is not None
    assert f"{package}=={PIL.__version__} " in found[0]
    return found[0]


def give_up(message: str) -> None:
    if os.environ.get("CI_STRICT"):
        pytest.fail(message)
    pytest.skip(message)


def upright_size(path: Path) -> tuple[int, int] | None:
    """Return the size of a picture in an accepted format as it is shown, or None where Pillow refuses it."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=tuple(FORMATS)) as image:
            image.load()
            return ImageOps.exif_transpose(image).size
    except Exception:
        return None


def pictures(collection: Path) -> Iterator[tuple[str, Path]]:
    paths = sorted(path for path in collection.rglob("*") if path.is_file())
    assert len(paths) > 1000
    return ((str(path.relative_to(collection)), path) for path in paths)


def problem_of(path: Path) -> str:
    """Store a picture, and return what is wrong with what became of it."""
    size = upright_size(path)
    try:
        with path.open("rb") as file:
            media = store_upload(File(file, name=path.name))
    except UploadRefused as refusal:
        return f"refused: {refusal.messages[0]}" if size else ""
    except Exception as error:
        return f"failed: {error!r}"
    if size is None:
        return "stored as an image" if media.type == "image" else ""
    if media.type != "image":
        return f"stored as {media.mime_type}"
    if (media.width, media.height) != size:
        return f"{media.width} x {media.height} instead of {size}"
    return problem_of_thumbnails(media, size)


def problem_of_thumbnails(media: Media, size: tuple[int, int]) -> str:
    thumbnails = list(media.thumbnails.order_by("size"))
    if [thumbnail.size for thumbnail in thumbnails] != list(BOXES):
        return f"thumbnails of {[thumbnail.size for thumbnail in thumbnails]}"
    for thumbnail in thumbnails:
        with warnings.catch_warnings(action="ignore"), thumbnail.file.open() as file, Image.open(file) as image:
            image.load()  # a copy of what came is as odd as that
            if not fits(image.size, size, thumbnail.size):
                return f"a thumbnail of {image.size} in {thumbnail.size} of {size}"
            if image.format not in FORMATS or image.getexif():
                return f"a thumbnail in {image.format} with {dict(image.getexif())}"
    return ", ".join(map(str, check_media(media.pk)))


def fits(shown: tuple[int, int], original: tuple[int, int], box: int) -> bool:
    """Tell whether a picture fills its box as far as its proportions and its own size let it."""
    longest = min(box, max(original))
    scale = longest / max(original)
    return max(shown) == longest and all(
        abs(now - max(1, was * scale)) <= 1 for now, was in zip(shown, original, strict=True)
    )


def test_stores_what_pillow_reads_and_refuses_the_rest(collection: Path) -> None:
    problems = {name: problem for name, path in pictures(collection) if (problem := problem_of(path))}

    assert {name for name in problems if problems[name].startswith("refused")} == set(REFUSED_ON_PURPOSE)
    assert {name for name in problems if problems[name] == "stored as an image"} == set(STORED_ON_PURPOSE)
    on_purpose = REFUSED_ON_PURPOSE | STORED_ON_PURPOSE
    assert {name: problem for name, problem in problems.items() if name not in on_purpose} == {}


def test_most_of_the_collection_is_pictures_that_are_read(collection: Path) -> None:
    """Else the other test could pass because nothing is."""
    read = sum(upright_size(path) is not None for _, path in pictures(collection))

    assert read > 500
