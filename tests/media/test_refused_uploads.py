"""What may run, is unknown, damaged, empty or too large is refused with a reason, and nothing of it stays."""

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import TemporaryUploadedFile
from PIL import Image

from folio.media.errors import UploadRefused, UploadTooLarge
from folio.media.models import Media
from folio.media.uploads import store_upload
from tests.factories import draw

from .stored import Wrap, assert_nothing_is_left, temporary, upload

pytestmark = pytest.mark.django_db

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EXE = b"MZ" + b"\x90\0" * 29 + struct.pack("<I", 64) + b"\0\0PE\0\0\x4c\1" + bytes(300)
TEXTS: dict[str, bytes] = {
    "html": b"<!DOCTYPE html><html><body>x</body></html>",
    "html-late": b"Good day.\n" * 50 + b"<script>alert(1)</script>",
    "html-head-only": b"words before <BODY onload=alert(1)>",
    "html-comment": b"<!-- " + b"x" * 3000 + b" --><h1>x</h1>",
    "hta": b"<hta:application>",
    "svg-in-a-page": f"<!DOCTYPE html>{SVG}".encode(),
    "xml": b'<?xml version="1.0"?><a/>',
    "php": b"<?php system($_GET['c']); ?>",
    "php-short": b"<? system($_GET['c']); ?>",
    "php-late": b"hello\n<?= system($_GET['c']) ?>",
    "jsp": b'<%@ page language="java" %>',
    "python": b"#!/usr/bin/env python\nprint(1)\n",
    "shell": b"#!/bin/sh\nrm -rf /\n",
    "batch": b"@echo off\r\ndel *\r\n",
    "c": b"#include <stdio.h>\nint main(void) { return 0; }\n",
}
BINARIES: dict[str, bytes] = {
    "exe": EXE,
    "elf": b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(200),
    "random": bytes(range(128, 256)) * 8 + bytes(range(16)) * 20,
    "zeros": bytes(100),
}
NAMES = ("photo.jpg", "file.pdf", "file", "file.html", "file.obj", "file.sketch")
CASES = [(kind, name) for kind in (*TEXTS, *BINARIES) for name in NAMES]
CASES += [(kind, f"file.{extension}") for kind in BINARIES for extension in ("txt", "md", "csv", "json", "vtt")]


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_refuses_what_may_run_and_what_is_unknown(kind: str, name: str, media_root: Path) -> None:
    with pytest.raises(UploadRefused) as refusal:
        upload((TEXTS | BINARIES)[kind], name)

    assert (
        "not accepted. Accepted are: jpg, png, gif, webp, avif, bmp, tif, svg, txt, csv, json, pdf,"
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
    ids=["mail", "php", "pdf"],
)
def test_says_of_what_libmagic_has_no_name_for_what_it_looks_like(content: bytes) -> None:
    with pytest.raises(UploadRefused, match="looks like a web page or a script") as refusal:
        upload(content, "notes")

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
