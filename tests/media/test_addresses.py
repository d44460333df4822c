"""Files' URLs are those that the storage itself would give, found in a shorter way."""

from django.core.files.storage import default_storage

from folio.media.documents import Addresses

NAMES = [
    "core_media/2026/03/02/plain-name_1.jpg",
    *(f"a{chr(code)}b.jpg" for code in range(1, 0x180)),
    "größe.jpg",
    "کتاب.jpg",
    "字.jpg",
    "\U0001f600.jpg",
    "a\nb",
    "a\n",
    "%41.jpg",
]


def test_a_url_is_the_storages_own() -> None:
    url = Addresses("https://api.example.com").url

    assert [url(name) for name in NAMES] == [f"https://api.example.com{default_storage.url(name)}" for name in NAMES]
