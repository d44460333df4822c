"""Pictures stand in Chromium as Folio has them stand, in whichever way they say their orientation."""

from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from folio.media.rendering import Wanted, render
from folio.media.thumbnails import render_thumbnails
from tests.media import orientations
from tests.media.coloured_images import LIMIT, alike, header_of
from tests.media.private_files import copied

# Draws a picture as a page shows it, and reads the colours in the middle of its four fields.
LOOK = """async ([type, content]) => {
  const image = new Image();
  image.src = `data:image/${type};base64,${content}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const [width, height] = [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const at = (x, y) => [...context.getImageData(Math.floor(width * x / 4), Math.floor(height * y / 4), 1, 1).data];
  return [[width, height], [at(1, 1), at(3, 1), at(1, 3), at(3, 3)]];
}"""
ALL = {**orientations.said_in_every_way(6), **orientations.said_in_vain(6)}
FURTHER = ["JPEG, EXIF", "PNG, eXIf", "AVIF, irot and imir", "WebP, EXIF"]


@pytest.fixture(scope="module")
def blank(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def look(page: Page, type: str, content: bytes) -> tuple[list[int], list[Any]]:
    size, colours = page.evaluate(LOOK, [type, b64encode(content).decode()])
    return size, colours


def assert_stands_the_same(page: Page, way: str, content: bytes) -> None:
    type = way.partition(",")[0].lower()
    for original in (content, copied(content, f"image/{type}")):
        header = header_of(BytesIO(original))
        size, colours = look(page, type, original)

        assert size == [header.width, header.height]
        variant = next(render(BytesIO(original), [Wanted("webp", header.width)], LIMIT))
        for shown, made in [(type, data) for data in render_thumbnails(BytesIO(original)).values()] + [
            ("webp", variant)
        ]:
            made_size, made_colours = look(page, shown, made)
            assert (made_size[0] > made_size[1]) is (size[0] > size[1])
            assert alike(made_colours, colours, tolerance=12)


@pytest.mark.parametrize("way", ALL)
def test_original_thumbnails_and_variants_stand_the_same_way_up(way: str, blank: Page) -> None:
    assert_stands_the_same(blank, way, ALL[way])


@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 5, 7, 8])
@pytest.mark.parametrize("way", FURTHER)
def test_so_they_do_for_all_ways_to_hold_a_camera(way: str, orientation: int, blank: Page) -> None:
    ways = {**orientations.said_in_every_way(orientation), **orientations.said_in_vain(orientation)}

    assert_stands_the_same(blank, way, ways[way])


def test_no_browser_shows_a_tiff(blank: Page) -> None:
    content = orientations.stored(1, "TIFF")

    shown = blank.evaluate(
        "async (content) => { const image = new Image(); image.src = `data:image/tiff;base64,${content}`;"
        " return image.decode().then(() => true, () => false); }",
        b64encode(content).decode(),
    )

    assert shown is False
