"""A variant is made the first time that it is asked for, of what visitors see, and nothing else is."""

import errno
import threading
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.test import Client as Site
from django.test.utils import CaptureQueriesContext
from PIL import Image

from folio.media import journal, making
from folio.media.decoding import Decoders, DecodersBusy
from folio.media.making import Postponed, failures, postponed
from folio.media.models import Media
from folio.media.opening import UnreadableImage
from folio.media.uploads import store_upload
from folio.portfolios.models import Portfolio
from tests.factories import make_employer, make_link, make_meta, make_portfolio, make_tag

from .varied import animation, get, name_of, public_image, publish, upload_image, variants_in

pytestmark = pytest.mark.django_db(transaction=True)  # what is on record is settled once a transaction has ended


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> Iterator[None]:
    settings.PUBLIC_READ = True
    settings.IMAGE_WIDTHS = [100, 320, 640]
    yield
    failures.clear()


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The variants that a thread would make soon; here none does."""
    names: list[str] = []
    monkeypatch.setattr(postponed, "add", names.append)
    return names


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def no_decoder(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Fail where a decoder is asked for a variant; return what was asked for."""
    asked: list[Any] = []

    def render(pool: Decoders, *args: Any) -> Any:
        asked.append(args)
        raise AssertionError("A decoder was asked.")

    monkeypatch.setattr(Decoders, "render", render)
    return asked


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have each decoder fail; return a list with an entry for each time."""
    asked: list[int] = []

    def render(pool: Decoders, *args: Any) -> Any:
        asked.append(1)
        raise error

    monkeypatch.setattr(Decoders, "render", render)
    return asked


# Made


def test_makes_a_variant_when_it_is_first_asked_for(site: Site, media_root: Path) -> None:
    media = public_image()

    response = get(site, name_of(media, "avif", 320))

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/avif"
    with Image.open(BytesIO(response.body)) as image:
        assert (image.format, image.size) == ("AVIF", (320, 213))
    assert variants_in(media_root) == ["photo.jpg_v2_320.avif"]


@pytest.mark.parametrize(("extension", "type"), [("webp", "image/webp"), ("jpg", "image/jpeg")])
def test_makes_the_other_formats(extension: str, type: str, site: Site) -> None:
    response = get(site, name_of(public_image(), extension, 100))

    assert (response.status_code, response.headers["Content-Type"]) == (200, type)
    assert Image.open(BytesIO(response.body)).size == (100, 67)


def test_serves_a_variant_as_every_file_of_a_media(site: Site) -> None:
    media = public_image()
    first = get(site, name_of(media, "webp", 100))

    second = get(site, name_of(media, "webp", 100), range="bytes=0-3")
    original = get(site, str(media.file))

    assert second.body == first.body[:4] == b"RIFF"
    for name in ("Cache-Control", "Access-Control-Allow-Origin", "Content-Security-Policy", "X-Content-Type-Options"):
        assert first.headers[name] == second.headers[name] == original.headers[name]
    assert first.headers["ETag"] == second.headers["ETag"]
    assert get(site, name_of(media, "webp", 100), if_none_match=first.headers["ETag"]).status_code == 304


def test_costs_a_decoder_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    media = public_image()
    name = name_of(media, "webp", 100)
    first = get(site, name).body

    asked = fail_with(DecodersBusy(), monkeypatch)

    assert get(site, name).body == first
    assert asked == []


def test_answers_a_head_as_a_get(site: Site, media_root: Path) -> None:
    media = public_image()

    response = get(site, name_of(media, "jpg", 100), "head")

    assert response.status_code == 200
    assert int(response.headers["Content-Length"]) == (media_root / name_of(media, "jpg", 100)).stat().st_size


def test_makes_the_originals_own_width(site: Site) -> None:
    media = public_image((150, 100))

    assert get(site, name_of(media, "webp", 150)).status_code == 200
    assert get(site, name_of(media, "webp", 151)).status_code == 404
    assert get(site, name_of(media, "webp", 320)).status_code == 404  # it would be larger than the original


def test_makes_the_picture_for_networks(site: Site) -> None:
    media = public_image()

    response = get(site, str(media.file).replace("/photo", "/thumbnails/photo") + "_v2_share_500x500.jpg")

    assert response.status_code == 200
    with Image.open(BytesIO(response.body)) as image:
        assert (image.format, image.size) == ("JPEG", (1200, 630))


def test_writes_nothing_to_the_database(site: Site) -> None:
    media = public_image()

    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert get(site, name_of(media, "webp", 100)).status_code == 200

    words = [query["sql"].strip("(").split()[0] for query in queries.captured_queries]
    assert set(words) == {"SELECT"}


def test_leaves_nothing_undecided(site: Site, settings: Any) -> None:
    get(site, name_of(public_image(), "webp", 100))

    assert not list(Path(settings.JOURNAL_ROOT).glob("*.entry"))
    assert not list(Path(settings.FILE_UPLOAD_TEMP_DIR).glob("*.upload*"))


# Not made


@pytest.mark.parametrize("is_active", [True, False])
@pytest.mark.parametrize("place", ["cover", "gallery", "link", "meta", "employer", "tag"])
def test_makes_variants_of_what_something_published_shows(place: str, is_active: bool, site: Site) -> None:
    media = upload_image((200, 100))
    portfolio = make_portfolio(is_active=is_active)
    if place == "cover":
        Portfolio.objects.update(image=media)
    elif place == "gallery":
        portfolio.gallery.create(media=media)
    elif place == "link":
        make_link(portfolio, image=media)
    elif place == "meta":
        make_meta(portfolio, value_file=media)
    elif place == "employer":
        Portfolio.objects.update(employer=make_employer(image=media))
    else:
        portfolio.placed_tags.create(tag=make_tag(image=media))

    assert get(site, name_of(media, "webp", 100)).status_code == (200 if is_active else 404)


def test_makes_none_of_a_private_meta_entry(site: Site) -> None:
    media = upload_image()
    make_meta(make_portfolio(), key="_internal", value_file=media)

    assert get(site, name_of(media, "webp", 100)).status_code == 404


def test_makes_none_of_employers_and_tags_without_published_entries(site: Site) -> None:
    media = upload_image()
    make_employer(image=media)
    make_tag(image=media)

    assert get(site, name_of(media, "webp", 100)).status_code == 404


def test_makes_none_while_public_reading_is_off(site: Site, settings: Any, no_decoder: list[Any]) -> None:
    media = public_image()
    settings.PUBLIC_READ = False

    assert get(site, name_of(media, "webp", 100)).status_code == 404


def test_makes_none_without_widths(site: Site, settings: Any, no_decoder: list[Any]) -> None:
    media = public_image()
    settings.IMAGE_WIDTHS = []

    assert get(site, name_of(media, "webp", 1500)).status_code == 404


def test_what_is_not_set_is_not_found_and_costs_no_query(site: Site, settings: Any, no_decoder: list[Any]) -> None:
    media = public_image()
    settings.IMAGE_FORMATS = ["webp"]

    with CaptureQueriesContext(connection) as queries:
        for name in (
            name_of(media, "avif", 320),
            name_of(media, "webp", 641),
            name_of(media, "webp", 320).replace("_320.", "_0320."),
            str(media.file).replace("photo.jpg", "thumbnails/photo_320.webp"),
            name_of(media, "webp", 320) + "/",
            "core_media/\0/thumbnails/a.jpg_v2_320.webp",
        ):
            response = get(site, name)
            assert response.status_code == 404, name
            assert response.headers["Access-Control-Allow-Origin"] == "*"

    assert queries.captured_queries == []


def test_ten_thousand_different_addresses_are_cheap(site: Site, no_decoder: list[Any], media_root: Path) -> None:
    media = public_image()
    before = sorted(media_root.rglob("*"))
    stranger = name_of(media, "webp", 320).replace("photo", "stranger")

    for width in range(1, 10_001):
        for name in (name_of(media, "webp", width), stranger.replace("_320.", f"_{width}.")):
            if width not in (100, 320, 640, 1500):
                assert making.on_request(name) is None

    assert sorted(media_root.rglob("*")) == before


def test_finds_a_media_and_whether_it_is_public_by_two_queries(site: Site) -> None:
    media = public_image()
    for _ in range(20):
        make_portfolio(images=[media])

    with CaptureQueriesContext(connection) as queries:
        get(site, name_of(media, "webp", 101))
    assert len(queries.captured_queries) == 1

    with CaptureQueriesContext(connection) as queries:
        get(site, name_of(media, "webp", 100))
    asked = [query["sql"] for query in queries.captured_queries if "advisory" not in query["sql"]]
    assert len(asked) == 3  # the last one: whether the media is still there, once its variant is


def test_an_unknown_media_has_no_variants(site: Site) -> None:
    media = public_image()

    assert get(site, name_of(media, "webp", 100).replace("photo", "other")).status_code == 404


@pytest.mark.parametrize("start", ["../", "../../", "/etc/"])
def test_what_lies_outside_of_the_storage_is_not_found(start: str, site: Site) -> None:
    response = get(site, f"{start}thumbnails/photo.jpg_v2_100.webp")

    assert (response.status_code, response.body) == (404, b"There is no such file.\n")


# Sent elsewhere


def assert_sent(response: Any, file: Any) -> None:
    assert response.status_code == 302
    assert response.headers["Location"] == f"/media/{file}"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(("width", "box"), [(100, 128), (320, 512), (640, 1080)])
def test_sends_to_the_nearest_thumbnail_while_no_decoder_is_free(
    width: int, box: int, site: Site, later: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    media = public_image()
    with monkeypatch.context() as patch:
        fail_with(DecodersBusy(), patch)
        assert_sent(get(site, name_of(media, "webp", width)), media.thumbnails.get(size=box).file)

    assert later == [name_of(media, "webp", width)]
    assert get(site, name_of(media, "webp", width)).status_code == 200


def test_makes_soon_what_no_decoder_was_free_for(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public, hidden = public_image(), upload_image(name="hidden.jpg")
    soon = Postponed()
    monkeypatch.setattr(soon, "thread", threading.current_thread())  # so that it starts none
    for name in (name_of(public, "webp", 100), name_of(hidden, "webp", 100), name_of(public, "webp", 77), "x"):
        soon.add(name)

    soon.work_off()

    assert variants_in(media_root) == ["photo.jpg_v2_100.webp"]
    assert soon.thread is None
    soon.add(name_of(public, "jpg", 100))
    while soon.thread:
        time.sleep(0.01)
    assert variants_in(media_root) == ["photo.jpg_v2_100.jpg", "photo.jpg_v2_100.webp"]


def test_keeps_no_endless_list_of_what_is_to_be_made_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = Postponed()
    monkeypatch.setattr(soon, "thread", threading.current_thread())
    for number in range(10_000):
        soon.add(f"name{number}")

    assert len(soon.names) == making.POSTPONED_KEPT
    assert soon.next() == "name0"


def test_tries_what_can_not_be_made_no_second_time_for_a_while(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    media = public_image()
    asked = fail_with(UnreadableImage("It takes too long."), monkeypatch)

    for _ in range(3):
        assert_sent(get(site, name_of(media, "webp", 640)), media.thumbnails.get(size=1080).file)

    assert len(asked) == 1


def test_sends_to_the_thumbnail_where_the_disk_is_full(
    site: Site, monkeypatch: pytest.MonkeyPatch, media_root: Path
) -> None:
    media = public_image()
    monkeypatch.setattr(journal, "RESERVE", 2**62)

    assert_sent(get(site, name_of(media, "webp", 640)), media.thumbnails.get(size=1080).file)
    assert variants_in(media_root) == []

    monkeypatch.setattr(journal, "RESERVE", 0)
    assert get(site, name_of(media, "webp", 640)).status_code == 200


def test_never_takes_from_the_reserve(site: Site, monkeypatch: pytest.MonkeyPatch, media_root: Path) -> None:
    media = public_image()
    leave_room = journal.leave_room

    def leave_less(size: int = 0) -> None:
        if size:
            raise OSError(errno.ENOSPC, "No space left on device")
        leave_room()

    monkeypatch.setattr(making, "leave_room", leave_less)

    assert_sent(get(site, name_of(media, "webp", 640)), media.thumbnails.get(size=1080).file)
    assert variants_in(media_root) == []


def test_sends_from_an_older_version_to_the_present_one(site: Site, no_decoder: list[Any]) -> None:
    media = public_image()
    present = name_of(media, "webp", 320)

    assert_sent(get(site, present.replace("_v2_", "_v7_")), present)
    assert get(site, name_of(media, "webp", 300).replace("_v2_", "_v7_")).status_code == 404


def test_sends_from_a_former_focal_point_to_the_present_one(site: Site, no_decoder: list[Any]) -> None:
    media = public_image()
    with transaction.atomic():
        Media.objects.update(focal_x=0.2, focal_y=1.0)
    name = name_of(media, "jpg", 320)

    assert_sent(get(site, name.replace("_320.", "_share_500x500.")), name.replace("_320.", "_share_200x1000."))


def test_sends_from_a_png_to_a_jpeg_once_it_is_known_that_nothing_shines_through(
    site: Site, no_decoder: list[Any]
) -> None:
    media = public_image()

    assert_sent(get(site, name_of(media, "png", 320)), name_of(media, "jpg", 320))


def test_sends_an_animation_that_is_too_long_to_its_original(site: Site, settings: Any, monkeypatch: Any) -> None:
    media = store_upload(ContentFile(animation(size=(400, 300)), name="moves.gif"))
    publish(media)
    fail_with(UnreadableImage("It is too long."), monkeypatch)

    assert_sent(get(site, name_of(media, "webp", 320)), media.file)
    settings.PUBLIC_ORIGINALS = False
    assert_sent(get(site, name_of(media, "webp", 320)), media.thumbnails.get(size=512).file)


# At once


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Do several things in threads of their own, each with a connection of its own."""
    results: list[Any] = [None] * len(works)

    def work(number: int) -> None:
        results[number] = works[number]()
        connection.close()

    threads = [threading.Thread(target=work, args=[number], daemon=True) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return results


def test_two_requests_at_once_make_it_once(monkeypatch: pytest.MonkeyPatch, media_root: Path) -> None:
    name = name_of(public_image(), "webp", 320)
    asked: list[int] = []
    render = Decoders.render

    def render_slowly(*args: Any) -> Any:
        asked.append(1)
        time.sleep(0.5)
        return render(*args)

    monkeypatch.setattr(Decoders, "render", render_slowly)

    assert at_once([lambda: making.on_request(name)] * 4) == [name] * 4
    assert len(asked) == 1
    assert variants_in(media_root) == ["photo.jpg_v2_320.webp"]


def test_who_comes_second_waits_within_bounds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    media = public_image()
    name = name_of(media, "webp", 320)
    monkeypatch.setattr(making, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(making, "claim", lambda work: (lambda: False, lambda: None))

    assert_sent(get(site, name), media.thumbnails.get(size=512).file)


def test_only_so_many_threads_wait(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    media = public_image()
    monkeypatch.setattr(making, "waiting", threading.BoundedSemaphore(1))
    monkeypatch.setattr(making, "WAIT_SECONDS", 60)
    monkeypatch.setattr(making, "claim", lambda work: (lambda: False, lambda: None))
    making.waiting.acquire()

    assert_sent(get(site, name_of(media, "webp", 320)), media.thumbnails.get(size=512).file)
