"""Object storage: what is put carries what is said of it, what is asked says what went wrong in our words."""

import base64
import hashlib
import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from django.core.files.base import ContentFile
from django.utils import timezone

from folio.media.promises import broken_promises, state
from folio.media.reaching import Reach
from folio.media.s3 import NameTaken, ObjectStorage
from folio.outages import PAUSE, StorageAway
from folio.places import Bucket
from tests.postgresql import free_port
from tests.s3 import BUCKET, S3
from tests.tcp import Proxy, proxy_to

from .conftest import use
from .stored import within

NAME = within("2026/03/02/photo.jpg")
CONTENT = b"content of a photograph"


@pytest.fixture
def storage(in_bucket: ObjectStorage) -> ObjectStorage:
    return in_bucket


def put(storage: ObjectStorage, name: str = NAME, content: bytes = CONTENT) -> None:
    assert storage._save(name, ContentFile(content)) == name


def content_of(storage: ObjectStorage) -> bytes:
    with storage.open(NAME) as file:
        return bytes(file.read())


# Put


def test_an_object_carries_what_is_said_of_it(storage: ObjectStorage, s3: S3) -> None:
    sent: dict[str, Any] = {}

    def note(request: Any, **named: Any) -> None:
        sent.update(request.headers)

    events = storage.connection.meta.client.meta.events
    events.register("before-send.s3.PutObject", note)
    put(storage)
    events.unregister("before-send.s3.PutObject", note)

    found = s3.client.head_object(Bucket=BUCKET, Key=f"{storage.location}/{NAME}")

    assert found["ContentType"] == "image/jpeg"
    assert found["CacheControl"] == "public, max-age=31536000, immutable"
    assert found["ContentDisposition"] == 'inline; filename="photo.jpg"'
    digest = base64.b64encode(hashlib.sha256(CONTENT).digest())
    assert sent["x-amz-checksum-sha256"] in {digest, digest.decode()}, "S3 compares the bytes with it"
    assert sent["If-None-Match"] in {b"*", "*"}


@pytest.mark.parametrize(
    ("name", "content", "content_type", "disposition"),
    [
        ("notes.txt", "Größe".encode(), "text/plain; charset=utf-8", 'attachment; filename="notes.txt"'),
        ("notes.txt", "Größe".encode("latin-1"), "text/plain", 'attachment; filename="notes.txt"'),
        ("page.html", b"<script>", "application/octet-stream", 'attachment; filename="page.html"'),
        ("drawing.svg", b"<svg/>", "image/svg+xml", 'inline; filename="drawing.svg"'),
        ("archive.zip", b"PK", "application/zip", 'attachment; filename="archive.zip"'),
        ("move.json", b'{"v": 1}', "application/json", 'attachment; filename="move.json"'),
        ("عکس.png", b"x", "image/png", "inline; filename*=utf-8''%D8%B9%DA%A9%D8%B3.png"),
    ],
)
def test_the_type_and_what_is_shown_are_those_of_local_files(
    name: str, content: bytes, content_type: str, disposition: str, storage: ObjectStorage
) -> None:
    put(storage, within(name), content)

    found = storage.head(within(name))

    assert (found["ContentType"], found["ContentDisposition"]) == (content_type, disposition)


def test_a_name_that_is_taken_keeps_its_file(storage: ObjectStorage) -> None:
    put(storage)

    with pytest.raises(NameTaken):
        put(storage, content=b"another one's")

    assert content_of(storage) == CONTENT


