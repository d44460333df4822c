from __future__ import annotations  # File[bytes] means something to type checkers only

import gzip
import io
import json
import os
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import InMemoryUploadedFile, TemporaryUploadedFile
from django.db import IntegrityError, OperationalError, connection, models
from django.utils import timezone
from PIL import Image

from folio.media.models import Media, Thumbnail
from folio.media.privacy import write_without_private_data
from folio.media.uploads import KINDS, UploadRefused, UploadTooLarge, detect, store_upload
from tests.factories import draw, make_media

pytestmark = pytest.mark.django_db

Wrap = Callable[..., "File[bytes]"]

OPENDOCUMENT = "application/vnd.oasis.opendocument"
OPENXML = "application/vnd.openxmlformats-officedocument"


temporary_files: list[TemporaryUploadedFile] = []


@pytest.fixture(autouse=True)
def _close_temporary_files() -> Iterator[None]:
    """Do what Django does at the end of a request."""
    yield
    while temporary_files:
        temporary_files.pop().close()


def upload(content: bytes, file_name: str = "file", **fields: Any) -> Media:
    return store_upload(ContentFile(content, name=file_name), **fields)


def temporary(content: bytes, name: str) -> TemporaryUploadedFile:
    """Return an upload as it comes where it is large: in a temporary file."""
    file = TemporaryUploadedFile(name, "application/octet-stream", len(content), None)
    temporary_files.append(file)
    file.write(content)
    file.seek(0)
    return file


def path_of(row: Any) -> PurePosixPath:
    """Return where the file of a media or a thumbnail lies in the storage."""
    return PurePosixPath(row.file.name)


def content_of(row: Any) -> bytes:
    with row.file.open() as file:
        content: bytes = file.read()
    return content


def stored_files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def assert_nothing_is_left(root: Path) -> None:
    assert not Media.objects.exists()
    assert not Thumbnail.objects.exists()
    assert stored_files(root) == []


# Samples of everything that is accepted


