"""What a test has in its folder of a bucket, and what the database says of it."""

import pytest

from folio.media.models import Media, PendingFile, RemovedFile, Thumbnail
from folio.media.s3 import ObjectStorage
from tests.s3 import BUCKET, S3


class Stored:
    """What a test has in its folder of the bucket."""

    def __init__(self, server: S3, prefix: str) -> None:
        self.server = server
        self.prefix = prefix

    def names(self) -> list[str]:
        return self.server.names(self.prefix)

    def put(self, name: str, content: bytes = b"content") -> None:
        self.server.client.put_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}", Body=content)

    def content(self, name: str) -> bytes:
        body: bytes = self.server.client.get_object(Bucket=BUCKET, Key=f"{self.prefix}/{name}")["Body"].read()
        return body


@pytest.fixture
def bucket(s3: S3, in_bucket: ObjectStorage) -> Stored:
    """Keep the media of a test in a bucket."""
    return Stored(s3, in_bucket.location)


def named() -> set[str]:
    """Return the names of all files that rows refer to."""
    return {*Media.objects.values_list("file", flat=True), *Thumbnail.objects.values_list("file", flat=True)}


def waiting() -> set[str]:
    """Return the names of files that are to go, or that are looked for once more."""
    return set(RemovedFile.objects.values_list("name", flat=True))


def on_record() -> set[str]:
    return set(PendingFile.objects.values_list("name", flat=True))
