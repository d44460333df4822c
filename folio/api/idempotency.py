"""`Idempotency-Key`: a POST whose answer was lost on its way is sent again, and answered with what was answered first.

What was answered is kept beside the API key, in the transaction of what it made: either both are there or neither. Who
asks once more while the first is at work waits for it. See docs/decisions/0023-idempotency-keys.md.
"""

import json
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from math import ceil
from threading import Semaphore
from typing import Any

import msgspec
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from folio.claims import claim
from folio.postgresql.pools import give_back

from .errors import Conflict, StillRunning, TooMany, Unusable
from .middleware import THREADS, THREADS_VARIABLE
from .renderers import encoder

HEADER, PLACE = "Idempotency-Key", "HTTP_IDEMPOTENCY_KEY"  # the latter in a request's environment
REPLAYED = "Idempotency-Replayed"
KEY = re.compile(r"[!-~]{1,255}")
WAIT = 10.0  # seconds that a second request waits for the first one's answer
PAUSE = 0.05  # seconds between two looks whether it is there
NOT_KEPT = {401, 408, 413, 429}  # which say nothing of the request itself, as those from 500 on
HEADERS = ("Location", "ETag", "Last-Modified")  # that are given again
LARGEST = 1024 * 1024  # bytes of an answer, compressed
Keep = Callable[[Response], Response]


class KeptMeanwhile(Exception):
    """Another request with the same key has kept its answer first."""


@cache
def places() -> Semaphore:
    """Return the places of this worker's requests that wait: each takes a thread from those that could be answered."""
    return Semaphore(max(1, int(os.environ.get(THREADS_VARIABLE, THREADS)) // 4))


@contextmanager
def place_to_wait() -> Iterator[None]:
    """Take a place, or raise StillRunning where none is free."""
    if not places().acquire(blocking=False):
        raise StillRunning
    try:
        yield
    finally:
        places().release()


def refuse_key(request: Request) -> None:
    """Raise ValidationError for a request with a key whose answer must not be kept, for it tells a secret."""
    if PLACE in request.META:
        raise ValidationError(
            {HEADER: ["This address takes no Idempotency-Key: what it answers is told once, and kept nowhere."]}
        )


def once(view: Any, run: Callable[[Keep], Response]) -> Response:
    """Return what `run` answers, or what it answered the first time that the request came with its key.

    `run` gets a function to be called with its answer in the transaction of its write, which returns the answer.
    """
    request = view.request
    key = request.META.get(PLACE)
    if key is None:
        return run(lambda response: response)
    if not KEY.fullmatch(key):
        raise ValidationError({HEADER: ["Enter 1 to 255 visible ASCII characters, such as a UUID."]})
    return Keeper(view, key, fingerprint_of(request)).answer(run)


class Keeper:
    """Answers a request with a key, and keeps the answer."""

    def __init__(self, view: Any, key: str, fingerprint: str) -> None:
        self.view = view
        self.key = key
        self.fingerprint = fingerprint
        self.token = view.request.auth
        self.answers = self.token.answers
        self.is_kept = False
        self.outdated: Any = None  # a row of the same key, from more than a day ago
        self.has_outdated = False

    def answer(self, run: Callable[[Keep], Response]) -> Response:
        take, free = claim(f"{HEADER} {self.token.pk} {self.key}")
        if not take():
            if (kept := self.find()) is not None:
                return self.replay(kept)
            with place_to_wait():
                patience = time.monotonic() + WAIT
                while not take():
                    if (kept := self.find()) is not None:
                        return self.replay(kept)
                    if time.monotonic() > patience:
                        raise StillRunning
                    give_back()
                    time.sleep(PAUSE)
        try:
            kept = self.find()
            return self.first(run) if kept is None else self.replay(kept)
        finally:
            free()

    def find(self) -> Any:
        """Return the row of an answer that was kept and still is, or None."""
        row = self.answers.filter(key=self.key).first()
        if row is None or not row.is_outdated():
            return row
        self.outdated = row
        return None

    def first(self, run: Callable[[Keep], Response]) -> Response:
        self.refuse_too_many()
        try:
            response = self.outcome(run)
            if not self.is_kept and response.status_code < 500 and response.status_code not in NOT_KEPT:
                with transaction.atomic():
                    self.keep(response)
        except KeptMeanwhile:
            kept = self.find()
            if kept is None:
                raise Conflict from None
            return self.replay(kept)
        return response

    def outcome(self, run: Callable[[Keep], Response]) -> Response:
        """Return the answer, a refusal too, whatever it is refused by."""
        try:
            return run(self.keep)
        except KeptMeanwhile:
            raise
        except Exception as error:
            self.is_kept = False  # what was kept was rolled back
            response: Response = self.view.handle_exception(error)  # raises it again where no one foresaw it
            return response

    def keep(self, response: Response) -> Response:
        body = zlib.compress(encoder.encode(response.data))
        if len(body) > LARGEST:
            raise Unusable("The answer would be too large to be kept. Send this without an Idempotency-Key.")
        if self.has_outdated:
            self.answers.model.objects.forget_outdated()
        if self.outdated is not None:
            self.outdated.delete()
        try:
            self.answers.create(
                key=self.key,
                fingerprint=self.fingerprint,
                status=response.status_code,
                headers={name: response.headers[name] for name in HEADERS if name in response.headers},
                body=body,
                size=len(body),
            )
        except IntegrityError as error:  # whoever claimed the key has lost its connection, and the claim with it
            raise KeptMeanwhile from error
        self.is_kept = True
        return response

    def replay(self, kept: Any) -> Response:
        if kept.fingerprint != self.fingerprint:
            raise Conflict(
                "This API key has sent another request with this Idempotency-Key within a day. Take a new one for each "
                "thing that is to be made, and the same one only to send a request again as it was."
            )
        body = zlib.decompress(kept.body)
        return Response(msgspec.Raw(body), kept.status, headers={**kept.headers, REPLAYED: "true"})

    def refuse_too_many(self) -> None:
        """Raise TooMany where as many answers are kept as may be: one that is dropped early would be made again."""
        tally = self.answers.model.objects.tally(self.token)
        self.has_outdated = tally.has_outdated
        if tally.wait > 0:
            raise TooMany(
                "As many answers are kept for Idempotency-Keys as there is room for. Send this without one, or later.",
                wait=ceil(tally.wait),
            )


def fingerprint_of(request: Request) -> str:
    """Return a digest of what must be the same of a request that is sent again: method, path, query and parsed body."""
    data = request.data
    if isinstance(data, MultiValueDict):
        data = {name: [part_of(value) for value in values] for name, values in data.lists()}
    whole = [request.method, request.path, request.META.get("QUERY_STRING", ""), data]
    try:
        return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None


def part_of(value: Any) -> Any:
    """Return a value of a form, of a file the digest of its bytes."""
    if not isinstance(value, UploadedFile):
        return value
    digest = sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    return {"sha256": digest.hexdigest()}