def archive(*parts: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for part in parts:
            writer.writestr(part, f"<{part}/>" * 50)
    return file.getvalue()


def opendocument(mime_type: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as writer:
        writer.writestr("mimetype", mime_type)
        writer.writestr("content.xml", "<content/>")
    return file.getvalue()


def office(main: str) -> bytes:
    return archive("[Content_Types].xml", "_rels/.rels", main)


def office_out_of_order(main: str) -> bytes:
    """Pack a document with its parts in an order that libmagic doesn't know."""
    return archive("[Content_Types].xml", "docProps/thumbnail.jpeg", "_rels/.rels", "docProps/app.xml", main)


def compound(stream: str, padding: int = 0) -> bytes:
    """Return a file as old Office programs wrote it, with its directory behind `padding` sectors of 512 bytes."""
    free, end, table_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    directory, table = 8 + padding, 9 + padding

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return (head + bytes(36) + struct.pack("<IQ", start, size)).ljust(128, b"\0")

    entries = entry("Root Entry", 5, 1, end, 0) + entry(stream, 2, free, 0, 4096)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 62, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9I", 0, 1, directory, 0, 4096, end, 0, end, 0) + struct.pack("<I", table)
    sectors = [*range(1, 8), end, *[free] * padding, end, table_mark]
    assert len(sectors) <= 128
    return (
        header.ljust(512, b"\xff")
        + bytes(4096 + 512 * padding)
        + entries.ljust(512, b"\0")
        + struct.pack("<128I", *sectors, *[free] * (128 - len(sectors)))
    )


def iso_media(brand: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 512, b"isom") + b"\0\0\0\x10mdat" + bytes(8)


def matroska(kind: bytes) -> bytes:
    head = b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82" + bytes([128 + len(kind)])
    return b"\x1a\x45\xdf\xa3\x9f" + head + kind + bytes(100)


def ogg(codec: bytes) -> bytes:
    return b"OggS\0\2" + bytes(20) + bytes([1, len(codec) + 30]) + codec + bytes(30)


def sound() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(800))
    return file.getvalue()


WORDS = b"Hello, dear reader.\nThis is a text.\n"
TABLE = b"name,count,price\nA,1,2\nB,3,4\nC,5,6\n"
ACCEPTED: list[tuple[bytes, str, str, str, str]] = [
    # content, name, type, MIME type, extension
    (draw(format="JPEG"), "a.jpg", "image", "image/jpeg", "jpg"),
    (draw(format="PNG"), "a.png", "image", "image/png", "png"),
    (draw(format="GIF"), "a.gif", "image", "image/gif", "gif"),
    (draw(format="WEBP"), "a.webp", "image", "image/webp", "webp"),
    (draw(format="AVIF"), "a.avif", "image", "image/avif", "avif"),
    (draw(format="BMP"), "a.bmp", "image", "image/bmp", "bmp"),
    (draw(format="TIFF"), "a.tiff", "image", "image/tiff", "tiff"),
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a.pdf", "document", "application/pdf", "pdf"),
    (b"\n%PDF-1.7\n1 0 obj\n<?xpacket?><html>", "a.pdf", "document", "application/pdf", "pdf"),
    (WORDS, "a.txt", "document", "text/plain", "txt"),
    (WORDS, "a", "document", "text/plain", "txt"),
    (b"# Title\n\nSome *words*.\n", "a.md", "document", "text/plain", "md"),
    (b"2026-01-01 00:00:00 INFO folio: started\n" * 9, "a.log", "document", "text/plain", "log"),
    ("سلام دنیا\n".encode(), "a.txt", "document", "text/plain", "txt"),
    ("Hello, dear reader.\n".encode("utf-16"), "a.txt", "document", "text/plain", "txt"),
    (TABLE, "a.csv", "document", "text/csv", "csv"),
    (TABLE, "a", "document", "text/csv", "csv"),
    (TABLE, "a.txt", "document", "text/plain", "txt"),
    (TABLE.replace(b",", b";"), "a.csv", "document", "text/csv", "csv"),
    (b"BMI,weight,height\n20,70,180\n22,71,170\n", "a.csv", "document", "text/csv", "csv"),
    (json.dumps({"a": [1, None]}).encode(), "a.json", "other", "application/json", "json"),
    (json.dumps([{"a": "x" * 50}] * 3000).encode(), "a.json", "other", "application/json", "json"),
    (rb"{\rtf1\ansi hello}", "a.rtf", "document", "application/rtf", "rtf"),
    (compound("WordDocument"), "a.doc", "document", "application/msword", "doc"),
    (compound("Workbook"), "a.xls", "document", "application/vnd.ms-excel", "xls"),
    (office("word/document.xml"), "a.docx", "document", f"{OPENXML}.wordprocessingml.document", "docx"),
    (office("word/document.xml"), "a", "document", f"{OPENXML}.wordprocessingml.document", "docx"),
    (office("xl/workbook.xml"), "a.xlsx", "document", f"{OPENXML}.spreadsheetml.sheet", "xlsx"),
    (office("ppt/presentation.xml"), "a.pptx", "document", f"{OPENXML}.presentationml.presentation", "pptx"),
    (office_out_of_order("word/document.xml"), "a.docx", "document", f"{OPENXML}.wordprocessingml.document", "docx"),
    (office_out_of_order("xl/workbook.xml"), "a.XLSX", "document", f"{OPENXML}.spreadsheetml.sheet", "xlsx"),
    (opendocument(f"{OPENDOCUMENT}.text"), "a.odt", "document", f"{OPENDOCUMENT}.text", "odt"),
    (
        opendocument(f"{OPENDOCUMENT}.spreadsheet"),
        "a",
        "document",
        f"{OPENDOCUMENT}.spreadsheet",
        "ods",
    ),
    (
        opendocument(f"{OPENDOCUMENT}.presentation"),
        "a",
        "document",
        f"{OPENDOCUMENT}.presentation",
        "odp",
    ),
    (opendocument("application/epub+zip"), "a.epub", "document", "application/epub+zip", "epub"),
    (archive("a.txt"), "a.zip", "archive", "application/zip", "zip"),
    (archive("a.txt"), "a.docx", "archive", "application/zip", "zip"),
    (gzip.compress(WORDS), "a.tar.gz", "archive", "application/gzip", "gz"),
    (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(60), "a.7z", "archive", "application/x-7z-compressed", "7z"),
    (iso_media(b"isom"), "a.mp4", "video", "video/mp4", "mp4"),
    (iso_media(b"mp42"), "a.MP4", "video", "video/mp4", "mp4"),
    (iso_media(b"M4V "), "a.m4v", "video", "video/mp4", "m4v"),
    (iso_media(b"3gp5"), "a.mp4", "video", "video/mp4", "mp4"),
    (iso_media(b"qt  "), "a.mov", "video", "video/quicktime", "mov"),
    (matroska(b"webm"), "a.webm", "video", "video/webm", "webm"),
    (ogg(b"\x80theora"), "a.ogg", "video", "video/ogg", "ogv"),
    (b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + b"\xff\xfb\x90\x64" + bytes(413), "a.mp3", "audio", "audio/mpeg", "mp3"),
    ((b"\xff\xfb\x90\x64" + bytes(413)) * 3, "a.mp3", "audio", "audio/mpeg", "mp3"),
    (iso_media(b"M4A "), "a.m4a", "audio", "audio/mp4", "m4a"),
    (ogg(b"\1vorbis"), "a.ogg", "audio", "audio/ogg", "ogg"),
    (ogg(b"OpusHead"), "a.opus", "audio", "audio/ogg", "opus"),
    (sound(), "a.wav", "audio", "audio/wav", "wav"),
    (b"fLaC\0\0\0\x22\x10\0\x10\0" + bytes(30), "a.flac", "audio", "audio/flac", "flac"),
]


def cleaned(content: bytes, mime_type: str) -> bytes:
    target = io.BytesIO()
    write_without_private_data(io.BytesIO(content), target, mime_type)
    return target.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "type_", "mime_type", "extension"),
    ACCEPTED,
    ids=[f"{number}-{case[1]}-{case[3]}" for number, case in enumerate(ACCEPTED)],
)
@pytest.mark.parametrize("wrap", [ContentFile, temporary])
def test_stores_what_is_accepted(
    content: bytes, name: str, type_: str, mime_type: str, extension: str, wrap: Wrap
) -> None:
    media = store_upload(wrap(content, name=name))

    media.refresh_from_db()
    assert (media.type, media.mime_type, media.name, media.size) == (type_, mime_type, name, len(content))
    assert media.file.name == f"core_media/{timezone.now():%Y/%m/%d}/a{'_tar' * ('.tar' in name)}.{extension}"
    assert content_of(media) == cleaned(content, mime_type)
    assert media.thumbnails.count() == (4 if type_ == "image" else 0)


