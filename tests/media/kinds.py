"""A sample of every kind of file that is accepted."""

import gzip
import io
import json
import struct
import wave
import zipfile
from collections.abc import Mapping

from tests.factories import draw

from . import played
from .played import matroska

OPENDOCUMENT = "application/vnd.oasis.opendocument"
ZIP = "application/zip"
OPENXML = "application/vnd.openxmlformats-officedocument"


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


def content_types(main: str, type: str) -> str:
    """Return a list of content types that gives the main part its own."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/{main}" ContentType="{type}"/></Types>'
    )


def office(main: str, type: str, *others: str, **texts: str) -> bytes:
    """Pack an Office document with its main part, which is of that type (`.main+xml`, where it is one of OpenXML)."""
    type = f"{OPENXML}.{type}.main+xml" if "/" not in type else type
    parts = {"[Content_Types].xml": content_types(main, type), "_rels/.rels": "<a/>", **dict.fromkeys(others, "<a/>")}
    return packed({**parts, main: "<a/>", **texts})


def office_out_of_order(main: str, type: str) -> bytes:
    """Pack a document with its parts in an order that libmagic doesn't know."""
    parts = ("docProps/thumbnail.jpeg", "_rels/.rels", "docProps/app.xml", main)
    return packed({"[Content_Types].xml": content_types(main, f"{OPENXML}.{type}.main+xml")} | dict.fromkeys(parts, ""))


