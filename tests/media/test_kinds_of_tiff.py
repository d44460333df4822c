"""A TIFF is shown right, compared with the numbers that it was made of, or refused with a sentence; never wrong."""

from io import BytesIO
from itertools import product
from typing import Any

import numpy as np
import pytest

from folio.media.opening import UnreadableImage, read_header
from folio.media.thumbnails import render_thumbnails

from .coloured_images import BLUE, GREEN, LIMIT, RED, WHITE, decode
from .tiffs import FLOATING, SIGNED, tiff

pytestmark = pytest.mark.any_database

SIZE = (32, 48)  # rows and columns
ALPHA = 128


def colours() -> Any:
    """Return red, green, blue and white fields, as numbers from 0 to 255."""
    fields = np.zeros((*SIZE, 3))
    for number, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        top, left = number // 2 * SIZE[0] // 2, number % 2 * SIZE[1] // 2
        fields[top : top + SIZE[0] // 2, left : left + SIZE[1] // 2] = colour[:3]
    return fields


RGB = colours()
GRAY = np.round(RGB @ [0.299, 0.587, 0.114])[:, :, None]
IN_GRAY = np.repeat(GRAY, 3, axis=2)
CLEAR = np.full((*SIZE, 1), float(ALPHA))
RGBA = np.dstack([RGB, CLEAR])


def outcome(content: bytes, expected: Any) -> str:
    """Return `right`, or why it is refused; fail where it is shown otherwise than expected."""
    try:
        if read_header(BytesIO(content), LIMIT) is None:
            return "damaged"
        thumbnail = decode(render_thumbnails(BytesIO(content))[1080])
    except UnreadableImage as error:
        return str(error)
    found = np.asarray(thumbnail.convert("RGBA")).astype(float)
    full = expected if expected.shape[2] == 4 else np.dstack([expected, np.full(SIZE, 255.0)])
    assert found.shape == full.shape
    assert np.abs(found - full).max() <= 3
    return "right"


def scaled(values: Any, bits: int) -> Any:
    return np.round(values / 255 * (2**bits - 1))


@pytest.mark.parametrize("parts", [{}, {"rows": 8}, {"tile": 16}], ids=["one strip", "strips", "tiles"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 12, 16, 32])
def test_is_right_or_refused_in_every_number_of_bits(bits: int, channels: int, parts: dict[str, Any]) -> None:
    values = {1: GRAY, 3: RGB, 4: RGBA}[channels]
    coded = scaled(values, bits)
    shown = np.round(coded / (2**bits - 1) * 255)
    expected = np.repeat(shown, 3, axis=2) if channels == 1 else shown
    options: dict[str, Any] = {"photometric": 1 if channels == 1 else 2, "extra": [2] if channels == 4 else None}

    found = {
        outcome(
            tiff(
                coded,
                bits,
                in_planes=planes,
                order=order,
                is_deflated=deflated,
                predictor=predictor,
                **options,
                **parts,
            ),
            expected,
        )
        for planes, order, deflated, predictor in product([False, channels > 1], "<>", [False, True], [1, 2])
        if predictor == 1 or (deflated and bits in (8, 16, 32))
    }

    assert all(each in ("right", "damaged") or each.startswith("The image is ") for each in found)
    if bits == 8:
        assert found == {"right"}


@pytest.mark.parametrize("order", ["<", ">"], ids=["little-endian", "big-endian"])
@pytest.mark.parametrize("channels", [3, 4])
def test_refuses_16_bits_in_planes_with_what_to_do(channels: int, order: str) -> None:
    values = RGB if channels == 3 else RGBA
    content = tiff(scaled(values, 16), 16, in_planes=True, order=order, extra=[2] if channels == 4 else None)

    with pytest.raises(UnreadableImage) as caught:
        read_header(BytesIO(content), LIMIT)

    assert str(caught.value) == (
        "The image is of a kind that browsers don't show: TIFF (16 bits, in planes). "
        "Export it as JPEG, PNG, WebP or AVIF and send that."
    )


def test_takes_16_bits_that_are_not_in_planes() -> None:
    assert outcome(tiff(scaled(RGB, 16), 16), RGB) == "right"
    assert outcome(tiff(scaled(RGB, 16), 16, in_planes=True, is_deflated=True), RGB) == "right"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (tiff(65535 - scaled(GRAY, 16), 16, photometric=0), "16 bits, from white to black"),
        (tiff(scaled(GRAY, 12), 12, photometric=1), "12 bits"),
        (tiff(scaled(GRAY, 32), 32, photometric=1), "32 bits"),
        (tiff(scaled(GRAY, 7), 8, photometric=1, kind=SIGNED), "signed numbers"),
        (tiff(scaled(GRAY, 15), 16, photometric=1, kind=SIGNED), "signed numbers"),
    ],
    ids=["white is 0", "12 bits", "32 bits", "signed bytes", "signed 16 bits"],
)
def test_refuses_what_would_be_read_as_another_kind(content: bytes, kind: str) -> None:
    with pytest.raises(UnreadableImage, match=f"TIFF \\({kind}\\)"):
        read_header(BytesIO(content), LIMIT)


@pytest.mark.parametrize("in_planes", [False, True], ids=["together", "in planes"])
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("extra", [0, 1, 2], ids=["unspecified", "premultiplied", "alpha"])
def test_is_right_or_refused_with_a_channel_more(extra: int, bits: int, in_planes: bool) -> None:
    weight = ALPHA / 255 if extra == 1 else 1
    content = tiff(scaled(np.dstack([RGB * weight, CLEAR]), bits), bits, in_planes=in_planes, extra=[extra])

    found = outcome(content, RGB if extra == 0 else RGBA)

    assert found in ("right", "damaged") or found.startswith("The image is ")


@pytest.mark.parametrize("bits", [8, 16])
def test_shows_inks_right_or_refuses_them(bits: int) -> None:
    inks = np.dstack([255 - RGB, np.zeros(SIZE)])

    for in_planes in (False, True):
        found = outcome(tiff(scaled(inks, bits), bits, photometric=5, in_planes=in_planes), RGB)
        assert found == "right" or found.startswith("The image is ")


def test_shows_floating_gray() -> None:
    assert outcome(tiff(GRAY / 255, 32, photometric=1, kind=FLOATING), IN_GRAY) == "right"
    assert outcome(tiff(RGB / 255, 32, kind=FLOATING), RGB).endswith("and send that.")