def test_has_a_sample_of_every_kind() -> None:
    hard_to_write = {"application/vnd.ms-powerpoint"}

    assert {kind.mime_type for kind in KINDS} - {case[3] for case in ACCEPTED} == hard_to_write
    extensions = [extension for kind in KINDS for extension in kind.extensions]
    assert len(extensions) == len(set(extensions))


def test_looks_through_a_large_file_for_what_it_is() -> None:
    media = store_upload(temporary(compound("WordDocument", padding=110), "letter.doc"))

    assert media.mime_type == "application/msword"


SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EXE = b"MZ" + b"\x90\0" * 29 + struct.pack("<I", 64) + b"\0\0PE\0\0\x4c\1" + bytes(300)
REFUSED: dict[str, bytes] = {
    "html": b"<!DOCTYPE html><html><body>x</body></html>",
    "html-late": b"Good day.\n" * 50 + b"<script>alert(1)</script>",
    "html-head-only": b"words before <BODY onload=alert(1)>",
    "html-comment": b"<!-- " + b"x" * 3000 + b" --><h1>x</h1>",
    "hta": b"<hta:application>",
    "svg": SVG.encode(),
    "svg-xml": f'<?xml version="1.0"?>\n{SVG}'.encode(),
    "svg-utf16": SVG.encode("utf-16"),
    "svg-utf16-be": b"\xfe\xff" + SVG.encode("utf-16-be"),
    "svg-bom": b"\xef\xbb\xbf\n" + SVG.encode(),
    "svg-comment": f"<!-- {'x' * 3000} -->{SVG}".encode(),
    "xml": b'<?xml version="1.0"?><a/>',
    "php": b"<?php system($_GET['c']); ?>",
    "php-short": b"<? system($_GET['c']); ?>",
    "php-late": b"hello\n<?= system($_GET['c']) ?>",
    "jsp": b'<%@ page language="java" %>',
    "python": b"#!/usr/bin/env python\nprint(1)\n",
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "batch": b"@echo off\r\ndel *\r\n",
    "c": b"#include <stdio.h>\nint main(void) { return 0; }\n",
    "exe": EXE,
    "elf": b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(200),
    "heic": iso_media(b"heic"),
    "matroska": matroska(b"matroska"),
    "random": bytes(range(128, 256)) * 8 + bytes(range(16)) * 20,
    "zeros": bytes(100),
}


