"""What the uploads of a test leave open is closed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from folio.media.s3 import ObjectStorage
from folio.places import Bucket
from tests.s3 import BUCKET, CREDENTIALS, S3, running_s3

from .stored import temporary_files

clients: dict[str, Any] = {}  # by the address of a server: to make one takes longer than most tests
prefixes = (f"test-{number}" for number in count())


@pytest.fixture
def _removed_at_once(settings: Any) -> None:
    """Without a grace, files go with the commit that lets them go."""
    settings.KEEP_REMOVED = timedelta(0)


@pytest.fixture(autouse=True)
def _close_temporary_files() -> Iterator[None]:
    """Do what Django does at the end of a request."""
    yield
    while temporary_files:
        temporary_files.pop().close()


@pytest.fixture(autouse=True)
def _bound_of_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Restore it: a decoder sets it for its own process, which is that of the tests where one is called directly."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """An S3 server for the tests of a file."""
    with running_s3() as server:
        yield server


@pytest.fixture
def in_bucket(s3: S3, settings: Any, monkeypatch: pytest.MonkeyPatch) -> ObjectStorage:
    """Object storage as the place of the media, below a prefix of the test's own."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = Bucket(BUCKET, next(prefixes), s3.endpoint, addressing="path")
    return use(settings, bucket)


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, media_root: Path) -> Callable[[str, bytes], None]:
    """A function that puts a file where it is served from: into a folder of this machine, and into a bucket."""
    if request.param == "bucket":
        storage: ObjectStorage = request.getfixturevalue("in_bucket")

        def put(name: str, content: bytes) -> None:
            storage.delete(name)
            storage._save(name, ContentFile(content))
    else:

        def put(name: str, content: bytes) -> None:
            path = media_root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return put


def use(settings: Any, bucket: Bucket) -> ObjectStorage:
    """Have a test keep its media in a bucket."""
    settings.MEDIA_BUCKET = bucket
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "folio.media.s3.ObjectStorage", "OPTIONS": {"bucket": bucket}},
    }
    default_storage.exists  # noqa: B018 - which makes it
    storage: ObjectStorage = vars(default_storage)["_wrapped"]
    assert bucket.endpoint
    if bucket.endpoint not in clients:
        clients[bucket.endpoint] = storage.connection
    storage.made = clients[bucket.endpoint]
    return storage
