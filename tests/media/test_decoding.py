"""Images are decoded where a hostile file can bring down nothing but its decoder."""

import errno
import io
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import msgspec
import pytest
from PIL import Image

from folio.media import decoder as a_decoder
from folio.media import decoding
from folio.media.decoding import Decoder, Decoders, DecodersBusy, decoders
from folio.media.opening import UnreadableImage, may_be_image, read_header
from folio.media.orders import (
    LENGTH,
    READY,
    Decoded,
    Failed,
    Prepare,
    decode_answer,
    encode,
)
from folio.media.thumbnails import render_thumbnails
from tests.environment import ROOT
from tests.factories import draw

from .decoded import MEGABYTE, plain
from .private_files import copied

pytestmark = pytest.mark.any_database

PIXELS = 50_000_000
ORDER = Prepare(PIXELS, keep_metadata="none")

MakePool = Callable[..., Decoders]


@pytest.fixture
def make_pool() -> Iterator[MakePool]:
    """Return a function that gives a decoder of its own, or several, with limits of their own."""
    pools = []

    def make_pool(count: int = 1, memory: int = 256 * MEGABYTE, seconds: int = 30) -> Decoders:
        pools.append(Decoders(count, memory, seconds))
        return pools[-1]

    yield make_pool
    for pool in pools:
        pool.close()


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[Callable[[bytes], Any]]:
    """Return a function that gives an open file of these bytes."""
    with ExitStack() as files:

        def on_disk(content: bytes) -> Any:
            (tmp_path / "upload").write_bytes(content)
            return files.enter_context(open(tmp_path / "upload", "rb"))

        yield on_disk


def idle(pool: Decoders) -> Decoder:
    """Return the decoder that gets the next image."""
    decoder = pool.free.get_nowait()
    pool.free.put(decoder)
    assert decoder is not None
    return decoder


@contextmanager
def ends_at_an_image(cause: signal.Signals) -> Iterator[None]:
    """Have every decoder, also a new one, ended by a signal as it gets an image."""
    ask = Decoder.ask

    def ask_and_end(decoder: Decoder, *args: Any) -> Any:
        decoder.process.send_signal(cause)
        return ask(decoder, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Decoder, "ask", ask_and_end)
        yield


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# Processes


def test_decodes_in_a_process_of_its_own_that_serves_several_images(make_pool: MakePool, on_disk: Any) -> None:
    pool = make_pool()
    seen = set()
    for format in ("PNG", "JPEG", "AVIF"):
        content = draw((1600, 1200), format)

        image = pool.decode(on_disk(content), PIXELS)

        assert image is not None
        assert image.thumbnails == render_thumbnails(io.BytesIO(content))
        assert image.header == read_header(io.BytesIO(content), PIXELS)
        seen.add(idle(pool).process.pid)
    assert len(seen) == 1
    assert os.getpid() not in seen


def test_starts_no_process_before_there_is_an_image(make_pool: MakePool) -> None:
    assert make_pool().free.get_nowait() is None


def test_the_process_knows_neither_django_nor_the_server_s_secrets(
    make_pool: MakePool, on_disk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOLIO_SECRET_KEY", "hidden")
    pool = make_pool()
    pool.decode(on_disk(draw()), PIXELS)

    assert b"hidden" not in Path(f"/proc/{idle(pool).process.pid}/environ").read_bytes()
    code = "import sys, folio.media.decoding; sys.exit(' '.join(m for m in sys.modules if m.startswith('django')))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=120)
    assert run.stderr.strip() == ""


def test_refuses_an_image_that_takes_too_much_time_and_goes_on(make_pool: MakePool, on_disk: Any) -> None:
    pool = make_pool(seconds=1)
    pool.decode(on_disk(draw()), PIXELS)
    hung = idle(pool).process
    hung.send_signal(signal.SIGSTOP)

    with pytest.raises(UnreadableImage, match="more time to decode than is allowed"):
        pool.decode(on_disk(draw()), PIXELS)

    assert hung.returncode == -signal.SIGKILL
    assert pool.decode(on_disk(draw()), PIXELS)


@pytest.mark.parametrize("format", ["PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
def test_refuses_an_image_that_takes_too_much_memory_and_goes_on(
    format: str, make_pool: MakePool, on_disk: Any
) -> None:
    pool = make_pool(memory=8 * MEGABYTE)

    with pytest.raises(UnreadableImage, match="more memory to decode than is allowed"):
        pool.decode(on_disk(plain(format)), PIXELS)

    assert pool.decode(on_disk(draw()), PIXELS)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 50}, {"lossless": True, "exif": b"Exif"}])