def test_a_put_whose_answer_was_lost_is_no_name_that_is_taken(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """boto3 asks again where no answer came, and is told then that the name is taken: by its own first attempt."""
    client = storage.connection.meta.client
    put_object, calls = client.put_object, count()

    def lost_once(**named: Any) -> Any:
        put_object(**named)
        if next(calls) == 0:
            named["Body"].seek(0)
            put_object(**named)

    monkeypatch.setattr(client, "put_object", lost_once)

    put(storage)

    assert content_of(storage) == CONTENT


def test_a_conflict_is_tried_again_and_then_told(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    client = storage.connection.meta.client
    calls = []

    def conflict(**named: Any) -> Any:
        calls.append(named["Key"])
        raise ClientError(
            {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}},  # type: ignore[typeddict-item]
            "PutObject",
        )

    monkeypatch.setattr(client, "put_object", conflict)

    with pytest.raises(StorageAway, match="another put or removal"):
        put(storage)

    assert len(calls) == 2


def test_a_large_file_is_not_read_into_memory(storage: ObjectStorage, tmp_path: Any) -> None:
    """No read of it is larger than a piece, neither for the digest nor on its way."""
    sizes: list[int] = []

    class Watched(ContentFile):  # type: ignore[type-arg]
        def read(self, size: int = -1) -> bytes:
            piece: bytes = self.file.read(size)
            sizes.append(len(piece))
            return piece

    content = os.urandom(3 * 1024 * 1024)
    storage._save(NAME, Watched(content))

    assert max(sizes) <= 1024 * 1024  # of boto3's own signature; a network's pieces are smaller
    assert storage.size(NAME) == len(content)


# Asked


def test_what_is_asked_of_a_file(storage: ObjectStorage) -> None:
    put(storage)

    assert storage.exists(NAME)
    assert storage.size(NAME) == len(CONTENT)
    assert abs((timezone.now() - storage.get_modified_time(NAME)).total_seconds()) < 3600
    storage.delete(NAME)
    storage.delete(NAME)  # as often as one likes
    assert not storage.exists(NAME)
    for ask in (storage.size, storage.get_modified_time, storage.open):
        with pytest.raises(FileNotFoundError):
            ask(NAME)


def test_an_opened_file_is_one_of_this_machine(storage: ObjectStorage, settings: Any) -> None:
    content = os.urandom(300_000)
    put(storage, content=content)

    with storage.open(NAME) as file:
        assert file.size == len(content)
        file.seek(100_000)
        assert file.read(10) == content[100_000:100_010]
        path = os.readlink(f"/proc/self/fd/{file.fileno()}")
        assert path.startswith(str(settings.FILE_UPLOAD_TEMP_DIR))
        assert path.endswith("(deleted)")


@pytest.mark.parametrize("mode", ["wb", "r", "a"])
def test_files_are_not_written_piece_by_piece(mode: str, storage: ObjectStorage) -> None:
    with pytest.raises(ValueError, match=mode):
        storage.open(NAME, mode)


def test_lists_a_folder_and_what_begins_so(storage: ObjectStorage) -> None:
    names = [within(f"2026/{name}") for name in ("b.png", "a.png", "thumbnails/a.png_v2_320.avif", "a b.png", "é.png")]
    for name in names:
        put(storage, name)

    folders, files = storage.listdir(within("2026"))

    assert folders == ["thumbnails"]
    assert sorted(files) == sorted(["a b.png", "a.png", "b.png", "é.png"])
    assert storage.listdir(within("none")) == ([], [])
    assert storage.listdir("") == (["core_media"], [])
    assert storage.names_from(within("2026/a")) == [within("2026/a b.png"), within("2026/a.png")]


def test_lists_more_than_a_page(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(storage, within(f"{number}.png"))
    client = storage.connection.meta.client
    ask, pages = client.list_objects_v2, []

    def small(**named: Any) -> Any:
        pages.append(named)
        return ask(**named, MaxKeys=2)

    monkeypatch.setattr(client, "list_objects_v2", small)

    assert len(storage.listdir("core_media")[1]) == 5
    assert len(pages) == 3


def test_addresses_have_no_signature(storage: ObjectStorage, settings: Any) -> None:
    assert storage.url(within("a b.png")) == "/media/core_media/a%20b.png"
    settings.MEDIA_URL = "https://cdn.example.com/files/"
    assert storage.url(within("a.png")) == "https://cdn.example.com/files/core_media/a.png"


# What goes wrong


@pytest.fixture
def proxied(s3: S3, in_bucket: ObjectStorage, settings: Any) -> Iterator[tuple[Proxy, ObjectStorage]]:
    """Storage behind a way that can be blocked; what hangs is waited for a second."""
    settings.STORAGE_SECONDS = 1
    with proxy_to(int(s3.endpoint.rpartition(":")[2])) as proxy:
        bucket = Bucket(BUCKET, in_bucket.location, f"http://127.0.0.1:{proxy.port}", addressing="path")
        yield proxy, use(settings, bucket)


def test_a_storage_that_hangs_is_told_in_time_and_only_once_waited_for(
    proxied: tuple[Proxy, ObjectStorage], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, storage = proxied
    put(storage)
    proxy.swallow()
    monkeypatch.setattr("folio.outages.PAUSE", 600)

    for _ in range(20):  # each of which would wait for two seconds or more
        with pytest.raises(StorageAway, match="does not answer"):
            storage.exists(NAME)

    told = [record.getMessage() for record in caplog.records if record.name == "folio.outages"]
    assert len(told) == 1
    assert storage.place in told[0]
    assert "gets a 503 until it does" in told[0]
    assert state() == "no answer"


def test_it_answers_again(proxied: tuple[Proxy, ObjectStorage], caplog: pytest.LogCaptureFixture) -> None:
    proxy, storage = proxied
    put(storage)
    proxy.swallow()
    with pytest.raises(StorageAway):
        storage.exists(NAME)
    proxy.swallow(False)

    storage.reach.until = 0  # as after the pause

    assert storage.exists(NAME)
    assert "answers again" in caplog.text
    assert state() == "ok"


def test_nothing_listens(in_bucket: ObjectStorage, settings: Any) -> None:
    storage = use(settings, Bucket(BUCKET, "x", f"http://127.0.0.1:{free_port()}", addressing="path"))

    for ask in (lambda: put(storage), lambda: storage.listdir(""), lambda: storage.open(NAME), storage.look):
        with pytest.raises(StorageAway, match="does not answer"):
            ask()
        storage.reach.until = 0


def test_the_bucket_is_not_there(s3: S3, in_bucket: ObjectStorage, settings: Any) -> None:
    storage = use(settings, Bucket("no-such-bucket", "", s3.endpoint, addressing="path"))

    with pytest.raises(StorageAway, match=r"NoSuchBucket \(404\).*FOLIO_MEDIA names the bucket") as caught:
        put(storage)

    assert "\n" not in str(caught.value)
    assert state() == "refuses"
    [told] = broken_promises()
    assert told.startswith("Files can't be stored.")


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("InvalidAccessKeyId", 403, "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", 403, "AWS_SECRET_ACCESS_KEY"),
        ("AccessDenied", 403, "s3:ListBucket"),
        ("PermanentRedirect", 301, "region"),
        ("RequestTimeTooSkewed", 403, "clock"),
        ("SlowDown", 503, "SlowDown"),
    ],
)
def test_what_is_refused_is_told_with_what_would_be_right(
    code: str, status: int, said: str, storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**named: Any) -> Any:
        answer: Any = {"Error": {"Code": code, "Message": "No.\nNo."}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "HeadObject")

    monkeypatch.setattr(storage.connection.meta.client, "head_object", refuse)

    with pytest.raises(StorageAway) as caught:
        storage.exists(NAME)

    assert f"{storage.place} refuses: {code} ({status})" in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_there_are_no_keys(s3: S3, in_bucket: ObjectStorage, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    storage = use(settings, Bucket(BUCKET, "", s3.endpoint, addressing="path"))
    storage.made = None

    with pytest.raises(StorageAway, match="There are no keys for"):
        storage.look()


def test_a_storage_that_ends_in_the_middle_is_asked_for_the_rest(
    storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(200_000)
    put(storage, content=content)
    receive, asked = storage.receive, []

    def cut(name: str, part: str = "", etag: str = "") -> Any:
        answer = receive(name, part, etag)
        asked.append((part, etag))
        if len(asked) == 1:
            start = answer["Body"].read(70_000)
            answer["Body"].close()
            answer["Body"] = ContentFile(start)
        return answer

    monkeypatch.setattr(storage, "receive", cut)

    with storage.open(NAME) as file:
        assert file.read() == content
    assert [part for part, _ in asked] == ["", "bytes=70000-199999"]
    assert asked[1][1] == storage.head(NAME)["ETag"], "the rest is of the same object"


def test_one_asks_again_while_others_are_refused() -> None:
    now = [0.0]
    reach = Reach("s3://b", 10, clock=lambda: now[0])
    reach.failed("s3://b does not answer")

    with pytest.raises(StorageAway):
        reach.enter()
    now[0] += PAUSE + 0.1
    reach.enter()
    with pytest.raises(StorageAway):
        reach.enter()
    reach.answered()
    reach.enter()


# Tried out


def test_a_storage_that_keeps_its_promises(storage: ObjectStorage, s3: S3) -> None:
    assert list(broken_promises()) == []
    assert s3.names(storage.location) == []


def test_a_storage_that_puts_one_over_another(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    client = storage.connection.meta.client
    put_object = client.put_object
    monkeypatch.setattr(client, "put_object", lambda IfNoneMatch, **named: put_object(**named))

    [told] = broken_promises()

    assert "in spite of `If-None-Match: *`" in told
    assert storage.listdir("core_media") == ([], [])


def test_a_storage_that_knows_no_parts(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    receive = storage.receive
    monkeypatch.setattr(storage, "receive", lambda name, asked="", etag="": receive(name))

    [told] = broken_promises()

    assert "does not serve parts" in told


def test_a_storage_that_removes_nothing(storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "delete", lambda name: None)

    [told] = broken_promises()

    assert "s3:DeleteObject" in told


@pytest.mark.django_db
def test_a_page_of_the_admin_site_is_told_so(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from folio.media.admin.library import MediaAdmin

    def fail(*arguments: Any, **named: Any) -> Any:
        raise StorageAway("s3://bucket does not answer")

    monkeypatch.setattr(MediaAdmin, "get_queryset", fail)
    site.raise_request_exception = False

    page = site.get("/admin/media/media/", headers={"Accept": "text/html"})

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert "Where the files are kept does not answer" in page.content.decode()