def packed(parts: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as writer:
        for name, content in parts.items():
            writer.writestr(name, content)
    return file.getvalue()


def compound(stream: str, padding: int = 0, storage: str = "") -> bytes:
    """Return a file as old Office programs wrote it, with its directory behind `padding` sectors of 512 bytes.

    `storage` is the name of a second entry beside the stream.
    """
    free, end, table_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    directory, table = 8 + padding, 9 + padding

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = name.encode("utf-16-le") + b"\0\0"
        head = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return (head + bytes(36) + struct.pack("<IQ", start, size)).ljust(128, b"\0")

    entries = entry("Root Entry", 5, 1, end, 0) + entry(stream, 2, free, 0, 4096)
    if storage:
        entries += entry(storage, 1, free, end, 0)
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


def iso_media(brand: bytes, handler: bytes = b"vide") -> bytes:
    return played.film(played.track(handler), brand=brand)


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
Sample = tuple[bytes, str, str, str, str]  # content, name, type, MIME type, extension
WORD = ("document", f"{OPENXML}.wordprocessingml.document", "docx")
EXCEL = ("document", f"{OPENXML}.spreadsheetml.sheet", "xlsx")
OFFICE: list[Sample] = [
    (office(main, name), f"a.{extension}", "document", f"{OPENXML}.{name}", extension)
    for main, name, extension in (
        ("word/document.xml", "wordprocessingml.document", "docx"),
        ("word/document.xml", "wordprocessingml.template", "dotx"),
        ("xl/workbook.xml", "spreadsheetml.sheet", "xlsx"),
        ("xl/workbook.xml", "spreadsheetml.template", "xltx"),
        ("ppt/presentation.xml", "presentationml.presentation", "pptx"),
        ("ppt/presentation.xml", "presentationml.template", "potx"),
        ("ppt/presentation.xml", "presentationml.slideshow", "ppsx"),
    )
]
SCENE = b"PXR-USDC" + bytes(80)
GLB_JSON = b'{"asset": {"version": "2.0"}}   '
LOTTIE = b'{"v": "5.7.4", "fr": 30, "ip": 0, "op": 60, "w": 10, "h": 10, "layers": []}\n'
DESIGNS: list[Sample] = [
    (packed({"document.json": "{}", "meta.json": "{}", "pages/1.json": "{}"}), "a.sketch", "other", ZIP, "sketch"),
    (packed({"mimetype": "application/vnd.adobe.sparkler.project+dcxucf"}), "a.xd", "other", ZIP, "xd"),
    (packed({"canvas.fig": b"fig-kiwi", "meta.json": "{}"}), "a.fig", "other", ZIP, "fig"),
    (b"fig-kiwi" + bytes(100), "a.fig", "other", ZIP, "fig"),
    (packed({"Document.archive": b"bplist00", "video/a": b""}), "a.procreate", "other", ZIP, "procreate"),
    (packed({"chair.usdc": SCENE}, zipfile.ZIP_STORED), "a.usdz", "other", "model/vnd.usdz+zip", "usdz"),
    (packed({"3D/3dmodel.model": "<model/>"}), "a.3mf", "other", "model/3mf", "3mf"),
    (
        packed({"[Content_Types].xml": content_types("3D/a.model", "application/vnd.ms-model"), "3D/a.model": "<a/>"}),
        "a.3mf",
        "other",
        "model/3mf",
        "3mf",
    ),
    *(
        (
            packed({"Index/Document.iwa": b"\0" * 9, "Metadata/Properties.plist": b"bplist00"}),
            f"a.{extension}",
            "document",
            f"application/vnd.apple.{name}",
            extension,
        )
        for extension, name in (("key", "keynote"), ("pages", "pages"), ("numbers", "numbers"))
    ),
    (
        packed({"manifest.json": '{"version": "1.0"}', "animations/a.json": LOTTIE}),
        "a.lottie",
        "other",
        "application/zip+dotlottie",
        "lottie",
    ),
    (LOTTIE, "a.lottie", "other", "video/lottie+json", "lottie"),
    (LOTTIE, "a.json", "other", "application/json", "json"),
    (b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "a.ai", "other", "application/illustrator", "ai"),
    (b"8BPS\0\1" + bytes(40), "a.psd", "other", "image/vnd.adobe.photoshop", "psd"),
    (b"8BPS\0\2" + bytes(40), "a.psb", "other", "image/vnd.adobe.photoshop", "psb"),
    (
        b"glTF" + struct.pack("<IIII", 2, 20 + len(GLB_JSON), len(GLB_JSON), 0x4E4F534A) + GLB_JSON,
        "a.glb",
        "other",
        "model/gltf-binary",
        "glb",
    ),
    (b'{"asset": {"version": "2.0"}}', "a.gltf", "other", "model/gltf+json", "gltf"),
    (b"# a triangle\nv 0 0 0\nv 1 0 0\nv 0 1.5 -2e-3\nf 1 2 3\n", "a.obj", "other", "model/obj", "obj"),
    (b"solid a\nfacet normal 0 0 1\nendfacet\nendsolid a\n", "a.stl", "other", "model/stl", "stl"),
    (b"solid by a program".ljust(80) + struct.pack("<I", 2) + bytes(100), "a.stl", "other", "model/stl", "stl"),
    (b'TITLE "Dusk"\nLUT_3D_SIZE 2\n0 0 0\n', "a.cube", "other", "text/plain", "cube"),
    (b"wOF2\0\1\0\0" + bytes(60), "a.woff2", "other", "font/woff2", "woff2"),
    (b"wOFF\0\1\0\0" + bytes(60), "a.woff", "other", "font/woff", "woff"),
    (b"\0\1\0\0\0\x0a\0\x80\0\3\0\x20OS/2" + bytes(60), "a.ttf", "other", "font/ttf", "ttf"),
    (b"OTTO\0\x0a\0\x80\0\3\0\x20CFF " + bytes(60), "a.otf", "other", "font/otf", "otf"),
    (b"\0\1\0\0\0\x0a\0\x80\0\3\0\x20OS/2" + bytes(60), "a.otf", "other", "font/otf", "otf"),
]
ACCEPTED: list[Sample] = [
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
    (b"1\n00:00:00,000 --> 00:00:02,000\nHello\n", "a.srt", "document", "text/plain", "srt"),
    (b"WEBVTT\n\n00:00.000 --> 00:02.000\nHello\n", "a.vtt", "document", "text/vtt", "vtt"),
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
    *OFFICE,
    (office("word/document.xml", "wordprocessingml.document"), "a", *WORD),
    (office_out_of_order("word/document.xml", "wordprocessingml.document"), "a.docx", *WORD),
    (office_out_of_order("xl/workbook.xml", "spreadsheetml.sheet"), "a.XLSX", *EXCEL),
    *(
        (opendocument(f"{OPENDOCUMENT}.{name}"), f"a.{extension}", "document", f"{OPENDOCUMENT}.{name}", extension)
        for name, extension in (
            ("text-template", "ott"),
            ("spreadsheet-template", "ots"),
            ("presentation-template", "otp"),
            ("graphics", "odg"),
            ("graphics-template", "otg"),
        )
    ),
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
    *DESIGNS,
    (archive("a.txt"), "a.zip", "archive", "application/zip", "zip"),
    (archive("a.txt"), "a.docx", "archive", "application/zip", "zip"),
    (gzip.compress(WORDS), "a.tar.gz", "archive", "application/gzip", "gz"),
    (b"7z\xbc\xaf\x27\x1c\0\4" + bytes(60), "a.7z", "archive", "application/x-7z-compressed", "7z"),
    (iso_media(b"isom"), "a.mp4", "video", "video/mp4", "mp4"),
    (iso_media(b"mp42"), "a.MP4", "video", "video/mp4", "mp4"),
    (iso_media(b"M4V "), "a.m4v", "video", "video/mp4", "m4v"),
    (iso_media(b"3gp5"), "a.mp4", "video", "video/mp4", "mp4"),
    (iso_media(b"qt  "), "a.mov", "video", "video/quicktime", "mov"),
    (played.ftyp(b"XAVC") + played.moov(played.track()), "a.mp4", "video", "video/mp4", "mp4"),
    (matroska(b"webm"), "a.webm", "video", "video/webm", "webm"),
    (matroska(b"matroska"), "a.mkv", "video", "video/x-matroska", "mkv"),
    (ogg(b"\x80theora"), "a.ogg", "video", "video/ogg", "ogv"),
    (b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + b"\xff\xfb\x90\x64" + bytes(413), "a.mp3", "audio", "audio/mpeg", "mp3"),
    ((b"\xff\xfb\x90\x64" + bytes(413)) * 3, "a.mp3", "audio", "audio/mpeg", "mp3"),
    (iso_media(b"M4A ", b"soun"), "a.m4a", "audio", "audio/mp4", "m4a"),
    (iso_media(b"isom", b"soun"), "a.mp4", "audio", "audio/mp4", "m4a"),
    (played.aac_frame() * 3, "a.aac", "audio", "audio/aac", "aac"),
    (played.aiff(), "a.aiff", "audio", "audio/aiff", "aiff"),
    (matroska(b"webm", [2]), "a.webm", "audio", "audio/webm", "weba"),
    (matroska(b"matroska", [2]), "a.mkv", "audio", "audio/x-matroska", "mka"),
    (ogg(b"\1vorbis"), "a.ogg", "audio", "audio/ogg", "ogg"),
    (ogg(b"OpusHead"), "a.opus", "audio", "audio/ogg", "opus"),
    (sound(), "a.wav", "audio", "audio/wav", "wav"),
    (b"fLaC\0\0\0\x22\x10\0\x10\0" + bytes(30), "a.flac", "audio", "audio/flac", "flac"),
]
