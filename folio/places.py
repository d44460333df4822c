"""Where databases, buckets and Redis lie, as URLs name it; what can't be meant is refused with what would be right."""

import os
import re
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from .environment import duration, env, is_pattern

LEAST_SIGNED, MOST_SIGNED = timedelta(minutes=1), timedelta(days=7)

ENGINES = {"django.db.backends.sqlite3": "folio.sqlite", "django.db.backends.postgresql": "folio.postgresql"}


def database(default: str) -> dict[str, Any]:
    """Return Django's settings for `DATABASE_URL`; raise ImproperlyConfigured unless it is SQLite or PostgreSQL.

    Of several servers, as libpq would take them, one could tell a version and another one give the rows.
    """
    return database_at("DATABASE_URL", env.str("DATABASE_URL", default="") or default)


def database_at(name: str, url: str) -> dict[str, Any]:
    """Return Django's settings for the database at a URL; raise ImproperlyConfigured, which has the name, for none."""
    try:
        parts = urlsplit(url)
        is_known = parts.scheme in {"sqlite", "postgres", "postgresql"} and parts.port != 0
        found: dict[str, Any] = dict(env.db_url_config(url)) if is_known else {}
    except ValueError:  # half an IPv6 address, or a port that is none; which may be a piece of the password
        raise ImproperlyConfigured(
            f"{name} is no address of a database: its host or port can't be read. Signs such as # / : @ in a password "
            "are written as %23 %2F %3A %40."
        ) from None
    if not found:
        raise ImproperlyConfigured(f"{name} must begin with sqlite:/// or postgres://.")
    hosts = {found.get("HOST", ""), *map(found.get("OPTIONS", {}).get, ("host", "hostaddr"))}
    if any("," in (host or "") for host in hosts):
        raise ImproperlyConfigured(f"{name} names several servers; it must name one.")
    found["ENGINE"] = ENGINES[found["ENGINE"]]
    return found


def existing(name: str) -> dict[str, str]:
    """Return the option by which SQLite opens a file only where there is one; without it, whoever asks makes one."""
    if name.startswith((":memory:", "file:")):
        return {}
    return {"database": f"file:{quote(os.fsencode(name))}?mode=rw"}


class Bucket(NamedTuple):
    """Where files lie in object storage."""

    name: str
    prefix: str = ""  # of the keys, without the slash behind it
    endpoint: str | None = None  # None is Amazon's
    region: str | None = None
    addressing: Literal["path", "virtual"] | None = None  # whether the bucket is named by the path or the host


BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
ADDRESSING: dict[str, Literal["path", "virtual"]] = {"path": "path", "virtual": "virtual"}
PREFIX = re.compile(r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*")
BUCKETS = (
    "Name it such as s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-central-1; what begins with `?` may "
    "be left out at Amazon's."
)


def bucket(name: str) -> Bucket | None:
    """Return the bucket that a variable names, None where it is not set; raise ImproperlyConfigured for what is none.

    Keys are no part of it: boto3 looks for them where all programs do, first in AWS_ACCESS_KEY_ID and
    AWS_SECRET_ACCESS_KEY.
    """
    text = env.str(name, default="").strip()
    return bucket_at(name, text) if text else None


def bucket_at(name: str, text: str) -> Bucket:
    """Return the bucket at an address; raise ImproperlyConfigured, which has the name, for none."""
    parts = urlsplit(text)
    shown = f"{parts.scheme}://***" if "@" in parts.netloc else text
    options = parse_qsl(parts.query, keep_blank_values=True)
    given = dict(options)
    prefix = parts.path.strip("/")
    problem = None
    if "@" in parts.netloc:
        problem = "keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    elif parts.scheme != "s3" or not BUCKET.fullmatch(parts.netloc):
        problem = "it must be the address of a bucket"
    elif (prefix and not PREFIX.fullmatch(prefix)) or {".", ".."} & set(prefix.split("/")):
        problem = "a prefix is of letters, digits and -_.!*'(), with single slashes"
    elif set(given) - {"endpoint", "region", "addressing"} or len(given) != len(options):
        problem = "it may have endpoint, region and addressing, each once"
    elif given.get("addressing", "path") not in ADDRESSING:
        problem = "addressing must be path or virtual"
    elif "endpoint" in given and not is_pattern(given["endpoint"]):
        problem = "endpoint must be an http or https address"
    if problem:
        raise ImproperlyConfigured(f"{name} is {shown!r}; {problem}. {BUCKETS}")
    if find_spec("boto3") is None or find_spec("storages") is None:
        raise ImproperlyConfigured(
            f"{name} names object storage, and what speaks with it is not installed. Install Folio with `s3`: "
            "pip install 'folio-portfolios[s3]', or in a clone pip install --require-hashes -r requirements/extras.txt"
        )
    return Bucket(
        parts.netloc, prefix, given.get("endpoint"), given.get("region"), ADDRESSING.get(given.get("addressing", ""))
    )


REDIS = (
    "Name it such as redis://:password@10.0.0.5:6379/0, rediss:// for TLS, or unix:///run/redis/redis.sock?db=0. What "
    "may follow `?` is db, and with rediss ssl_ca_certs, ssl_certfile and ssl_keyfile."
)
REDIS_OPTIONS = {
    "redis": {"db"},
    "rediss": {"db", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"},
    "unix": {"db"},
}


def redis_address(name: str) -> str:
    """Return the address of the Redis that a variable names, "" where it is not set.

    Raise ImproperlyConfigured for what is none, without telling a password, and where nothing is installed to speak
    with it.
    """
    text = env.str(name, default="").strip()
    if not text:
        return ""
    if problem := problem_of_redis(text):
        raise ImproperlyConfigured(f"{name} is {text.partition('://')[0][:10]}://***; {problem}. {REDIS}")
    if find_spec("redis") is None:
        raise ImproperlyConfigured(
            f"{name} names a Redis, and what speaks with it is not installed. Install Folio with `redis`: "
            "pip install 'folio-portfolios[redis]', or in a clone "
            "pip install --require-hashes -r requirements/extras.txt"
        )
    return text


def problem_of_redis(text: str) -> str:
    """Return what is wrong with the address of a Redis; "" where nothing is."""
    try:
        parts = urlsplit(text)
        is_port = parts.port != 0
        options = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:  # half an IPv6 address, a port that is none, an option without `=`
        return "it is no address"
    known = REDIS_OPTIONS.get(parts.scheme)
    number = dict(options).get("db", "0" if parts.scheme == "unix" else parts.path.strip("/") or "0")
    if known is None:
        return "it must begin with redis://, rediss:// or unix://"
    if parts.scheme == "unix" and not (parts.path.startswith("/") and not parts.hostname):
        return "a unix socket is named by its whole path, such as unix:///run/redis/redis.sock"
    if parts.scheme != "unix" and not (parts.hostname and is_port):
        return "it must name a host"
    if set(dict(options)) - known or len(dict(options)) != len(options):
        return f"what follows `?` may be {', '.join(sorted(known))}, each once"
    if not (number.isascii() and number.isdecimal()):
        return "its database must be a number"
    return ""


def signed(name: str, bucket: Bucket | None) -> timedelta:
    """Return for how long the URLs of a bucket's files are signed, as a variable says; nothing where it is not set.

    Raise ImproperlyConfigured for a time that S3 takes no signature for, and where there is no bucket.
    """
    found = duration(name, "0")
    if found and not LEAST_SIGNED <= found <= MOST_SIGNED:
        raise ImproperlyConfigured(f"{name} is {env.str(name)!r}; it must be from 1m to 7d, such as 1h, or 0.")
    if found and bucket is None:
        raise ImproperlyConfigured(f"{name} signs URLs of a bucket, and FOLIO_MEDIA names none. Set both, or neither.")
    return found
