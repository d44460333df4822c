"""The first page of a PDF, and a frame of a film, as pictures: no server, no database."""

import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from folio.media import posters
from folio.media.decoding import Decoders, DecodersBusy
from folio.media.orders import Depict
from folio.media.posters import DEMUXERS, EDGE, depict
from tests.environment import ROOT

from .decoded import MEGABYTE
from .filmed import TEST_PICTURE, film, find_ffmpeg, referring
from .paged import encrypted, pdf, stream

pytestmark = pytest.mark.any_database

PIXELS = 50_000_000
PDF = "application/pdf"
RED, WHITE = (255, 0, 0), (255, 255, 255)
# Black, then a picture, and no key frame but the first.
LATE = f"{TEST_PICTURE},fade=in:start_time=1:duration=0.1"
ONE_KEY_FRAME = ("-g", "1000", "-sc_threshold", "1000000000")

Pool = Callable[..., Decoders]


@pytest.fixture
def make_pool() -> Iterator[Pool]:
    pools = []

    def make_pool(memory: int = 512 * MEGABYTE, seconds: int = 30, count: int = 1) -> Decoders:
        pools.append(Decoders(count, memory, seconds))
        return pools[-1]

    yield make_pool
    for pool in pools:
        pool.close()


@contextmanager
def on_disk(content: bytes, folder: Path) -> Iterator[Any]:
    (folder / "upload").write_bytes(content)
    with open(folder / "upload", "rb") as file:
        yield file


def shown(content: bytes, mime_type: str, folder: Path, ffmpeg: str = "", **limits: Any) -> Image.Image | None:
    """Return the picture of a file, or None where there is none."""
    given = {"seconds": 60, "max_pixels": PIXELS} | limits
    with on_disk(content, folder) as file:
        picture = depict(file, mime_type, ffmpeg=ffmpeg, **given)
    return Image.open(picture.file) if picture else None


def page_of(content: bytes) -> tuple[Image.Image, int | None, int | None]:
    picture = depict(io.BytesIO(content), PDF, 60, PIXELS, "")
    assert picture
    return Image.open(picture.file), picture.width, picture.height


# Pages


def test_draws_the_first_page_on_white_so_that_its_longer_edge_is_that_of_the_largest_box() -> None:
    image, width, height = page_of(pdf())

    assert (image.size, image.mode) == ((835, EDGE), "RGB")
    assert (width, height) == (816, 1056)  # US Letter at 96 pixels an inch
    assert image.getpixel((20, 20)) == RED
    assert image.getpixel((800, 20)) == image.getpixel((20, 1060)) == WHITE


@pytest.mark.parametrize(
    ("turn", "corner"), [(90, (1060, 20)), (180, (815, 1060)), (270, (20, 815))], ids=["90", "180", "270"]
)
def test_draws_a_page_that_is_turned_as_it_is_read(turn: int, corner: tuple[int, int]) -> None:
    image, width, height = page_of(pdf(page=f"/Rotate {turn}"))

    upright = turn == 180
    assert image.size == ((835, EDGE) if upright else (EDGE, 835))
    assert (width, height) == ((816, 1056) if upright else (1056, 816))
    assert image.getpixel(corner) == RED


def test_draws_what_a_page_shows_of_itself() -> None:
    image, width, height = page_of(pdf(page="/CropBox[0 692 100 792]"))

    assert (image.size, width, height) == ((EDGE, EDGE), 133, 133)
    assert image.getpixel((EDGE - 5, EDGE - 5)) == RED


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ("0 0 14400 14400", (EDGE, EDGE)),
        ("0 0 900000 900", (EDGE, 1)),
        ("0 0 2 400000", (1, EDGE)),
        ("0 0 1 1", (EDGE, EDGE)),
        ("0 0 0 0", (835, EDGE)),
        ("612 792 0 0", (835, EDGE)),
    ],
)
def test_a_page_s_size_never_decides_how_many_pixels_are_drawn(box: str, size: tuple[int, int]) -> None:
    image, width, height = page_of(pdf(box=box))

    assert image.size == size
    assert width
    assert height


@pytest.mark.parametrize("box", ["0 0 2000000 100", "0 0 100 16000000"])
def test_draws_no_page_of_a_size_that_nobody_has(box: str) -> None:
    assert depict(io.BytesIO(pdf(box=box)), PDF, 60, PIXELS, "") is None


