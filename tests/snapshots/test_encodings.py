import gzip

import brotli
import pytest
import zstandard

from folio.snapshots.encodings import ENCODERS, best_encoding

pytestmark = pytest.mark.database_free

DECODERS = {
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        (" gzip ; q=0.5 , br;q = 0.4", "gzip"),
        ("br;q=0.9, gzip;q=0.91, zstd;Q=0.1", "gzip"),
        ("*", "zstd"),
        ("*;q=0.1", "zstd"),
        ("zstd;q=0, *", "br"),
        ("gzip;q=0.5, *;q=0", "gzip"),
        ("identity;q=0, gzip;q=0.1", "gzip"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=1.000", "gzip"),
    ],
)
def test_takes_what_the_client_prefers(accepted: str, encoding: str) -> None:
    assert best_encoding(accepted) == encoding


@pytest.mark.parametrize(
    "accepted",
    [
        "identity",
        "deflate, compress",
        "x-unknown",
        "gzip;q=0",
        "gzip;q=0.0, br;q=0, zstd;q=0.000",
        "*;q=0",
        "*;q=0, identity;q=0",
        "identity, gzip;q=0.5",
        "identity;q=0.6, gzip;q=0.5",
        "gzip;q=0.1, br;q=0.1, zstd;q=0.1, *;q=0.5",
    ],
)
def test_leaves_as_it_is_what_the_client_would_not_rather_have_encoded(accepted: str) -> None:
    assert best_encoding(accepted) == "identity"


@pytest.mark.parametrize(
    "accepted", ["", ",", ";", ";;,=,", "gzip;q=", "gzip;q=x", "gzip;q=nan", "gzip;q=-1", "gzip;q", "\xff;q=1", "q=1"]
)
def test_garbage_accepts_nothing(accepted: str) -> None:
    assert best_encoding(accepted) == "identity"


def test_what_is_small_is_encoded_only_for_who_refuses_it_as_it_is() -> None:
    assert best_encoding("gzip, br", True) == "identity"
    assert best_encoding("gzip, *;q=0.1", True) == "identity"
    assert best_encoding("gzip, identity;q=0", True) == "gzip"
    assert best_encoding("gzip, *;q=0", True) == "gzip"
    assert best_encoding("deflate, identity;q=0", True) == "identity", "there is nothing else"


@pytest.mark.parametrize("encoding", ENCODERS)
def test_each_form_is_whole_shorter_and_the_same_each_time(encoding: str) -> None:
    body = b'{"count": 3, "results": [%s]}' % b", ".join([b'{"title": "Harbour"}'] * 100)

    encoded = ENCODERS[encoding](body)

    assert DECODERS[encoding](encoded) == body
    assert len(encoded) < len(body) / 4
    assert ENCODERS[encoding](body) == encoded, "an ETag of it would change without a reason"