@pytest.mark.parametrize("name", ["photo.jpg", "file.txt", "file.pdf", "file"])
@pytest.mark.parametrize("kind", REFUSED)
def test_refuses_what_may_run_and_what_is_unknown(kind: str, name: str, media_root: Path) -> None:
    with pytest.raises(UploadRefused) as refusal:
        upload(REFUSED[kind], name)

    assert (
        "not accepted. Accepted are: jpg, png, gif, webp, avif, bmp, tif, txt, csv, json, pdf,"
        in refusal.value.messages[0]
    )
    assert_nothing_is_left(media_root)


@pytest.mark.parametrize(
    "content",
    [
        b"MIME-Version: 1.0\nContent-Type: multipart/related\n\n<html>",
        b"words <?= 1 ?>",
        b"<b>\n%PDF-1.4\n",
    ],
)
def test_says_of_what_libmagic_has_no_name_for_what_it_looks_like(content: bytes) -> None:
    with pytest.raises(UploadRefused, match="looks like a web page or a script") as refusal:
        upload(content, "notes.txt")

    assert "text/html" not in refusal.value.messages[0]


@pytest.mark.parametrize("wrap", [ContentFile, temporary])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"])
@pytest.mark.parametrize("part", [0.1, 0.6])
def test_refuses_a_damaged_image(part: float, format: str, wrap: Wrap, media_root: Path) -> None:
    content = draw((300, 200), format) if format in {"BMP", "TIFF"} else noise(format)

    file = wrap(content[: max(30, int(len(content) * part))], name="photo.jpg")
    with pytest.raises(UploadRefused, match="The image is damaged or incomplete"):
        store_upload(file)

    file.close()
    assert_nothing_is_left(media_root)
    if isinstance(file, TemporaryUploadedFile):
        assert not os.path.exists(file.temporary_file_path())


def noise(format: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((300, 200), 80).convert("RGB").save(file, format)
    return file.getvalue()


def test_refuses_an_empty_file(media_root: Path) -> None:
    with pytest.raises(UploadRefused, match="The file is empty"):
        upload(b"")

    assert_nothing_is_left(media_root)


def test_refuses_too_many_bytes(settings: Any, media_root: Path) -> None:
    settings.MAX_UPLOAD_SIZE = 2000

    assert upload(b"word " * 400).size == 2000
    Media.objects.all().delete()
    with pytest.raises(UploadTooLarge, match="The file has 2,001 bytes, more than the 2,000 that are accepted"):
        upload(b"word " * 400 + b"s")

    assert not Media.objects.exists()


@pytest.mark.parametrize("wrap", [ContentFile, temporary])
def test_refuses_too_many_pixels(wrap: Wrap, settings: Any, media_root: Path) -> None:
    settings.MAX_IMAGE_PIXELS = 1199

    with pytest.raises(UploadRefused, match="40 × 30 pixels, more than the 1,199") as refusal:
        store_upload(wrap(draw((40, 30)), name="photo.png"))

    assert not isinstance(refusal.value, UploadTooLarge)
    assert_nothing_is_left(media_root)


def test_refuses_60_000_by_60_000_pixels(media_root: Path) -> None:
    content = bytearray(draw((1, 1), "PNG"))
    content[16:24] = struct.pack(">II", 60_000, 60_000)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))

    with pytest.raises(UploadRefused, match="more than the 50,000,000 pixels that are accepted"):
        upload(bytes(content), "bomb.png")

    assert_nothing_is_left(media_root)


def test_holds_pillow_to_the_same_number_of_pixels(settings: Any) -> None:
    assert settings.MAX_IMAGE_PIXELS == Image.MAX_IMAGE_PIXELS


def test_refuses_a_description_that_is_too_long(media_root: Path) -> None:
    with pytest.raises(ValidationError) as refusal:
        upload(draw(), "a.png", alt="x" * 501)

    assert list(refusal.value.message_dict) == ["alt"]
    assert_nothing_is_left(media_root)


