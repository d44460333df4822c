"""An S3 server on loopback, with a bucket: moto's, as a process of its own. What it keeps ends with it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from .postgresql import free_port

BUCKET = "folio-media"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
START = 120  # seconds that it may take to answer, on a machine that does much else


@dataclass
class S3:
    """A running server, and the variables by which Folio keeps its media there."""

    endpoint: str
    process: subprocess.Popen[bytes]

    @property
    def client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 1}, connect_timeout=5, s3={"addressing_style": "path"}),
        )

    def url(self, prefix: str = "media") -> str:
        return f"s3://{BUCKET}/{prefix}?endpoint={self.endpoint}&addressing=path"

    def variables(self, prefix: str = "media") -> dict[str, str]:
        return {"FOLIO_MEDIA": self.url(prefix), **CREDENTIALS}

    def names(self, prefix: str = "media") -> list[str]:
        """Return the names of all files below a prefix, without it, in order."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
        return [each["Key"].removeprefix(f"{prefix}/") for page in pages for each in page.get("Contents", ())]


@contextmanager
def running_s3() -> Iterator[S3]:
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, env={**os.environ, **CREDENTIALS}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = S3(f"http://127.0.0.1:{port}", process)
    try:
        wait_for(server)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def wait_for(server: S3) -> None:
    end = time.monotonic() + START
    while True:
        try:
            server.client.create_bucket(Bucket=BUCKET)
        except BotoCoreError:
            assert server.process.poll() is None, "The S3 server ended."
            assert time.monotonic() < end, "The S3 server did not answer."
            time.sleep(0.1)
        else:
            return
