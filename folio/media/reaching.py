"""Whether object storage answers: its errors in a line of words, and nobody waits for it in vain."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
)

from folio.outages import Outage, StorageAway

NO_ANSWER = (ConnectionError, HTTPClientError, IncompleteReadError)
CONDITIONS = {304, 409, 412, 416}  # what is told of a condition or a range: whoever set it knows what to do
KEYS = "Look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
REGION = "Look at `region` in {address}."
RIGHTS = "Its keys need s3:ListBucket on the bucket; s3:GetObject, s3:PutObject and s3:DeleteObject on what lies in it."
ADVICE = {
    "InvalidAccessKeyId": KEYS,
    "SignatureDoesNotMatch": KEYS,
    "InvalidToken": KEYS,
    "ExpiredToken": KEYS,
    "AccessDenied": RIGHTS,
    "403": RIGHTS,  # all that an answer to HEAD tells
    "NoSuchBucket": "{address} names the bucket; Folio makes none.",
    "PermanentRedirect": REGION,
    "AuthorizationHeaderMalformed": REGION,
    "301": REGION,
    "RequestTimeTooSkewed": "This machine's clock is wrong.",
}


class Reach(Outage):
    """Whether a storage answers, as far as this process knows.

    Each request would wait its own time-out, and a worker's threads would soon all wait. So while nothing answers,
    others are refused at once, and now and then one asks again. A storage that answers, if only to refuse, is none.
    """

    begins = "%s What needs files gets a 503 until it does."
    address = "FOLIO_MEDIA"  # by what its address was given
    ends = "Object storage answers again, after %.1f seconds. It had not: %s"

    def __init__(self, place: str, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self.place = place
        self.seconds = seconds  # that whoever asks again has the turn for

    @contextmanager
    def asking(self, name: str = "") -> Iterator[None]:
        """Raise FileNotFoundError where there is no such file, StorageAway where nothing answers or all is refused."""
        self.enter()
        try:
            yield
        except NO_ANSWER as error:
            self.failed(f"{self.place} does not answer: {words(error)}")
            raise StorageAway(self.reason, "no answer") from error
        except ClientError as error:
            self.answered()
            told = refusal(self.place, self.address, name, error)
            if told is None:
                raise
            raise told from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise StorageAway(f"There are no keys for {self.place}: {words(error)}. {KEYS}", "no keys") from error
        except BotoCoreError as error:
            raise StorageAway(f"{self.place} can't be asked: {words(error)}", type(error).__name__) from error
        else:
            self.answered()

    def enter(self) -> None:
        if self.since is None:
            return
        with self.lock:
            now = self.clock()
            if self.since is not None and now < self.until:
                raise StorageAway(self.reason, "no answer")
            self.until = now + self.seconds  # this one asks; it gives the turn back with what it finds


def words(error: BaseException) -> str:
    return " ".join(str(error).split())


def refusal(place: str, address: str, name: str, error: ClientError) -> Exception | None:
    """Return what an answer means that is no success; None of one to a condition or a range."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    told: Any = error.response.get("Error", {})
    code = str(told.get("Code", ""))
    if status in CONDITIONS:
        return None
    if status == 404 and code != "NoSuchBucket":
        return FileNotFoundError(f"There is no {name} in {place}.")
    message = " ".join(str(told.get("Message", "")).split())
    message = f"{message.rstrip('.')}." if message else ""
    advice = ADVICE.get(code, "").format(address=address)
    answer = f"{code} ({status})" if code != str(status) else code
    return StorageAway(" ".join(filter(None, (f"{place} refuses: {answer}. {message}".rstrip(), advice))), code)
