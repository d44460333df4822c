"""What Folio asks others to do: search, decode, look into films, count in Redis."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryFile
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from PIL import Image, features

from folio.api.shared import Shared
from folio.media.decoding import Decoders, DecodersBusy
from folio.media.opening import UnreadableImage
from folio.portfolios.searching.stores import store

from .findings import Finding, Findings, fault, ms, note, ok, size, warning

REPORTS_SECONDS = 5.0
PIXELS = (4000, 3000)  # of the picture that is decoded
CONTROL_GROUPS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def look() -> Findings:
    yield from search()
    yield decoder()
    yield memory()
    yield from formats()
    yield ffmpeg()
    yield redis()
    yield from reports()


def search() -> Iterator[Finding]:
    database: Any = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "sqlite":
        with closing(sqlite3.connect(":memory:")) as connection:
            try:
                connection.execute("CREATE VIRTUAL TABLE words USING fts5(word, tokenize='trigram')")
            except sqlite3.Error as error:
                yield fault(
                    f"This Python's SQLite {sqlite3.sqlite_version} can't index texts: {error}.",
                    "Use a Python whose SQLite is 3.34 or newer and has FTS5, as Debian's has.",
                )
                return
        yield ok(f"SQLite {sqlite3.sqlite_version} has FTS5, by which texts are found.")
        return
    try:
        lacks = store().lacks()
    except Error:  # of which the database's group tells
        return
    if lacks:
        yield warning(lacks, "Have an administrator run `CREATE EXTENSION pg_trgm`, then run `folio reindex`.")
    else:
        yield ok("PostgreSQL has pg_trgm, by which parts of words are found.")


def decoder() -> Finding:
    """Decode a picture as an upload is, in a process with its bounds."""
    decoders = Decoders(1, settings.DECODER_MEMORY, settings.DECODER_SECONDS)
    mend = "Raise FOLIO_DECODER_MEMORY and FOLIO_DECODER_SECONDS, or give the machine more of either."
    try:
        with TemporaryFile() as file:
            Image.new("L", PIXELS).save(file, "JPEG")
            file.seek(0)
            started = perf_counter()
            decoded = decoders.decode(file, max(settings.MAX_IMAGE_PIXELS, PIXELS[0] * PIXELS[1]))
            took = perf_counter() - started
    except (UnreadableImage, DecodersBusy, OSError) as error:
        return fault(f"A picture of {PIXELS[0]} × {PIXELS[1]} pixels can't be decoded: {error}", mend)
    finally:
        decoders.close()
    if decoded is None:
        return fault("A JPEG is not known for a picture.", "Install Folio anew: pip install --force-reinstall.")
    return ok(f"A picture of {PIXELS[0]} × {PIXELS[1]} pixels is decoded within its bounds, in {ms(took)}.")


def memory() -> Finding:
    has, may = machine_memory(), settings.DECODERS * settings.DECODER_MEMORY
    told = f"FOLIO_DECODERS ({settings.DECODERS}) of each worker may take {size(settings.DECODER_MEMORY)} each"
    if not has:
        return note(f"{told}; how much memory there is, this system does not tell.")
    if may > has:
        return warning(
            f"{told}, and there are {size(has)} of memory: two hostile images at once could use them up.",
            "Lower FOLIO_DECODERS or FOLIO_DECODER_MEMORY: a picture of 24 megapixels takes some 200 MB.",
        )
    return ok(f"{told}, and there are {size(has)} of memory.")


def machine_memory() -> int:
    """Return the bytes that this machine, or this container, may use; 0 where that isn't told."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0
    for path in CONTROL_GROUPS:
        try:
            bound = path.read_text().strip()
        except OSError:
            continue
        if bound.isdecimal():
            found = min(found, int(bound))
    return found


def formats() -> Findings:
    lacking = [name for name in settings.IMAGE_FORMATS if not features.check(name)]
    if lacking:
        yield fault(
            f"This Pillow can't write {', '.join(lacking)}, in which FOLIO_IMAGE_FORMATS has pictures made.",
            "Install Pillow's own wheel, or leave the format out of FOLIO_IMAGE_FORMATS.",
        )


def ffmpeg() -> Finding:
    if settings.FFMPEG and (path := shutil.which(settings.FFMPEG)):
        return ok(f"Films get pictures by {path}.")
    if settings.FFMPEG and settings.FFMPEG != "ffmpeg":
        return warning(f"FOLIO_FFMPEG names {settings.FFMPEG}, which is not there.", "Install it, or name another.")
    return note("ffmpeg is not installed: films are taken, and get no picture by themselves.")


def redis() -> Finding:
    if not settings.REDIS_URL:
        return note("FOLIO_REDIS_URL is not set: each machine counts requests and failed sign-ins for itself.")
    started = perf_counter()
    if (problem := Shared(settings.REDIS_URL).problem()) is not None:
        return warning(
            f"The Redis that FOLIO_REDIS_URL names can't be reached: {problem}",
            "Start it, or mend the address. Until then each machine counts for itself.",
        )
    return ok(f"Redis answers in {ms(perf_counter() - started)}.")


def reports() -> Findings:
    """Tell whether errors can be reported; none is sent for that."""
    if not settings.SENTRY_DSN:
        return
    parts = urlsplit(settings.SENTRY_DSN)
    place = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        create_connection(place, REPORTS_SECONDS).close()
    except OSError as error:
        yield warning(
            f"{place[0]}, which SENTRY_DSN names, can't be reached: {error.strerror or error}. Errors are in the log "
            "alone.",
            "Let Folio connect to it, or take SENTRY_DSN away.",
        )
    else:
        yield ok(f"{place[0]}, to which errors are reported, can be reached.")