UNREADABLE = {
    "encrypted": encrypted(),
    "cut off": pdf()[:60],
    "nothing": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "no page": pdf().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[]/Count 0"),
    "pages within themselves": pdf().replace(b"/Kids[3 0 R]/Count 1", b"/Kids[2 0 R]/Count 9"),
    "no pdf": b"GIF89a" + bytes(100),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_pdf_that_cannot_be_read_has_no_picture(name: str) -> None:
    assert depict(io.BytesIO(UNREADABLE[name]), PDF, 60, PIXELS, "") is None


def test_runs_no_script_of_a_pdf() -> None:
    script = b"<</S/JavaScript/JS(this.getField\\('a'\\).value='x'; while\\(1\\){};)>>"
    names = "/OpenAction 5 0 R/Names<</JavaScript<</Names[(a) 5 0 R]>>>>"
    plain = page_of(pdf())[0]

    scripted = page_of(pdf(more=[script], root=names, page="/AA<</O 5 0 R>>"))[0]

    assert scripted.tobytes() == plain.tobytes()


def test_a_form_that_draws_itself_is_drawn_only_so_often() -> None:
    loop = stream(b"1 0 0 rg 0 0 50 50 re f /X Do", "/Type/XObject/Subtype/Form/BBox[0 0 612 792]/Resources<<>>")
    loop = loop.replace(b"/Resources<<>>", b"/Resources<</XObject<</X 5 0 R>>>>")
    content = pdf(b"/X Do", more=[loop]).replace(b"/Resources<<>>", b"/Resources<</XObject<</X 5 0 R>>>>", 1)

    assert page_of(content)[0].size == (835, EDGE)


def test_loads_the_reader_of_pdfs_only_for_one() -> None:
    code = "import sys, folio.media.decoder; sys.exit(any(name.startswith('pypdfium2') for name in sys.modules))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0


# Films


@pytest.mark.parametrize(
    ("extension", "mime_type"),
    [
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("webm", "video/webm"),
        ("mkv", "video/x-matroska"),
        ("ogv", "video/ogg"),
    ],
)
def test_takes_a_frame_of_a_film(extension: str, mime_type: str, tmp_path: Path) -> None:
    image = shown(film(extension), mime_type, tmp_path, find_ffmpeg())

    assert image is not None
    assert image.size == (320, 180)  # never enlarged
    assert posters.contrast(image) > posters.SHOWS_MUCH


def test_makes_a_large_frame_smaller(tmp_path: Path) -> None:
    image = shown(film("mp4", "testsrc2=size=1920x1080:rate=5"), "video/mp4", tmp_path, find_ffmpeg())

    assert image is not None
    assert image.size == (EDGE, 608)


def test_shows_pixels_that_are_no_squares_as_players_do(tmp_path: Path) -> None:
    content = film("mp4", f"{TEST_PICTURE},setsar=2")

    image = shown(content, "video/mp4", tmp_path, find_ffmpeg())

    assert image is not None
    assert image.size == (640, 180)


def test_takes_no_black_first_frame(tmp_path: Path) -> None:
    image = shown(film("mp4", LATE, 2, *ONE_KEY_FRAME), "video/mp4", tmp_path, find_ffmpeg())

    assert image is not None
    assert posters.contrast(image) > posters.SHOWS_MUCH


def test_takes_a_later_key_frame_where_the_first_is_black(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posters, "FRAMES", 0)  # nothing but key frames

    image = shown(film("mp4", LATE, 3, "-g", "5"), "video/mp4", tmp_path, find_ffmpeg())

    assert image is not None
    assert posters.contrast(image) > posters.SHOWS_MUCH


def test_shows_a_film_that_is_black_throughout_as_it_is(tmp_path: Path) -> None:
    image = shown(film("mp4", "color=black:size=320x180:rate=5"), "video/mp4", tmp_path, find_ffmpeg())

    assert image is not None
    assert image.convert("L").getextrema()[1] < 20  # type: ignore[operator]


@pytest.mark.parametrize("content", [b"", bytes(5000), b"\0\0\0\x14ftypisom\0\0\0\0isom" + bytes(40)], ids=len)
@pytest.mark.parametrize("mime_type", DEMUXERS)
def test_a_film_that_cannot_be_read_has_no_picture(mime_type: str, content: bytes, tmp_path: Path) -> None:
    assert shown(content, mime_type, tmp_path, find_ffmpeg()) is None


def test_makes_no_picture_of_a_film_without_ffmpeg_nor_of_other_files(tmp_path: Path) -> None:
    assert shown(film(), "video/mp4", tmp_path) is None
    assert shown(b"words", "text/plain", tmp_path, find_ffmpeg()) is None


def test_reads_no_other_file_that_a_film_names(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(film())
    assert shown(secret.read_bytes(), "video/mp4", tmp_path, find_ffmpeg())
    lists = [
        f"ffconcat version 1.0\nfile '{secret}'\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1.0,\nconcat:{secret}|{secret}\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXTINF:1.0,\n{secret}\n#EXT-X-ENDLIST\n",
        f"<?xml version='1.0'?><MPD type='static'><Period><AdaptationSet><BaseURL>{secret}</BaseURL></AdaptationSet>",
    ]

    for each, mime_type in zip(lists, DEMUXERS, strict=True):
        assert shown(each.encode(), mime_type, tmp_path, find_ffmpeg()) is None


def test_reads_no_other_file_that_quicktime_refers_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / ("other.mov" if len(str(tmp_path)) % 2 == 0 else "others.mov")  # records are of even length
    other.write_bytes(film("mov"))
    content = referring(film("mov"), str(other))

    assert shown(content, "video/quicktime", tmp_path, find_ffmpeg()) is None

    monkeypatch.setattr(posters, "READING", [*posters.READING, "-enable_drefs", "1", "-use_absolute_path", "1"])
    assert shown(content, "video/quicktime", tmp_path, find_ffmpeg()) is not None  # so that is what keeps it


def test_what_a_film_s_size_promises_is_bounded(tmp_path: Path) -> None:
    assert shown(film(), "video/mp4", tmp_path, find_ffmpeg(), max_pixels=320 * 180 - 1) is None


def test_ffmpeg_ends_in_time(tmp_path: Path) -> None:
    assert shown(b"film", "video/mp4", tmp_path, hanging(tmp_path), seconds=0.5) is None

    assert processes_of(tmp_path) == []


# In a decoder


def test_a_decoder_gives_thumbnails_as_jpeg_with_what_stands_in_for_them(make_pool: Pool, tmp_path: Path) -> None:
    with on_disk(pdf(), tmp_path) as file:
        depicted = make_pool().depict(file, Depict(PDF, PIXELS, 30, ""))

    assert depicted is not None
    sizes = {box: Image.open(io.BytesIO(data)) for box, data in depicted.thumbnails.items()}
    assert {box: (image.format, image.size) for box, image in sizes.items()} == {
        64: ("JPEG", (49, 64)),
        128: ("JPEG", (99, 128)),
        512: ("JPEG", (396, 512)),
        1080: ("JPEG", (835, 1080)),
    }
    assert (depicted.width, depicted.height, depicted.dominant_color) == (816, 1056, "#ffffff")
    assert depicted.placeholder.startswith("data:image/webp;base64,")


def test_a_decoder_looks_at_a_film(make_pool: Pool, tmp_path: Path) -> None:
    with on_disk(film(), tmp_path) as file:
        depicted = make_pool().depict(file, Depict("video/mp4", PIXELS, 30, find_ffmpeg()))

    assert depicted is not None
    assert (list(depicted.thumbnails), depicted.width) == ([1080, 512, 128, 64], None)


def test_a_page_that_takes_too_long_has_no_picture_and_the_decoder_goes(make_pool: Pool, tmp_path: Path) -> None:
    pool = make_pool()
    bomb = pdf(b"0 0 m 600 700 l S\n" * 3_000_000)

    with on_disk(bomb, tmp_path) as file:
        assert pool.depict(file, Depict(PDF, PIXELS, 1, "")) is None

    assert pool.free.get_nowait() is None


def test_a_page_that_takes_too_much_memory_has_no_picture(make_pool: Pool, tmp_path: Path) -> None:
    pool = make_pool(memory=16 * MEGABYTE)

    with on_disk(pdf(b"q " * 1_000_000), tmp_path) as file:
        assert pool.depict(file, Depict(PDF, PIXELS, 30, "")) is None
    with on_disk(pdf(), tmp_path) as file:
        assert pool.depict(file, Depict(PDF, PIXELS, 30, "")) is not None


def test_ffmpeg_has_the_decoder_s_limit_of_memory(make_pool: Pool, tmp_path: Path) -> None:
    content = film("mp4", "testsrc2=size=1920x1080:rate=5")

    with on_disk(content, tmp_path) as file:
        assert make_pool(memory=8 * MEGABYTE).depict(file, Depict("video/mp4", PIXELS, 30, find_ffmpeg())) is None


def test_says_where_no_decoder_is_free(make_pool: Pool, tmp_path: Path) -> None:
    pool = make_pool()
    pool.free.get_nowait()

    with on_disk(pdf(), tmp_path) as file, pytest.raises(DecodersBusy):
        pool.depict(file, Depict(PDF, PIXELS, 0.01, ""))


def test_ffmpeg_knows_no_secrets_and_ends_with_its_decoder(
    make_pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLIO_SECRET_KEY", "hidden")
    order = Depict("video/mp4", PIXELS, 600, hanging(tmp_path))
    pool = make_pool(seconds=5)
    with on_disk(b"film", tmp_path) as file, ThreadPoolExecutor(1) as threads:
        answer = threads.submit(pool.depict, file, order)
        while not (found := processes_of(tmp_path)) and not answer.done():
            time.sleep(0.01)

        environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in found]

        assert answer.result() is None
    assert environments
    assert not any(b"FOLIO" in each or b"PYTHONPATH" in each for each in environments)
    assert ends(tmp_path)


def hanging(folder: Path) -> str:
    """Return the path of a program that never ends by itself, and does nothing."""
    program = folder / "ffmpeg"
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    program.chmod(0o755)
    return str(program)


def processes_of(folder: Path) -> list[int]:
    """Return the numbers of the processes that run something in a folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"{folder}/ffmpeg".encode() in each.read_bytes():
                found.append(int(each.parent.name))
    return found


def ends(folder: Path) -> bool:
    """Tell whether what runs there ends within a while."""
    for _ in range(500):
        if not processes_of(folder):
            return True
        time.sleep(0.01)
    return False
