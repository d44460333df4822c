"""What an API key looks like, and what is stored of it: a digest, under its token."""

import hashlib
import secrets

KEY_PREFIX = "folio_"  # lets scanners for leaked secrets recognise a key


def digest_of(key: bytes) -> str:
    """Return the 64 hexadecimal digits under which a key is stored.

    A key holds 256 random bits, so that a plain SHA-256 can't be searched; slow hashes are for passwords.
    """
    return hashlib.sha256(key).hexdigest()


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(32)