def test_judges_the_pixels_of_a_webp_before_there_is_room_for_them(
    options: dict[str, Any], make_pool: MakePool, on_disk: Any
) -> None:
    content = io.BytesIO()
    Image.new("RGB", (1200, 900)).save(content, "WEBP", **options)

    with pytest.raises(UnreadableImage, match="1,200 × 900 pixels, more than the 1,079,999 that are accepted"):
        make_pool(memory=MEGABYTE).decode(on_disk(content.getvalue()), 1200 * 900 - 1)


def test_refuses_an_image_that_crashes_its_decoder_and_goes_on(
    make_pool: MakePool, on_disk: Any, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make_pool()
    pool.decode(on_disk(draw()), PIXELS)

    with ends_at_an_image(signal.SIGSEGV), pytest.raises(UnreadableImage, match="damaged or incomplete"):
        pool.decode(on_disk(draw()), PIXELS)

    assert f"A decoder ended with the status {-signal.SIGSEGV}" in caplog.text
    assert pool.decode(on_disk(draw()), PIXELS)


@pytest.mark.parametrize("cause", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_takes_a_new_decoder_where_the_last_one_was_killed(
    cause: signal.Signals, make_pool: MakePool, on_disk: Any
) -> None:
    pool = make_pool()
    pool.decode(on_disk(draw()), PIXELS)
    first = idle(pool)
    first.process.send_signal(cause)

    assert pool.decode(on_disk(draw()), PIXELS)

    assert first.process.returncode == -cause
    assert idle(pool) is not first


def test_is_busy_where_the_system_kills_new_decoders_too(make_pool: MakePool, on_disk: Any) -> None:
    pool = make_pool()

    with ends_at_an_image(signal.SIGKILL), pytest.raises(DecodersBusy):
        pool.decode(on_disk(draw()), PIXELS)

    assert pool.decode(on_disk(draw()), PIXELS)


def test_is_busy_where_a_decoder_is_killed_as_it_starts(
    make_pool: MakePool, on_disk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def receive_and_end(decoder: Decoder, *args: Any) -> Any:
        decoder.process.kill()
        return receive(decoder, *args)

    receive = Decoder.receive
    pool = make_pool(count=1)
    monkeypatch.setattr(Decoder, "receive", receive_and_end)
    with pytest.raises(DecodersBusy):
        pool.decode(on_disk(draw()), PIXELS)

    assert pool.is_idle


def test_takes_a_new_decoder_where_the_last_one_has_ended_of_itself(make_pool: MakePool, on_disk: Any) -> None:
    pool = make_pool()
    pool.decode(on_disk(draw()), PIXELS)
    first = idle(pool)
    first.socket.shutdown(socket.SHUT_WR)  # to the decoder, the server's end

    assert pool.decode(on_disk(draw()), PIXELS)

    assert first.process.returncode == 0
    assert idle(pool) is not first


def test_takes_no_answer_but_one_of_its_own_kind(make_pool: MakePool, on_disk: Any) -> None:
    pool = make_pool()
    pool.decode(on_disk(draw()), PIXELS)
    decoder = idle(pool)
    for answer in (struct.pack(">I", 2**32 - 1), struct.pack(">I", 1) + b"\xc1"):
        ours, theirs = socket.socketpair()
        decoder.socket.close()
        decoder.socket = ours
        with theirs:
            theirs.sendall(answer)
            with pytest.raises((OSError, msgspec.MsgspecError)):
                decoder.ask(ORDER, on_disk(draw()))


def test_a_decoder_makes_place_after_a_number_of_images(monkeypatch: pytest.MonkeyPatch, on_disk: Any) -> None:
    monkeypatch.setattr(a_decoder, "IMAGES", 2)
    ours, theirs = socket.socketpair()
    what = encode(ORDER)
    with ours, theirs, on_disk(draw()) as file:
        for _ in range(3):
            socket.send_fds(ours, [LENGTH.pack(len(what)), what], [file.fileno()])

        a_decoder.serve(theirs, 30)

        theirs.shutdown(socket.SHUT_WR)
        with ours.makefile("rb") as answers:
            assert answers.read(1) == READY
            for _ in range(2):
                (length,) = LENGTH.unpack(answers.read(4))
                assert isinstance(decode_answer(answers.read(length)), Decoded)
            assert answers.read() == b""


@pytest.mark.parametrize("name", ["image/png", "image/tiff"])
def test_says_what_the_system_has_refused(name: str, on_disk: Any) -> None:
    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    file = on_disk(draw(format=name[6:].upper()))

    answer = a_decoder.answer(ORDER, file, Full(), 30)

    assert answer == Failed(errno.ENOSPC)
    with pytest.raises(OSError, match="No space left on device"):
        decoding.judged(answer)


def test_writes_what_is_stored_to_a_file_that_another_had_begun(make_pool: MakePool, on_disk: Any) -> None:
    image = draw(format="JPEG")
    with TemporaryFile() as target:
        target.write(b"half of it" * 1_000)
        target.flush()

        prepared = make_pool().prepare(on_disk(image), target, ORDER)

        assert prepared is not None
        assert prepared.is_rewritten
        target.seek(0)
        assert target.read() == copied(image, "image/jpeg")


def test_a_decoder_ends_when_it_has_had_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(a_decoder, "IDLE_SECONDS", 0.01)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(30)
        a_decoder.serve(theirs, 30)

        assert ours.recv(10) == READY


def test_a_decoder_ends_with_a_server_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(draw())
    code = (
        "import os, sys\n"
        "from folio.media.decoding import decoders\n"
        "pool = decoders(1, 2**28, 30)\n"
        "with open(sys.argv[1], 'rb') as file: pool.decode(file, 10**6)\n"
        "print(pool.free.get().process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.png")], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=120
    )

    assert run.returncode == -signal.SIGKILL
    end = time.monotonic() + 30
    while is_running(int(run.stdout)):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_decoder_at_work_and_its_ffmpeg_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    endless = tmp_path / "ffmpeg"
    endless.write_text("#!/bin/sh\nexec sleep 100\n")
    endless.chmod(0o755)
    (tmp_path / "a.mp4").write_bytes(b"a film")
    code = (
        "import sys\n"
        "from folio.media.decoding import decoders\n"
        "from folio.media.orders import Depict\n"
        "with open(sys.argv[1], 'rb') as file:\n"
        "    decoders(1, 2**28, 60).depict(file, Depict('video/mp4', 10**6, 60, sys.argv[2]))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a.mp4"), str(endless)]
    end = time.monotonic() + 60
    with subprocess.Popen(command, cwd=ROOT) as server:
        found: list[int] = []
        while len(found) < 2:
            assert time.monotonic() < end
            assert server.poll() is None
            time.sleep(0.05)
            found = [child for pid in children(server.pid) for child in (pid, *children(pid))]
        server.kill()
        died = time.monotonic()

    while any(map(is_running, found)):
        assert time.monotonic() < died + 10
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(FileNotFoundError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def test_a_forked_process_has_decoders_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    before = decoders(1, MEGABYTE, 30)
    assert decoders(1, MEGABYTE, 30) is before

    monkeypatch.setattr(os, "getpid", lambda: 1)

    assert decoders(1, MEGABYTE, 30) is not before


def test_waits_no_longer_than_an_image_may_take(make_pool: MakePool, on_disk: Any) -> None:
    pool = make_pool(count=1, seconds=1)
    taken = pool.free.get()

    with pytest.raises(DecodersBusy):
        pool.decode(on_disk(draw()), PIXELS)

    pool.free.put(taken)
    assert pool.decode(on_disk(draw()), PIXELS)


def test_gives_its_place_back_whatever_happens(make_pool: MakePool, on_disk: Any) -> None:
    pool = make_pool(count=1, seconds=5)
    file = on_disk(draw())
    file.close()

    for _ in range(2):
        with pytest.raises(ValueError, match="closed file"):
            pool.decode(file, PIXELS)

    assert pool.decode(on_disk(draw()), PIXELS)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_the_default_memory_is_enough_for_the_most_pixels(
    format: str, settings: Any, make_pool: MakePool, on_disk: Any
) -> None:
    options: dict[str, Any] = {"lossless": True, "quality": 0, "method": 0} if format == "WEBP" else {}
    file = io.BytesIO()
    Image.new("RGBA", (7071, 7071), (200, 80, 40, 100)).save(file, format, **options)
    pool = make_pool(memory=settings.DECODER_MEMORY)

    image = pool.decode(on_disk(file.getvalue()), settings.MAX_IMAGE_PIXELS)

    assert image is not None
    assert (image.width, image.mode) == (7071, "RGBA")


# What is refused before it is decoded


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        *((draw(format=format), True) for format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF")),
        (b"", False),
        (b"%PDF-1.7\n%", False),
        (b"Some words.\n", False),
        (b"\0\0\0\x18ftypisom\0\0\2\0", False),
        (b"RIFF\x24\0\0\0WAVEfmt ", False),
    ],
)
def test_only_what_begins_like_an_image_is_given_to_a_decoder(content: bytes, expected: bool) -> None:
    assert may_be_image(content[:16]) is expected
