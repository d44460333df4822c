"""Chromium draws thumbnails and variants in the colours in which it draws their originals, whatever tells these."""

import base64
import io

import pytest
from PIL import Image
from playwright.sync_api import Browser

from folio.media.rendering import Wanted, render
from folio.media.thumbnails import render_thumbnails
from tests.media.described_images import (
    DIM,
    P3_IN_CHRM,
    VIVID,
    Rgb,
    cicp,
    clli,
    described_avif,
    described_png,
    furthest,
    gama,
    nclx,
)

EXACT, ENCODED = 3, 8  # of 255: of a PNG, and of what is encoded with some loss
LIMIT = 1_000_000  # pixels
# The four fields' colours in a canvas of sRGB, as a page without a word on colours has it.
DRAW = """async ([type, data]) => {
  const image = new Image();
  image.src = `data:${type};base64,${data}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: 120, height: 80 });
  const context = canvas.getContext("2d", { colorSpace: "srgb" });
  context.drawImage(image, 0, 0, 120, 80);
  return [[30, 20], [90, 20], [30, 60], [90, 60]].map(
    ([x, y]) => Array.from(context.getImageData(x, y, 1, 1).data).slice(0, 3)
  );
}"""
BRIGHT: tuple[Rgb, ...] = ((200, 170, 160), (150, 190, 160), (140, 150, 210), (180, 180, 180))
CASES: list[tuple[str, io.BytesIO, int]] = [
    ("nclx-p3", described_avif(VIVID, nclx(12, 13)), ENCODED),
    ("nclx-2020", described_avif(VIVID, nclx(9, 14)), ENCODED),
    ("nclx-pq", described_avif(BRIGHT, nclx(9, 16)), ENCODED),
    ("nclx-hlg", described_avif(VIVID, nclx(9, 18)), ENCODED),
    ("cicp-p3", described_png(VIVID, cicp(12, 13)), EXACT),
    ("cicp-2020", described_png(VIVID, cicp(9, 13)), EXACT),
    ("cicp-2020-films", described_png(VIVID, cicp(9, 1)), EXACT),
    ("cicp-pq", described_png(BRIGHT, cicp(9, 16)), EXACT),
    ("cicp-pq-400", described_png(DIM, cicp(12, 16), clli(400)), EXACT),
    ("cicp-hlg", described_png(VIVID, cicp(9, 18)), EXACT),
    ("gamma-linear", described_png(VIVID, gama(1)), EXACT),
    ("gamma-usual", described_png(VIVID, gama(0.45455)), EXACT),
    ("gamma-p3", described_png(VIVID, gama(0.45455), (b"cHRM", P3_IN_CHRM)), EXACT),
    ("chromaticities-alone", described_png(VIVID, (b"cHRM", P3_IN_CHRM)), EXACT),
]


@pytest.mark.parametrize(("file", "tolerance"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_thumbnails_and_variants_have_the_colours_of_their_original(
    browser: Browser, file: io.BytesIO, tolerance: int
) -> None:
    page = browser.new_page()

    def drawn(data: bytes) -> list[Rgb]:
        with Image.open(io.BytesIO(data)) as image:
            mime_type = image.get_format_mimetype()
        return [tuple(colour) for colour in page.evaluate(DRAW, [mime_type, base64.b64encode(data).decode()])]

    original = drawn(file.getvalue())
    for data in render_thumbnails(file).values():
        assert furthest(drawn(data), original) <= tolerance
    for data in render(file, [Wanted(extension, 120) for extension in ("avif", "webp", "jpg", "png")], LIMIT):
        assert furthest(drawn(data), original) <= ENCODED + 2
    page.close()
