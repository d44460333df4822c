"""What moves is known to move, and goes on moving where it is made smaller."""

from io import BytesIO, StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from PIL import Image

from folio.media import rendering
from folio.media.models import Media
from folio.media.opening import UnreadableImage, read_header
from folio.media.rendering import Wanted, render
from folio.media.replacing import replace_file
from folio.media.uploads import store_upload
from tests.factories import draw, make_portfolio

from .coloured_images import LIMIT, decode, encode
from .varied import animation

FORMATS = ["GIF", "WEBP", "PNG", "AVIF"]


def moving(content: bytes, width: int = 30) -> Image.Image:
    made = Image.open(BytesIO(next(render(BytesIO(content), [Wanted("webp", width)], LIMIT))))
    assert made.format == "WEBP"
    return made


def grays(image: Image.Image) -> list[Any]:
    """Return the gray in the middle of each frame."""
    found = []
    for number in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(number)
        found.append(image.convert("L").getpixel((image.width // 2, image.height // 2)))
    return found


def durations(image: Image.Image) -> list[int]:
    found = []
    for number in range(image.n_frames):  # type: ignore[attr-defined]
        image.seek(number)
        image.load()
        found.append(image.info["duration"])
    return found


# Known


@pytest.mark.django_db
@pytest.mark.parametrize("format", FORMATS)
def test_an_upload_that_moves_is_known_to(format: str) -> None:
    media = store_upload(ContentFile(animation(format), name=f"moves.{format.lower()}"))

    assert media.is_animated is True


@pytest.mark.django_db
@pytest.mark.parametrize("format", [*FORMATS, "JPEG", "BMP", "TIFF"])
def test_an_image_of_one_frame_is_known_not_to_move(format: str) -> None:
    assert store_upload(ContentFile(draw(format=format), name="still")).is_animated is False


@pytest.mark.django_db
def test_of_other_files_it_is_not_known() -> None:
    media = store_upload(ContentFile(b"Hello, dear reader.\n", name="letter.txt"))

    assert (media.is_animated, media.is_transparent) == (None, None)


def test_pages_and_second_pictures_do_not_move() -> None:
    pages = [Image.new("RGB", (40, 30)), Image.new("RGB", (40, 30), "red")]
    for format in ("TIFF", "MPO"):
        header = read_header(encode(pages[0], format, save_all=True, append_images=pages[1:]), LIMIT)
        assert header
        assert not header.is_animated


def test_a_png_s_picture_for_those_who_can_not_show_the_others_is_no_frame() -> None:
    still, moves = (animation("PNG", frames, default_image=True) for frames in (2, 3))

    assert not read_header(BytesIO(still), LIMIT).is_animated  # type: ignore[union-attr]
    assert read_header(BytesIO(moves), LIMIT).is_animated  # type: ignore[union-attr]


@pytest.mark.django_db(transaction=True)
def test_is_known_of_the_file_that_comes_in_the_place_of_another() -> None:
    media = store_upload(ContentFile(animation(), name="moves.gif"))

    assert replace_file(media.pk, ContentFile(draw(), name="still.png")).is_animated is False
    assert replace_file(media.pk, ContentFile(animation(), name="moves.gif")).is_animated is True


@pytest.mark.django_db(transaction=True)
def test_makethumbnails_finds_out_about_older_images() -> None:
    for content, name in ((animation(), "moves.gif"), (draw(mode="RGBA", color=(0, 0, 0, 99)), "clear.png")):
        store_upload(ContentFile(content, name=name))
    before = list(Media.objects.order_by("pk").values("file", "is_animated", "is_transparent"))
    Media.objects.update(is_animated=None, is_transparent=None)

    call_command("makethumbnails", "--processes", "1", stdout=StringIO(), no_color=True)

    assert list(Media.objects.order_by("pk").values("file", "is_animated", "is_transparent")) == before
    assert [row["is_animated"] for row in before] == [True, False]
    assert [row["is_transparent"] for row in before] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_makethumbnails_fills_in_what_is_not_known_of_a_picture_that_is_shown() -> None:
    media = store_upload(ContentFile(draw(), name="shown.png"))
    Media.objects.update(sha256="", is_transparent=None)
    make_portfolio(image=media)

    call_command("makethumbnails", "--processes", "1", stdout=StringIO(), no_color=True)

    media.refresh_from_db()
    assert (len(media.sha256), media.is_transparent) == (64, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "color", "is_transparent"),
    [("RGB", None, False), ("RGBA", (9, 9, 9, 255), False), ("RGBA", (9, 9, 9, 254), True), ("LA", (9, 0), True)],
)
def test_an_upload_is_known_to_let_something_shine_through(mode: str, color: Any, is_transparent: bool) -> None:
    media = store_upload(ContentFile(draw(mode=mode, color=color), name="picture.png"))

    assert media.is_transparent is is_transparent


# Made smaller


@pytest.mark.parametrize("format", FORMATS)
def test_an_animation_keeps_moving(format: str) -> None:
    made = moving(animation(format, duration=[100, 200, 300]))

    assert made.size == (30, 20)
    assert grays(made) == pytest.approx([0, 60, 120], abs=6)
    assert durations(made) == [100, 200, 300]
    assert made.info["loop"] == 0


@pytest.mark.parametrize("extension", ["avif", "jpg", "png"])
def test_other_formats_show_the_first_frame(extension: str) -> None:
    made = decode(next(render(BytesIO(animation()), [Wanted(extension, 30)], LIMIT)))

    assert getattr(made, "n_frames", 1) == 1
    assert made.convert("L").getpixel((15, 10)) <= 4  # type: ignore[operator]


def test_the_picture_for_networks_is_the_first_frame() -> None:
    made = decode(next(render(BytesIO(animation()), [Wanted("jpg", focal=(0.5, 0.5))], LIMIT)))

    assert (made.format, made.size) == ("JPEG", (1200, 630))


@pytest.mark.parametrize(("loop", "expected"), [(0, 0), (3, 4), (None, 1)])
def test_a_gif_runs_as_often_as_browsers_let_it(loop: int | None, expected: int) -> None:
    made = moving(animation(loop=loop))

    assert made.info["loop"] == expected


def test_frames_that_are_too_short_are_shown_as_browsers_show_them() -> None:
    assert durations(moving(animation(duration=[0, 10, 20]))) == [100, 100, 20]


def test_leaves_out_a_png_s_picture_for_those_who_can_not_show_the_others() -> None:
    assert grays(moving(animation("PNG", 3, default_image=True))) == pytest.approx([60, 120], abs=6)


def test_keeps_the_transparency_of_an_animation() -> None:
    frames = [Image.new("RGBA", (60, 40)) for _ in range(2)]
    for number, frame in enumerate(frames):
        frame.paste((200, 0, 0, 255), (30 * number, 0, 30 * number + 30, 40))
    file = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100, disposal=2)

    made = moving(file.getvalue())

    for number in range(2):
        made.seek(number)
        shown = made.convert("RGBA")
        assert [shown.getpixel((x, 10))[3] for x in (5, 25)] == [255 * (number == 0), 255 * (number == 1)]  # type: ignore[index]


def test_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    assert moving(animation("PNG", exif=exif), 20).size == (20, 30)
    assert moving(animation("WEBP", exif=exif), 30).size == (30, 20)  # by which no browser turns it


def test_refuses_an_animation_that_is_too_long_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "MOVING_PIXELS", 3 * (60 * 40 + 30 * 20))
    assert moving(animation(frames=3))

    with pytest.raises(UnreadableImage, match="too long"):
        moving(animation(frames=4))


def test_refuses_an_animation_that_breaks_off() -> None:
    content = animation(frames=4, size=(400, 300))

    with pytest.raises(UnreadableImage):
        moving(content[: len(content) // 2], 200)