def test_stores_an_image_with_its_thumbnails(media_root: Path) -> None:
    media = upload(draw((1600, 1200), "JPEG"), "Summer.JPEG", name="Summer", alt="A beach")

    media.refresh_from_db()
    day = f"core_media/{timezone.now():%Y/%m/%d}"
    assert (media.name, media.alt) == ("Summer", "A beach")
    assert (media.width, media.height, media.mode) == (1600, 1200, "RGB")
    assert [(thumbnail.size, thumbnail.file.name) for thumbnail in media.thumbnails.order_by("pk")] == [
        (box, f"{day}/thumbnails/Summer_thumbnail_{box}x{box}.jpeg") for box in (64, 128, 512, 1080)
    ]
    assert stored_files(media_root) == sorted(str(path_of(row)) for row in (media, *media.thumbnails.all()))
    for thumbnail in media.thumbnails.all():
        with thumbnail.file.open() as file, Image.open(file) as image:
            assert image.format == "JPEG"
            assert image.size == (thumbnail.size, thumbnail.size * 3 // 4)


def test_stores_the_size_of_an_image_as_shown_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("CMYK", (40, 30)).save(file, "JPEG", exif=exif)

    media = upload(file.getvalue(), "a.jpg")

    assert (media.width, media.height, media.mode) == (30, 40, "CMYK")


def test_makes_png_thumbnails_of_a_tiff_that_never_meet_those_of_a_png() -> None:
    image = upload(draw(), "plan.png")
    scan = store_upload(temporary(compressed_tiff(), "plan.tif"))

    paths = [path_of(thumbnail) for media in (image, scan) for thumbnail in media.thumbnails.all()]
    assert path_of(scan).name == "plan.tif"
    assert all(path.suffix == ".png" for path in paths)
    assert len(set(paths)) == 8
    for thumbnail in scan.thumbnails.all():
        with thumbnail.file.open() as file, Image.open(file) as shown:
            assert (shown.format, shown.size) == ("PNG", (60, 50))


def compressed_tiff() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 50), "red").save(file, "TIFF", compression="tiff_lzw")
    return file.getvalue()


def test_gives_a_name_that_is_taken_a_suffix_and_the_thumbnails_follow() -> None:
    first, second = upload(draw(), "photo.png"), upload(draw(color="blue"), "photo.png")

    stem = path_of(second).stem
    assert path_of(first).name == "photo.png"
    assert stem.startswith("photo_")
    assert [path_of(thumbnail).name for thumbnail in second.thumbnails.order_by("size")] == [
        f"{stem}_thumbnail_{box}x{box}.png" for box in (64, 128, 512, 1080)
    ]
    assert content_of(first) != content_of(second)


def test_takes_no_name_that_another_row_holds() -> None:
    """As where two uploads of one name meet: the other's row is there, and its file not yet."""
    taken = f"core_media/{timezone.now():%Y/%m/%d}/photo.png"
    make_media(file=taken)

    media = upload(draw(), "photo.png")

    assert media.file.name != taken
    assert path_of(media).name.startswith("photo_")
    assert not default_storage.exists(taken)


