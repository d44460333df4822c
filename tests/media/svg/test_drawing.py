"""How large a drawing is, and that it is drawn as browsers do."""

import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from folio.media.svg.drawing import FONTS

from .drawings import drawing, embedded, rewrite

RED, BLUE, CLEAR = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
DRAWN = {
    "shapes": ('<rect width="10" height="20" fill="red"/><rect x="10" width="10" height="20" fill="blue"/>'),
    "styles": (
        '<style>.a{fill:red}g>.b[x]{fill:blue}</style><g><rect class="a" width="10" height="20"/>'
        '<rect class="b" x="10" width="10" height="20"/></g>'
    ),
    "symbol": (
        '<symbol id="s" viewBox="0 0 1 1" preserveAspectRatio="none"><rect width="1" height="1"/></symbol>'
        '<use href="#s" width="10" height="20" fill="red"/>'
        '<use xlink:href="#s" x="10" width="10" height="20" fill="blue"/>'
    ),
    "clip": (
        '<clipPath id="c"><rect width="10" height="20"/></clipPath>'
        '<rect width="20" height="20" fill="blue"/>'
        '<rect width="20" height="20" fill="red" clip-path="url(#c)"/>'
    ),
    "mask": (
        '<mask id="m"><rect width="10" height="20" fill="#fff"/></mask>'
        '<rect width="20" height="20" fill="blue"/>'
        '<rect width="20" height="20" fill="red" style="mask:url(&quot;#m&quot;)"/>'
    ),
    "gradient": (
        '<linearGradient id="g" x2="20" gradientUnits="userSpaceOnUse"><stop offset=".5" stop-color="red"/>'
        '<stop offset=".5" style="stop-color:blue"/></linearGradient>'
        '<rect width="20" height="20" fill="url(#g)"/>'
    ),
    "pattern": (
        '<pattern id="p" width="20" height="20" patternUnits="userSpaceOnUse">'
        '<rect width="10" height="20" fill="red"/><rect x="10" width="10" height="20" fill="blue"/>'
        '</pattern><rect width="20" height="20" fill="url(#p)"/>'
    ),
    "filter": (
        '<filter id="f" x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">'
        '<feFlood flood-color="red"/></filter><rect x="10" width="10" height="20" fill="blue"/>'
        '<rect width="10" height="20" filter="url(#f)"/>'
    ),
    "link-and-switch": (
        '<a href="#b"><rect width="10" height="20" fill="red"/></a><switch><foreignObject/>'
        '<rect x="10" width="10" height="20" fill="blue"/><rect width="20" height="20"/></switch>'
    ),
}


@pytest.mark.parametrize(
    ("root", "size"),
    [
        ('viewBox="0 0 10 20"', (10, 20)),
        ('viewBox="-5,-5 10.4 20.6"', (10, 21)),
        ('viewBox="0 0 10 20" width="100%" height="100%"', (10, 20)),
        ('viewBox="0 0 10 20" width="50"', (50, 100)),
        ('viewBox="0 0 10 20" height="50" width="auto"', (25, 50)),
        ('viewBox="0 0 10 20" width="40" height="40"', (40, 40)),
        ('width="1in" height="48pt"', (96, 64)),
        ('width="25.4mm" height="2.54cm"', (96, 96)),
        ('width="2em" height="1pc"', (32, 16)),
        ('width="40"', (40, 150)),
        ("", (300, 150)),
        ('viewBox="0 0 0 0"', (300, 150)),
        ('viewBox="0 0 1e9 1e9"', (16384, 16384)),
        ('viewBox="0 0 1 1e9"', (1, 16384)),
        ('viewBox="0 0 .1 .1"', (1, 1)),
        ('viewBox="0 0 1e400 -1" width="-4" height="0"', (300, 150)),
        ('viewBox="0 0 nan inf"', (300, 150)),
    ],
)
def test_is_as_large_as_browsers_show_it(root: str, size: tuple[int, int]) -> None:
    assert rewrite(drawing(root=root)).size == size


def drawn(body: str, root: str = 'viewBox="0 0 20 20"', size: tuple[int, int] = (20, 20)) -> Image.Image:
    return rewrite(drawing(body, root)).draw(size)


@pytest.mark.parametrize("name", DRAWN)
def test_is_drawn(name: str) -> None:
    image = drawn(DRAWN[name])

    assert image.getpixel((4, 10)) == RED
    assert image.getpixel((15, 10)) == BLUE


def test_is_drawn_with_the_images_within() -> None:
    image = drawn(f'<image width="20" height="15" href="{embedded()}"/>')

    assert image.getchannel("A").getbbox() == (0, 0, 20, 15)


def test_a_root_that_says_only_how_large_it_is_keeps_its_scale() -> None:
    image = drawn('<rect width="20" height="10" fill="red"/>', 'width="40" height="20"', (80, 40))

    assert [image.getpixel(place) for place in ((20, 10), (60, 10), (20, 30))] == [RED, CLEAR, CLEAR]


@pytest.mark.parametrize("text", ["Studio", "Łódź", "Ωμέγα", "Жук", "نمونه‌کار"], ids=["en", "pl", "el", "ru", "fa"])
@pytest.mark.parametrize("font", ["Arial", "serif", "'No Such Font'", "monospace"])
def test_texts_are_drawn_whatever_font_they_name(font: str, text: str) -> None:
    image = drawn(f'<text y="15" font-family="{font}" font-size="16">{text}</text>', 'viewBox="0 0 90 20"', (90, 20))

    box = image.getchannel("A").getbbox()
    assert box is not None
    assert box[2] - box[0] > 20


def test_the_fonts_have_the_letters_of_what_is_drawn() -> None:
    letters = {code for path in FONTS for code in TTFont(path).getBestCmap()}

    assert len(FONTS) == 3
    assert {ord(letter) for letter in "AzŁşЖΩيگپچژ۱"} <= letters
