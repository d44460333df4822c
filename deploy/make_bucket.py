"""Make the bucket that FOLIO_MEDIA names; one that is there stays as it is. compose.yaml runs this before Folio."""

import os
import sys
import time
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

SECONDS = 120  # that the storage may take to start
OWN = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}

address = urlsplit(os.environ["FOLIO_MEDIA"])
options = {name: values[0] for name, values in parse_qs(address.query).items()}
client = boto3.client(
    "s3",
    endpoint_url=options["endpoint"],
    region_name=options["region"],
    config=Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
)
end = time.monotonic() + SECONDS
while True:
    try:
        client.create_bucket(Bucket=address.netloc)
        break
    except ClientError as error:
        if error.response["Error"]["Code"] in OWN:
            break
        if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500 or time.monotonic() > end:
            sys.exit(f"The object storage refuses to make the bucket {address.netloc}: {error}")
    except BotoCoreError as error:
        if time.monotonic() > end:
            sys.exit(f"The object storage at {options['endpoint']} does not answer: {error}")
    time.sleep(1)
print(f"The bucket {address.netloc} is there.")  # noqa: T201
