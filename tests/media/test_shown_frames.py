"""Of an animation, what stands still shows the first frame that has something to see."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageDraw
from PIL.GifImagePlugin import GifImageFile

from folio.media import frames
from folio.media.frames import FRAMES_LOOKED_AT
from folio.media.opening import load, read_header
from folio.media.rendering import Wanted, render
from folio.media.thumbnails import render_thumbnails

from .coloured_images import BLUE, CLEAR, COLOURS, GREEN, LIMIT, RED, WHITE, Colour, alike, decode, fields, quadrants
from .crafted import gif

SIZE = (240, 160)


def animation(format: str, pictures: list[Image.Image], **options: Any) -> bytes:
    file = BytesIO()
    usual: dict[str, Any] = {"save_all": True, "append_images": pictures[1:], "duration": 100, "loop": 0}
    if format in ("GIF", "PNG"):
        usual["disposal"] = 2 if format == "GIF" else 1
    if format == "WEBP":
        usual["lossless"] = True
    pictures[0].save(file, format, **{**usual, **options})
    return file.getvalue()


def clear(size: tuple[int, int] = SIZE) -> Image.Image:
    return Image.new("RGBA", size, CLEAR)


def assert_shows(content: bytes, colours: list[Colour]) -> None:
    """Assert that thumbnails, the still variants and the picture beside a link show these four colours."""
    for data in render_thumbnails(BytesIO(content)).values():
        thumbnail = decode(data)
        assert getattr(thumbnail, "n_frames", 1) == 1
        assert alike(fields(thumbnail), colours, tolerance=10)
    png, share = render(BytesIO(content), [Wanted("png", 120), Wanted("png", focal=(0.5, 0.5))], LIMIT)
    for variant in (png, share):
        assert alike(fields(decode(variant)), colours, tolerance=10)


@pytest.mark.parametrize("empty", [1, 2, 5])
@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_skips_the_frames_in_which_there_is_nothing(format: str, empty: int) -> None:
    # Encoders put two equal frames into one, so each empty one lasts for another time.
    content = animation(
        format,
        [clear()] * empty + [quadrants(), Image.new("RGBA", SIZE, RED)],
        duration=[100 + number for number in range(empty + 2)],
    )

    header = read_header(BytesIO(content), LIMIT)

    assert header
    assert header.is_animated
    assert_shows(content, list(COLOURS))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_shows_the_first_frame_where_that_has_anything(format: str) -> None:
    little = clear()
    ImageDraw.Draw(little).ellipse((120, 80, 239, 159), GREEN)

    assert_shows(animation(format, [little, Image.new("RGBA", SIZE, RED)]), [CLEAR, CLEAR, CLEAR, GREEN])


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
def test_shows_the_first_of_frames_that_are_all_empty(format: str) -> None:
    content = animation(format, [clear(), clear()], duration=[100, 200])

    assert_shows(content, [CLEAR] * 4)


def test_puts_the_frames_of_a_gif_upon_one_another_as_they_are_shown() -> None:
    """The second frame changes a part alone, and leaves what there was around it: nothing."""
    part = clear()
    part.paste(BLUE, (0, 80, 120, 160))
    content = animation("GIF", [clear(), part, quadrants()], disposal=1)

    assert_shows(content, [CLEAR, CLEAR, BLUE, CLEAR])


def test_begins_behind_the_picture_of_a_png_for_those_who_can_not_show_the_others() -> None:
    content = animation("PNG", [Image.new("RGBA", SIZE, RED), quadrants(), clear()], default_image=True)

    assert_shows(content, list(COLOURS))


def sought(content: bytes, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return which frames of a GIF are looked at."""
    found: set[int] = set()
    seek = GifImageFile._seek

    def watched(image: GifImageFile, frame: int, *arguments: Any) -> None:
        found.add(frame)
        seek(image, frame, *arguments)

    monkeypatch.setattr(GifImageFile, "_seek", watched)
    load(BytesIO(content), 1)
    return found


EMPTY_FRAME = b"\x21\xf9\4\1\1\0\0\0" + b"\x2c" + bytes(4) + b"\1\0\1\0\0" + b"\2\2\x44\1\0"  # its one pixel is clear


def empty_gif(count: int) -> bytes:
    return gif(frames=0)[:-1] + EMPTY_FRAME * count + b";"


def test_looks_at_so_many_frames_and_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sought(empty_gif(3 * FRAMES_LOOKED_AT), monkeypatch) == set(range(FRAMES_LOOKED_AT))


def test_looks_at_fewer_frames_that_are_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "PIXELS_LOOKED_AT", 7)

    assert sought(empty_gif(20), monkeypatch) == set(range(7))


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[:-1] + b"\x2c\0\0", lambda content: content[: content.rindex(b"\x2c") + 14]],
    ids=["in a frame's header", "in its pixels"],
)
def test_shows_the_first_frame_where_a_later_one_is_damaged(damage: Callable[[bytes], bytes]) -> None:
    content = damage(animation("GIF", [clear(), quadrants()]))

    assert load(BytesIO(content), 1).frame.size == SIZE


def test_sees_nothing_of_a_gif_s_frame_beyond_its_screen() -> None:
    content = bytearray(animation("GIF", [clear(), quadrants()]))
    content[6:10] = b"\x78\0\x50\0"  # 120 × 80 pixels, which is the first quarter
    place = content.index(b"\x2c")
    content[place + 5 : place + 9] = b"\x78\0\x50\0"

    assert load(BytesIO(bytes(content)), 1).frame.size == (120, 80)


def test_white_is_something_to_see() -> None:
    assert_shows(animation("PNG", [clear(), Image.new("RGBA", SIZE, WHITE)]), [WHITE] * 4)
