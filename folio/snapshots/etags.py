"""ETags: `"D"` of a body as it is, `"D-gzip"` and so on of what is compressed, where D is a digest of the former.

So whoever computes an answer knows all its tags, and a newer compressor changes none of them.
"""

from hashlib import blake2b

from .encodings import ENCODERS, IDENTITY

ENCODINGS = (IDENTITY, *ENCODERS)


def digest_of(body: bytes) -> str:
    """Return D of a body that is not compressed, in hexadecimal digits."""
    return blake2b(body, digest_size=16).hexdigest()


def etag_of(digest: str, encoding: str = IDENTITY) -> str:
    """Return the tag of the body with that digest, in that encoding."""
    return f'"{digest}"' if encoding == IDENTITY else f'"{digest}-{encoding}"'


def etags_of(digest: str) -> set[str]:
    """Return the tags of the body with that digest in all its encodings."""
    return {etag_of(digest, encoding) for encoding in ENCODINGS}