def test_never_overwrites_a_file_on_a_storage_that_would(settings: Any) -> None:
    """As S3 does: two uploads of one name may both find it free."""
    default = {**settings.STORAGES["default"], "OPTIONS": {"allow_overwrite": True}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    contents = [draw(color=color) for color in ("red", "green", "blue")]

    rows = [upload(content, "photo.png") for content in contents]

    assert [content_of(row) for row in rows] == contents
    assert len({path_of(thumbnail) for row in rows for thumbnail in row.thumbnails.all()}) == 12


@pytest.mark.django_db(transaction=True)
def test_gives_uploads_of_one_name_at_once_names_of_their_own(settings: Any) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's database in memory is one for all threads")
    default = {**settings.STORAGES["default"], "OPTIONS": {"allow_overwrite": True}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    contents = [draw(color=(number, 0, 0)) for number in range(12)]

    def send(content: bytes) -> Media:
        try:
            return upload(content, "photo.png")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(send, contents))

    assert [content_of(row) for row in rows] == contents
    assert len({path_of(row) for row in rows}) == 12


@pytest.mark.parametrize(
    ("content_format", "name", "stored"),
    [
        ("PNG", "photo.jpg", "photo.png"),
        ("JPEG", "photo.png", "photo.jpg"),
        ("JPEG", "photo.JFIF", "photo.jfif"),
        ("PNG", "photo.php", "photo.png"),
        ("PNG", "photo.php.png", "photo_php.png"),
        ("GIF", "photo", "photo.gif"),
        ("TIFF", "photo.tiff.exe", "photo_tiff.tif"),
        ("PNG", "../../../etc/passwd.png", "passwd.png"),
        ("PNG", "..\\..\\windows\\win.png", "win.png"),
        ("PNG", "/etc/cron.d/job.png", "job.png"),
        ("PNG", "C:\\photo.png", "photo.png"),
        ("PNG", "..", "file.png"),
        ("PNG", ".", "file.png"),
        ("PNG", "", "file.png"),
        ("PNG", "   .png", "file.png"),
        ("PNG", "....png", "file.png"),
        ("PNG", ".htaccess", "_htaccess.png"),
        ("PNG", ".png", "_png.png"),
        ("PNG", "___.png", "file.png"),
        ("PNG", "-rf.png", "-rf.png"),
        ("PNG", "a b(1)&c=d?e#f%g.png", "a_b_1__c_d_e_f_g.png"),
        ("PNG", "a\r\nSet-Cookie: b.png", "aSet-Cookie__b.png"),
        ("PNG", "a\0.png", "a.png"),
        ("PNG", "photo\u202egnp.exe", "photognp.png"),
        ("PNG", "photo\u200b\ufeff\ud800.png", "photo.png"),
        ("PNG", "CON.png", "_CON.png"),
        ("PNG", "aux", "_aux.png"),
        ("PNG", "Com1.jpeg", "_Com1.png"),
        ("PNG", "lpt¹.png", "_lpt¹.png"),
        ("PNG", "console.png", "console.png"),
        ("PNG", "تابستان.png", "تابستان.png"),
        ("PNG", "गर्मी.png", "गर्मी.png"),
        ("PNG", "夏 2026.png", "夏_2026.png"),
        ("PNG", "e\u0301te\u0301.png", "été.png"),
        ("PNG", "🎉.png", "file.png"),
        ("PNG", "party🎉.png", "party_.png"),
        ("PNG", "a" * 500 + ".png", "a" * 150 + ".png"),
        ("PNG", "夏" * 300 + ".png", "夏" * 50 + ".png"),
        ("PNG", "<script>.png", "_script_.png"),
        ("PNG", "x';DROP TABLE media;--.png", "x__DROP_TABLE_media_--.png"),
    ],
)
def test_makes_a_safe_name_of_any(content_format: str, name: str, stored: str, media_root: Path) -> None:
    file = ContentFile(draw(format=content_format))
    file.name = name

    media = store_upload(file)

    assert media.file.name == f"core_media/{timezone.now():%Y/%m/%d}/{stored}"
    assert (media_root / path_of(media)).is_file()
    for thumbnail in media.thumbnails.all():
        assert path_of(thumbnail).parent == path_of(media).parent / "thumbnails"
        assert (media_root / path_of(thumbnail)).is_file()


def test_leaves_room_for_suffixes_in_the_longest_name() -> None:
    for _ in range(3):
        media = upload(draw(format="WEBP"), "夏" * 300 + ".webp")

        paths = [path_of(row) for row in (media, *media.thumbnails.all())]
        assert all(len(str(path)) <= 255 and len(path.name.encode()) <= 255 for path in paths)


@pytest.mark.parametrize(
    ("file_name", "given", "label"),
    [
        ("Summer holiday (1).png", "", "Summer holiday (1).png"),
        ("folder/Summer.png", "", "Summer.png"),
        ("folder\\Summer.png", "", "Summer.png"),
        ("a\0b\r\nc.png", "", "abc.png"),
        ("photo\u202egnp.exe", "", "photognp.exe"),
        ("می\u200cخواهم.png", "", "می\u200cخواهم.png"),
        ("x" * 300, "", "x" * 255),
        ("", "", "file"),
        ("a.png", "  A day \0at the beach ", "A day at the beach"),
        ("a.png", " \n ", "a.png"),
        ("a.png", "y" * 300, "y" * 255),
        ("a.png", "<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_labels_a_file(file_name: str, given: str, label: str) -> None:
    file = ContentFile(draw())
    file.name = file_name

    media = store_upload(file, name=given)

    media.refresh_from_db()
    assert media.name == label


class Broken(Exception):
    pass


def failing_save(monkeypatch: pytest.MonkeyPatch, at: int, error: BaseException) -> None:
    """Let the storage fail at the given file, counted from 1, with half of it on the disk."""
    save, calls = FileSystemStorage._save, iter(range(1, 100))  # type: ignore[attr-defined]

    def fail(storage: FileSystemStorage, name: str, content: File[bytes]) -> str:
        if next(calls) == at:
            path = Path(storage.path(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"half")
            raise error
        return save(storage, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", fail)


@pytest.mark.parametrize("at", [1, 2, 5])
@pytest.mark.parametrize("error", [OSError("disk full"), Broken(), KeyboardInterrupt()])
@pytest.mark.parametrize("wrap", [ContentFile, temporary])
def test_leaves_nothing_where_the_storage_fails(
    wrap: Wrap,
    error: BaseException,
    at: int,
    media_root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing_save(monkeypatch, at, error)
    file = wrap(draw(), name="photo.png")

    with pytest.raises(type(error)) as raised:
        store_upload(file)

    file.close()
    assert raised.value is error
    assert_nothing_is_left(media_root)
    if isinstance(file, TemporaryUploadedFile):
        assert not os.path.exists(file.temporary_file_path())


@pytest.mark.parametrize("manager", [Thumbnail.objects, None])
def test_leaves_nothing_where_the_database_fails(
    manager: models.Manager[Thumbnail] | None, media_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise IntegrityError("anything")

    if manager is None:
        monkeypatch.setattr(Media, "save", fail)
    else:
        monkeypatch.setattr(models.QuerySet, "bulk_create", fail)

    with pytest.raises(IntegrityError, match="anything"):
        upload(draw(), "photo.png")

    assert_nothing_is_left(media_root)


@pytest.mark.django_db(transaction=True)
def test_leaves_nothing_where_the_commit_fails(media_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "commit", fail)

    with pytest.raises(OperationalError, match="gone"):
        upload(draw(), "photo.png")

    assert_nothing_is_left(media_root)


def test_keeps_the_first_error_where_a_file_can_t_be_removed(
    media_root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = OSError("disk full")
    failing_save(monkeypatch, 3, error)
    delete = FileSystemStorage.delete

    def fail_once(storage: FileSystemStorage, name: str) -> None:
        if "thumbnail" not in name:
            raise PermissionError("not yours")
        delete(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", fail_once)

    with pytest.raises(OSError, match="disk full") as raised:
        upload(draw(), "photo.png")

    assert raised.value is error
    assert stored_files(media_root) == [f"core_media/{timezone.now():%Y/%m/%d}/photo.png"]
    assert "photo.png, which an upload that failed has written" in caplog.text


class Watched(InMemoryUploadedFile):
    """A file that notes how much of it is read at once."""

    largest = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = super().read(size)
        self.largest = max(self.largest, len(data))
        return data

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        self.seek(0)
        while data := self.read(64 * 1024):
            yield data


@pytest.mark.parametrize(
    "content",
    [
        WORDS * 200_000,
        b"%PDF-1.7\n" + bytes(5_000_000),
        archive("a.txt") + bytes(5_000_000),
        b"fLaC\0\0\0\x22\x10\0\x10\0" + bytes(5_000_000),
    ],
    ids=["text", "pdf", "zip", "flac"],
)
def test_reads_no_upload_whole(content: bytes) -> None:
    file = Watched(io.BytesIO(content), None, "large.docx", None, len(content), None)

    media = store_upload(file)

    assert media.size == len(content)
    assert file.largest <= 256 * 1024


def test_recognises_files_in_many_threads_at_once() -> None:
    samples = [(content, mime_type) for content, _, _, mime_type, _ in ACCEPTED if mime_type.startswith("image/")] * 20

    with ThreadPoolExecutor(8) as pool:
        found: Iterable[str] = pool.map(lambda sample: detect(ContentFile(sample[0])), samples)

    assert list(found) == [mime_type for _, mime_type in samples]


def test_stores_a_row_with_a_constant_number_of_queries(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(7):  # names of old, the row in a savepoint in that around all, thumbnails
        upload(draw(), "photo.png")
