"""A JPEG that lacks nothing but its end is taken in, with its end; one that lacks pixels is damaged."""

import io
import re
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageChops

from folio.media.endings import with_end
from folio.media.errors import UploadRefused

from .stored import assert_nothing_is_left, content_of, upload

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "fine": {"quality": 100, "subsampling": "4:4:4"},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 3},
    "rows of restarts": {"restart_marker_rows": 1},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    return Image.frombytes(mode, size, Random(7).randbytes(size[0] * size[1] * len(mode)))


IMAGES = {
    "noise": noise((120, 90)),
    "gray": noise((120, 90), "L"),
    "smooth": Image.radial_gradient("L").resize((120, 90)).convert("RGB"),
    "one colour": Image.new("RGB", (120, 90), (200, 40, 90)),
    "odd": noise((97, 61)),
}


def encoded(image: str, options: str) -> bytes:
    file = io.BytesIO()
    IMAGES[image].save(file, "JPEG", **OPTIONS[options])
    return file.getvalue()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("image", IMAGES)
def test_adds_the_end_that_is_all_that_is_missing(image: str, options: str) -> None:
    whole = encoded(image, options)

    for lacking in (whole[:-2], whole[:-1]):
        ended = with_end(io.BytesIO(lacking))
        assert ended is not None
        assert ended.getvalue() == whole


def test_puts_the_end_in_the_place_of_padding() -> None:
    whole = encoded("smooth", "plain")

    ended = with_end(io.BytesIO(whole[:-2] + bytes(500)))

    assert ended is not None
    assert ended.getvalue() == whole


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("image", ["noise", "gray", "odd"])
def test_adds_none_where_pixels_are_missing(image: str, options: str) -> None:
    whole = encoded(image, options)
    cuts = [*range(4, 40), 100, len(whole) // 3, len(whole) // 2, len(whole) - 3]

    assert [cut for cut in cuts if with_end(io.BytesIO(whole[:-cut]))] == []
    assert [cut for cut in cuts if with_end(io.BytesIO(whole[:-cut] + bytes(500)))] == []


def test_adds_none_where_the_last_part_between_restarts_is_missing() -> None:
    whole = encoded("noise", "restarts")
    markers = [marker.start() for marker in re.finditer(rb"\xff[\xd0-\xd7]", whole)]

    for place in markers[-9:]:
        assert with_end(io.BytesIO(whole[:place])) is None
        assert with_end(io.BytesIO(whole[: place + 2])) is None


def test_adds_none_where_a_scan_is_missing() -> None:
    whole = encoded("noise", "progressive")
    scans = [scan.start() for scan in re.finditer(rb"\xff\xda", whole)]

    assert len(scans) > 5
    for place in scans:
        assert with_end(io.BytesIO(whole[:place])) is None


def test_leaves_alone_what_has_an_end_or_is_none() -> None:
    whole = encoded("noise", "plain")

    assert with_end(io.BytesIO(whole)) is None
    assert with_end(io.BytesIO(whole + b"words behind")) is None
    assert with_end(io.BytesIO(b"words")) is None
    assert with_end(io.BytesIO(whole[:3])) is None


@pytest.mark.django_db
@pytest.mark.parametrize("keep_metadata", [False, True])
def test_stores_it_with_its_end(keep_metadata: bool, settings: Any) -> None:
    settings.KEEP_METADATA = keep_metadata
    whole = encoded("noise", "plain")

    media = upload(whole[:-2], "photo.jpg")

    stored = content_of(media)
    assert stored.endswith(b"\xff\xd9")
    assert media.size == len(stored)
    pixels = Image.open(io.BytesIO(stored))
    assert ImageChops.difference(pixels, Image.open(io.BytesIO(whole))).getbbox() is None
    assert media.thumbnails.count() == 4


@pytest.mark.django_db
def test_refuses_one_that_is_cut_off(media_root: Path) -> None:
    with pytest.raises(UploadRefused, match="The image is damaged or incomplete"):
        upload(encoded("noise", "plain")[:-40], "photo.jpg")

    assert_nothing_is_left(media_root)
