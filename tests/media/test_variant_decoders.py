"""Variants get all decoders but one, and hostile pictures cost no more of one than uploads do."""

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from folio.media import decoder
from folio.media.decoding import Decoder, Decoders, DecodersBusy
from folio.media.opening import UnreadableImage
from folio.media.orders import Refused, Render
from folio.media.rendering import Wanted
from folio.server.memory import resident_memory
from tests.factories import draw

from .decoded import MEGABYTE, plain
from .hostile import FILES
from .varied import animation

pytestmark = pytest.mark.any_database

PIXELS = 50_000_000
WANTED = [Wanted("webp", 100)]


@pytest.fixture(params=[1, 2, 3])
def pool(request: pytest.FixtureRequest) -> Iterator[Decoders]:
    pool = Decoders(request.param, 256 * MEGABYTE, 20)
    yield pool
    pool.close()


@pytest.fixture
def single() -> Iterator[Decoders]:
    pool = Decoders(1, 256 * MEGABYTE, 20)
    yield pool
    pool.close()


@pytest.fixture
def image(tmp_path: Path) -> Iterator[IO[bytes]]:
    (tmp_path / "image").write_bytes(draw((400, 300), "JPEG"))
    with open(tmp_path / "image", "rb") as file:
        yield file


@contextmanager
def hanging(pool: Decoders, image: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have as many variants at work as there may be, for as long as the block takes."""
    count = max(1, pool.count - 1)
    begun, go_on = threading.Barrier(count + 1, timeout=20), threading.Event()
    ask = Decoder.ask

    def ask_and_wait(decoder: Decoder, *args: Any) -> Any:
        if threading.current_thread() in threads:
            begun.wait()
            go_on.wait(20)
        return ask(decoder, *args)

    monkeypatch.setattr(Decoder, "ask", ask_and_wait)
    # A file of its own for each: decoders are given the open file, and where it is read at belongs to all who have it.
    with ExitStack() as stack:
        files = [stack.enter_context(open(image.name, "rb")) for _ in range(count)]
        threads = [threading.Thread(target=pool.render, args=(file, PIXELS, WANTED)) for file in files]
        for thread in threads:
            thread.start()
        begun.wait()
        try:
            yield
        finally:
            go_on.set()
            for thread in threads:
                thread.join(60)
            assert not any(thread.is_alive() for thread in threads)


def test_a_decoder_is_left_to_uploads(pool: Decoders, image: IO[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    with hanging(pool, image, monkeypatch):
        with pytest.raises(DecodersBusy):
            pool.render(image, PIXELS, WANTED)
        assert pool.decode(image, PIXELS)

    assert pool.render(image, PIXELS, WANTED)
    assert pool.is_idle


def test_waits_for_a_decoder_where_it_may(pool: Decoders, image: IO[bytes]) -> None:
    pool.variants = threading.BoundedSemaphore(1)
    pool.variants.acquire()
    threading.Timer(0.2, pool.variants.release).start()

    assert pool.render(image, PIXELS, WANTED, patience=20)


def test_an_upload_may_have_them_all(image: IO[bytes]) -> None:
    pool = Decoders(2, 256 * MEGABYTE, 20)
    taken = [pool.free.get_nowait() for _ in range(2)]

    with pytest.raises(DecodersBusy):
        pool.render(image, PIXELS, WANTED)

    assert taken == [None, None]
    assert not pool.is_idle


def test_a_decoder_makes_several_of_one_image(single: Decoders, image: IO[bytes]) -> None:
    wanted = [Wanted(extension, width) for width in (300, 100) for extension in ("avif", "webp", "jpg")]

    made = single.render(image, PIXELS, wanted)

    assert len(made) == 6
    assert made[4] == single.render(image, PIXELS, WANTED)[0]


def test_begins_no_further_variant_after_a_share_of_the_time(monkeypatch: pytest.MonkeyPatch, image: IO[bytes]) -> None:
    wanted = [Wanted("webp", 100), Wanted("webp", 50), Wanted("webp", 20)]

    assert len(decoder.rendered(Render(PIXELS, wanted), image, 0).variants) == 1  # type: ignore[union-attr]
    monkeypatch.setattr(decoder, "ENOUGH_VARIANTS", 10)
    assert len(decoder.rendered(Render(PIXELS, wanted), image, 99).variants) == 1  # type: ignore[union-attr]


def test_refuses_a_variant_that_is_too_large_to_answer(monkeypatch: pytest.MonkeyPatch, image: IO[bytes]) -> None:
    monkeypatch.setattr(decoder, "LARGEST_ANSWER", 1024 + 100)

    answer = decoder.answer(Render(PIXELS, [Wanted("png", 300)]), image, None, 30)

    assert isinstance(answer, Refused)
    assert "too large" in answer.text


def test_a_decoder_that_hangs_is_ended(tmp_path: Path, image: IO[bytes]) -> None:
    pool = Decoders(1, 256 * MEGABYTE, 1)
    pool.render(image, PIXELS, WANTED)
    decoder = pool.free_for_variants.queue[0]
    assert decoder is not None
    decoder.process.send_signal(signal.SIGSTOP)

    with pytest.raises(UnreadableImage, match="more time"):
        pool.render(image, PIXELS, WANTED)

    assert decoder.process.returncode == -signal.SIGKILL
    assert pool.render(image, PIXELS, WANTED)
    pool.close()


def test_an_image_that_takes_too_much_memory_ends_no_server(tmp_path: Path, image: IO[bytes]) -> None:
    pool = Decoders(1, 24 * MEGABYTE, 20)
    (tmp_path / "large").write_bytes(plain("PNG"))
    with open(tmp_path / "large", "rb") as file, pytest.raises(UnreadableImage, match="more memory"):
        pool.render(file, PIXELS, [Wanted("avif", 2560)])

    assert pool.render(image, PIXELS, WANTED)
    pool.close()


def test_an_animation_of_many_frames_takes_no_more_memory(tmp_path: Path) -> None:
    pool = Decoders(1, 100 * MEGABYTE, 20)
    (tmp_path / "moves").write_bytes(animation(frames=200, size=(400, 300)))  # 96 MB as pixels
    with open(tmp_path / "moves", "rb") as file:
        assert pool.render(file, PIXELS, [Wanted("webp", 300)])
    pool.close()


def test_hostile_pictures_are_refused_or_made(single: Decoders, tmp_path: Path, image: IO[bytes]) -> None:
    refused = made = 0
    for number, hostile in enumerate(FILES):
        path = tmp_path / f"hostile{number}"
        path.write_bytes(hostile.content)
        wanted = Wanted("webp", 100) if number % 2 else Wanted("jpg", focal=(1.0, 0.0))
        with open(path, "rb") as file:
            try:
                [content] = single.render(file, PIXELS, [wanted])
            except UnreadableImage:
                refused += 1
            else:
                assert content
                made += 1

    assert refused > 10
    assert made
    assert single.render(image, PIXELS, WANTED)


def test_a_decoder_gives_back_the_memory_that_a_large_picture_took(single: Decoders, tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(draw((3000, 2000), "JPEG"))
    with open(tmp_path / "large", "rb") as file:
        for _ in range(2):
            single.render(file, PIXELS, [Wanted("avif", 1920), Wanted("webp", 1920)], 5)
    at_work = single.free_for_variants.get_nowait()
    single.free_for_variants.put(at_work)

    assert at_work is not None
    assert 0 < resident_memory(at_work.process.pid) < 64 * MEGABYTE  # at rest it takes some 36, at work twice that
