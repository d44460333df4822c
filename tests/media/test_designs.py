"""Designers' files keep their extension where the content fits; applications in a ZIP are refused."""

import zipfile
from pathlib import Path

import pytest

from folio.media.errors import UploadRefused
from folio.media.kinds import DESIGNS as KINDS_OF_DESIGNS
from folio.media.recognising.designs import FITS
from folio.media.recognising.zips import HOLDS
from tests.factories import draw

from .kinds import DESIGNS, SCENE, WORDS, archive, iso_media, packed
from .stored import assert_nothing_is_left, path_of, upload

pytestmark = pytest.mark.django_db

PLAIN_ZIP = archive("a.txt")
EXTENSIONS = sorted({extension for kind in KINDS_OF_DESIGNS for extension in kind.extensions})


def test_looks_into_each_kind() -> None:
    assert sorted(FITS.keys() | HOLDS.keys()) == EXTENSIONS
    assert {case[4] for case in DESIGNS} >= set(EXTENSIONS) - {"lot"}


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_names_another_file_by_what_it_is(extension: str) -> None:
    text, picture = upload(WORDS, f"a.{extension}"), upload(draw(), f"a.{extension}")

    assert (text.mime_type, path_of(text).suffix) == ("text/plain", ".txt")
    assert (picture.mime_type, path_of(picture).suffix) == ("image/png", ".png")


@pytest.mark.parametrize("extension", ["usdz", "sketch", "3mf", "lottie", "glb", "ai", "ttf"])
def test_names_a_zip_without_what_such_a_file_holds_a_zip(extension: str) -> None:
    media = upload(PLAIN_ZIP, f"a.{extension}")

    assert (media.type, media.mime_type, path_of(media).suffix) == ("archive", "application/zip", ".zip")


def test_looks_for_a_scene_where_readers_do() -> None:
    """The first file of a USDZ is the scene."""
    first = packed({"a.usda": "#usda 1.0", "a.png": b""}, zipfile.ZIP_STORED)
    later = packed({"a.png": b"", "a.usdc": SCENE}, zipfile.ZIP_STORED)

    assert upload(first, "a.usdz").mime_type == "model/vnd.usdz+zip"
    assert upload(later, "a.usdz").mime_type == "application/zip"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"8BPS\0\1" + bytes(40), "photo.png"),
        (b"8BPS\0\1" + bytes(40), "file"),
        (b"solid".ljust(80, b"\0") + b"\2\0\0\0" + bytes(90), "a.stl"),
        (b"%!PS-Adobe-3.0\n%%Creator: Adobe Illustrator\n" + bytes(9), "a.ai"),
        (b"<html>v 0 0 0</html>", "a.obj"),
        (b"{<script>alert(1)</script>", "a.gltf"),
    ],
    ids=["psd-as-picture", "psd-without-name", "stl-cut", "ai-of-postscript", "page-as-obj", "page-as-gltf"],
)
def test_refuses_what_fits_no_kind(content: bytes, name: str, media_root: Path) -> None:
    with pytest.raises(UploadRefused):
        upload(content, name)

    assert_nothing_is_left(media_root)


APPLICATIONS: dict[str, dict[str, str]] = {
    "jar": {"META-INF/MANIFEST.MF": "Main-Class: A", "A.class": ""},
    "jar-in-other-letters": {"a.txt": "", "Meta-inf/Manifest.mf": ""},
    "war": {"WEB-INF/web.xml": ""},
    "ear": {"META-INF/application.xml": ""},
    "apk": {"AndroidManifest.xml": "", "classes.dex": ""},
    "aab": {"BundleConfig.pb": "", "base/manifest/AndroidManifest.xml": ""},
    "ipa": {"Payload/Folio.app/Info.plist": ""},
    "msix": {"AppxManifest.xml": "", "[Content_Types].xml": ""},
    "msixbundle": {"AppxMetadata/AppxBundleManifest.xml": "", "[Content_Types].xml": ""},
    "xpi": {"manifest.json": '{"manifest_version": 2}'},
    "xpi-of-old": {"install.rdf": ""},
    "vsix": {"extension.vsixmanifest": "", "[Content_Types].xml": ""},
    "pyz": {"__main__.py": "print(1)"},
    "document-too": {"mimetype": "application/vnd.oasis.opendocument.text", "META-INF/MANIFEST.MF": ""},
}


@pytest.mark.parametrize("name", ["a.zip", "a.sketch", "a.docx", "a.apk", "a"])
@pytest.mark.parametrize("kind", APPLICATIONS)
def test_refuses_an_application_by_what_it_holds(kind: str, name: str, media_root: Path) -> None:
    with pytest.raises(UploadRefused, match=r"is an application or extends one.*not accepted\. Accepted are: jpg"):
        upload(packed(APPLICATIONS[kind]), name)

    assert_nothing_is_left(media_root)


@pytest.mark.parametrize(
    "parts",
    [
        {"backup/META-INF/MANIFEST.MF": "", "src/__main__.py": "", "old/app.apk": ""},
        {"manifest.json": '{"name": "A website"}'},
        {"META-INF/container.xml": ""},
    ],
    ids=["folders", "website", "container"],
)
def test_lets_an_archive_hold_what_others_have_at_its_top(parts: dict[str, str]) -> None:
    assert upload(packed(parts), "a.zip").mime_type == "application/zip"


def test_refuses_an_extension_of_chrome() -> None:
    with pytest.raises(UploadRefused, match="not accepted"):
        upload(b"Cr24\3\0\0\0" + bytes(20) + PLAIN_ZIP, "a.zip")


def test_knows_a_film_under_a_designer_s_name() -> None:
    assert upload(iso_media(b"isom"), "a.key").mime_type == "video/mp4"


@pytest.mark.parametrize("extension", ["obj", "cube"])
def test_empty_lines_are_read_once(extension: str) -> None:
    """Had each of them to be tried as what stands before a vertex, with all the others, this would take minutes."""
    assert path_of(upload(b"\n" * 190_000 + b"x", f"a.{extension}")).suffix == ".txt"


@pytest.mark.parametrize("before", [b"PK00", b"PK\7\x08"], ids=["pk00", "spanned"])
def test_an_application_is_told_whatever_stands_before_it(before: bytes) -> None:
    with pytest.raises(UploadRefused):
        upload(before + packed({"__main__.py": "print(1)"}), "a.zip")


def test_a_program_is_no_model() -> None:
    head = b"MZ" + bytes(78) + (1).to_bytes(4, "little")

    with pytest.raises(UploadRefused):
        upload(head + bytes(50), "a.stl")
