"""Which variants there are of an image, and how they are called: no file is looked at for that."""

from typing import Any

import pytest

from folio.media.variants import Variant, parse, share_image_url, sources, src, variants_of

FOLDER = "core_media/2026/03/02"


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.IMAGE_WIDTHS = [320, 640, 960, 1280, 1920, 2560]
    settings.IMAGE_FORMATS = ["avif", "webp"]
    settings.PUBLIC_ORIGINALS = True


def row(**fields: Any) -> dict[str, Any]:
    """Return what the database tells of a photograph."""
    photograph = {
        "id": 1,
        "type": "image",
        "file": f"{FOLDER}/photo.jpg",
        "mime_type": "image/jpeg",
        "width": 4000,
        "height": 3000,
        "mode": "RGB",
        "focal_x": None,
        "focal_y": None,
        "is_animated": False,
        "is_transparent": False,
    }
    return photograph | fields


def url(name: str) -> str:
    return f"https://x.test/media/{name}"


def widths(**fields: Any) -> dict[str, list[int]]:
    """Return the widths of an image's sources by their types."""
    found = {}
    for type, srcset in sources(row(**fields), url):
        found[type] = [int(candidate.split(" ")[1].removesuffix("w")) for candidate in srcset.split(", ")]
    return found


def test_lists_the_sources_in_the_order_in_which_a_picture_wants_them() -> None:
    assert [source.type for source in sources(row(), url)] == ["image/avif", "image/webp", "image/jpeg"]


def test_makes_sets_that_can_be_pasted(settings: Any) -> None:
    settings.IMAGE_WIDTHS = [320, 640]

    assert sources(row(), url)[0].srcset == (
        f"https://x.test/media/{FOLDER}/thumbnails/photo.jpg_v2_320.avif 320w, "
        f"https://x.test/media/{FOLDER}/thumbnails/photo.jpg_v2_640.avif 640w"
    )


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (4000, [320, 640, 960, 1280, 1920, 2560]),
        (2560, [320, 640, 960, 1280, 1920, 2560]),
        (2561, [320, 640, 960, 1280, 1920, 2560]),
        (1000, [320, 640, 960, 1000]),
        (640, [320, 640]),
        (200, [200]),
        (1, [1]),
    ],
)
def test_takes_the_set_widths_below_the_originals_and_its_own_up_to_the_largest(
    width: int, expected: list[int]
) -> None:
    assert widths(width=width) == {"image/avif": expected, "image/webp": expected, "image/jpeg": expected}


def test_has_no_variants_without_widths(settings: Any) -> None:
    settings.IMAGE_WIDTHS = []

    assert sources(row(), url) == []
    assert share_image_url(row(), url) is None
    assert list(variants_of(row())) == []


def test_has_a_fallback_without_formats(settings: Any) -> None:
    settings.IMAGE_FORMATS = []

    assert list(widths()) == ["image/jpeg"]


def test_has_no_variants_of_other_files() -> None:
    other = row(type="video", mime_type="video/mp4", width=None, height=None, mode=None, is_animated=None)

    assert sources(other, url) == []
    assert share_image_url(other, url) is None


def test_ends_with_a_png_where_anything_shines_through() -> None:
    assert list(widths(is_transparent=True)) == ["image/avif", "image/webp", "image/png"]


@pytest.mark.parametrize(
    ("mime_type", "mode", "last"),
    [
        ("image/png", "RGBA", "image/png"),
        ("image/png", "RGB", "image/jpeg"),
        ("image/gif", "P", "image/png"),
        ("image/bmp", "P", "image/jpeg"),
    ],
)
def test_guesses_by_the_mode_where_the_pixels_were_not_looked_at(mime_type: str, mode: str, last: str) -> None:
    assert list(widths(is_transparent=None, mime_type=mime_type, mode=mode))[-1] == last


def test_has_no_avif_of_an_animation() -> None:
    assert list(widths(is_animated=True, is_transparent=True)) == ["image/webp", "image/png"]


def test_leaves_out_what_a_format_can_not_hold() -> None:
    assert widths(width=1000, height=20_000) == {
        "image/avif": [320, 640],
        "image/webp": [320, 640],
        "image/jpeg": [320, 640, 960, 1000],
    }


def test_names_of_two_files_of_one_day_do_not_collide() -> None:
    names = [
        variant.name
        for name in ("photo.jpg", "photo.png", "photo_v2_320.jpg", "photo.jpeg")
        for variant in variants_of(row(file=f"{FOLDER}/{name}"))
    ]

    assert len(set(names)) == len(names)


def test_tells_the_file_from_the_name_alone() -> None:
    for file in ("photo.jpg", "عکس_v2_320.webp", "a_thumbnail_64x64.png", "x_v2_share_1x1.jpg"):
        for variant in variants_of(row(file=f"{FOLDER}/{file}", focal_x=0.25, focal_y=1.0)):
            assert parse(variant.name) == variant


@pytest.mark.parametrize(
    "name",
    [
        "photo.jpg_v2_0320.avif",
        "photo.jpg_v0_320.avif",
        "photo.jpg_v2_320.gif",
        "photo.jpg_v2_320.AVIF",
        "photo_v2_320.avif",
        "photo.jpg_v2_.avif",
        "photo.jpg_v2_99999999.avif",
        "photo.jpg_v2_share_500x500.png",
        "photo.jpg_v2_share_1001x0.jpg",
        "photo.jpg_v2_share_00x1.jpg",
        "photo.jpg_v2_३२०.avif",
        "photo.jpg_v2_320.avif\n",
        "pho\0to.jpg_v2_320.avif",
        "photo_thumbnail_64x64.jpg",
    ],
)
def test_takes_no_other_name_for_a_variants(name: str) -> None:
    assert parse(f"{FOLDER}/thumbnails/{name}") is None


def test_looks_for_variants_beside_thumbnails_alone() -> None:
    assert parse(f"{FOLDER}/photo.jpg_v2_320.avif") is None


def test_the_picture_for_networks_is_named_by_its_focal_point() -> None:
    assert share_image_url(row(), url) == url(f"{FOLDER}/thumbnails/photo.jpg_v2_share_500x500.jpg")
    moved = share_image_url(row(focal_x=0.0, focal_y=0.3337), url)
    assert moved == url(f"{FOLDER}/thumbnails/photo.jpg_v2_share_0x334.jpg")


def test_a_variant_is_another_with_another_version() -> None:
    old = Variant(f"{FOLDER}/photo.jpg", "avif", 320, version=7)

    assert old.name == f"{FOLDER}/thumbnails/photo.jpg_v7_320.avif"
    assert old.of_this_version() == parse(old.name.replace("_v7_", "_v2_"))


def test_shows_the_largest_thumbnail_or_a_smaller_original(settings: Any) -> None:
    thumbnail = url("…_thumbnail_1080x1080.jpg")

    assert src(row(), thumbnail, url) == thumbnail
    assert src(row(width=800, height=600), thumbnail, url) == url(f"{FOLDER}/photo.jpg")
    assert src(row(width=800, height=600, mime_type="image/tiff"), thumbnail, url) == thumbnail
    assert src(row(), None, url) == url(f"{FOLDER}/photo.jpg")

    settings.PUBLIC_ORIGINALS = False
    assert src(row(width=800, height=600), thumbnail, url) == thumbnail
    assert src(row(), None, url) is None
