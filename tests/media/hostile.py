"""Uploads that mean harm, or that came to harm: files and whole bodies, and what is to become of each."""

import base64
import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from tests.factories import draw

from .crafted import (
    EDGE,
    PIXEL,
    apng,
    chunk,
    deflated_tiff,
    extended_webp,
    gif,
    header,
    huge_avif,
    huge_jpeg,
    huge_webp,
    jpeg_with,
    jpeg_with_profile,
    noise,
    overwritten,
    png,
    png_of_one_colour,
    sub_blocks,
    texts,
    tiff,
    tiff_of_pages,
    truncated,
    with_size,
    zeros_deflated,
)
from .svg.drawings import SVG as NAMESPACE
from .svg.drawings import bomb as drawn_without_end
from .svg.drawings import drawing

BOUNDARY = "part-of-an-upload"
FORM = f"multipart/form-data; boundary={BOUNDARY}"

MEGABYTES = 12 * 1024 * 1024  # bytes of what no picture needs
FRAMES = 100_000

DAMAGED = "damaged or incomplete"
PIXELS = "pixels"
FRAME_COUNT = "frames"
METADATA = "colour profile, camera data and texts"
NOT_ACCEPTED = "not accepted. Accepted are"
EMPTY = "file is empty"
CLAIM = "but its content is none"
MACROS = "macros are not accepted"
NO_FILE = "No file was submitted"


@dataclass(frozen=True)
class Hostile:
    """A file and its name; it is refused with a reason, or harmless as `stored_as` and served as that alone.

    `reason` is a part of the refusal's message, `why` says what makes it harmless.
    """

    name: str
    file_name: str
    make: Callable[[], bytes]
    reason: str = ""
    stored_as: str = ""
    why: str = ""

    @property
    def content(self) -> bytes:
        return self.make()


@dataclass(frozen=True)
class HostileBody:
    """A request's body that isn't one file in a form; `reason` is a part of the answer."""

    name: str
    make: Callable[[], bytes]
    reason: str
    content_type: str = FORM

    @property
    def content(self) -> bytes:
        return self.make()


# Bodies


def part(name: str, content: bytes, file_name: str | None = None, *headers: bytes) -> bytes:
    """Return one part of a form, as a client that escapes nothing but quotes and line breaks writes it."""
    disposition = f'Content-Disposition: form-data; name="{name}"'.encode()
    if file_name is not None:
        escaped = file_name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        disposition += b'; filename="' + escaped.encode("utf-8", "surrogatepass") + b'"'
    return b"\r\n".join((f"--{BOUNDARY}".encode(), disposition, *headers, b"", content, b""))


def form(*parts: bytes) -> bytes:
    return b"".join((*parts, f"--{BOUNDARY}--\r\n".encode()))


def form_with(file_name: str, content: bytes) -> bytes:
    return form(part("file", content, file_name, b"Content-Type: application/octet-stream"))


# What is no picture at all

SCRIPT = "<script>alert(1)</script>"
SVG = f'<svg xmlns="http://www.w3.org/2000/svg">{SCRIPT}<path d="M0 0 9 9 0 9"/></svg>'
HTML = f"<!DOCTYPE html><html><body>{SCRIPT}</body></html>".encode()
PHP = b"<?php system($_GET['c']); ?>"
EXE = b"MZ" + b"\x90\0" * 29 + struct.pack("<I", 64) + b"\0\0PE\0\0\x4c\1" + bytes(300)
ELF = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHI", 2, 62, 1) + bytes(200)
PROGRAMS: dict[str, tuple[str, bytes]] = {
    "html": ("page.html", HTML),
    "xml": ("data.xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'),
    "php": ("index.php", PHP),
    "exe": ("setup.exe", EXE),
    "elf": ("tool", ELF),
    "shell": ("run.sh", b"#!/bin/sh\nrm -rf /\n"),
}
# As what each is stored where its name says so.
TEXTS = {"txt": "text/plain", "md": "text/plain", "csv": "text/csv", "vtt": "text/vtt", "json": "application/json"}
APPLICATIONS: dict[str, dict[str, bytes]] = {
    "apk": {"AndroidManifest.xml": b"", "classes.dex": b"dex"},
    "jar": {"META-INF/MANIFEST.MF": b"Main-Class: A", "A.class": b""},
    "ipa": {"Payload/A.app/Info.plist": b""},
    "xpi": {"manifest.json": b'{"manifest_version": 3}'},
}


def entities() -> bytes:
    """Return a drawing that would have a billion letters if its entities were taken for what they stand for."""
    told = "".join(f"<!ENTITY e{number} '" + f"&e{number - 1};" * 10 + "'>" for number in range(1, 10))
    return f'<!DOCTYPE svg [<!ENTITY e0 "x">{told}]><svg xmlns="{NAMESPACE}"><text>&e9;</text></svg>'.encode()


def packed(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, content in files.items():
            writer.writestr(name, content)
    return file.getvalue()


def gif_and_script() -> bytes:
    """Return a GIF that is a script as well: its width reads as the start of a comment that ends behind the picture."""
    return gif(int.from_bytes(b"/*", "little"), 1) + b"*/=1;alert(1)//"


PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
IS_A_PICTURE = "It is a picture, and served as one: no browser runs or unpacks what else its bytes could be."


def files() -> Iterable[Hostile]:
    """Yield the hostile files."""
    for format in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "TIFF"):
        yield Hostile(f"truncated-{format}", f"photo.{format.lower()}", partial(truncated, format), DAMAGED)
        yield Hostile(f"signature-only-{format}", "photo.png", partial(lambda name: noise(name)[:24], format), DAMAGED)
        yield Hostile(f"empty-{format}", f"photo.{format.lower()}", bytes, EMPTY)
    yield Hostile("corrupt-PNG", "photo.png", lambda: overwritten(noise("PNG")), DAMAGED)
    yield Hostile("corrupt-WEBP", "photo.webp", lambda: noise("WEBP")[:20] + bytes(range(256)) * 9, DAMAGED)
    yield Hostile("corrupt-AVIF", "photo.avif", lambda: noise("AVIF")[:40] + bytes(range(256)) * 9, DAMAGED)
    yield Hostile("corrupt-TIFF", "photo.tiff", lambda: overwritten(deflated_tiff()), DAMAGED)
    yield Hostile("corrupt-JPEG", "photo.jpg", lambda: b"\xff\xd8\xff\xe0" + bytes(500), DAMAGED)
    yield Hostile("corrupt-GIF", "photo.gif", lambda: gif().replace(b"\2\2\x44\1\0", b"\x0d\xff\xff"), DAMAGED)
    yield Hostile("corrupt-BMP", "photo.bmp", lambda: draw(format="BMP")[:14] + b"\xff" * 60, NOT_ACCEPTED)

    yield Hostile("huge-header-PNG", "huge.png", lambda: png(header(EDGE, EDGE), PIXEL), PIXELS)
    yield Hostile("huge-header-JPEG", "huge.jpg", huge_jpeg, PIXELS)
    yield Hostile("huge-header-GIF", "huge.gif", partial(gif, EDGE, EDGE), PIXELS)
    yield Hostile("huge-header-WEBP", "huge.webp", huge_webp, PIXELS)
    yield Hostile("huge-canvas-WEBP", "huge.webp", partial(extended_webp, 0, width=EDGE, height=EDGE), PIXELS)
    yield Hostile("huge-header-BMP", "huge.bmp", lambda: with_size(draw(format="BMP"), 18, "<ii"), PIXELS)
    yield Hostile("huge-header-TIFF", "huge.tif", partial(tiff, EDGE, EDGE), PIXELS)
    yield Hostile("huge-header-AVIF", "huge.avif", huge_avif, DAMAGED)

    yield Hostile("bomb-above-the-limit", "flat.png", partial(png_of_one_colour, 7_400, 7_400), PIXELS)
    yield Hostile(
        "bomb-within-the-limit",
        "flat.png",
        partial(png_of_one_colour, 7_000, 7_000),
        stored_as="image/png",
        why="It has as many pixels as a large photograph, and its 200 MB are held by the one that decodes it alone.",
    )
    for megabytes, size in ((12, MEGABYTES), (64, 64 * 1024 * 1024)):
        bomb = partial(zeros_deflated, size)
        yield Hostile(
            f"bomb-zTXt-of-{megabytes}-MB",
            "text.png",
            partial(lambda bomb: png(header(), chunk(b"zTXt", b"Comment\0\0" + bomb()), PIXEL), bomb),
            METADATA,
        )
        yield Hostile(
            f"bomb-iTXt-of-{megabytes}-MB",
            "text.png",
            partial(lambda bomb: png(header(), chunk(b"iTXt", b"Comment\0\1\0\0\0" + bomb()), PIXEL), bomb),
            METADATA,
        )
        yield Hostile(
            f"bomb-iCCP-of-{megabytes}-MB",
            "profile.png",
            partial(lambda bomb: png(header(), chunk(b"iCCP", b"ICC\0\0" + bomb()), PIXEL), bomb),
            METADATA,
        )
    yield Hostile("profile-of-megabytes-JPEG", "a.jpg", partial(jpeg_with_profile, MEGABYTES), METADATA)
    yield Hostile(
        "profile-of-megabytes-WEBP", "a.webp", lambda: extended_webp(0x20, (b"ICCP", bytes(MEGABYTES))), METADATA
    )
    yield Hostile("profile-of-megabytes-TIFF", "a.tif", lambda: tiff(1, 1, (34675, 7, bytes(MEGABYTES))), METADATA)
    yield Hostile("texts-of-megabytes-PNG", "a.png", lambda: png(header(), texts(MEGABYTES), PIXEL), METADATA)
    yield Hostile("texts-behind-the-pixels-PNG", "a.png", lambda: png(header(), PIXEL, texts(MEGABYTES)), METADATA)
    yield Hostile("texts-of-megabytes-JPEG", "a.jpg", lambda: jpeg_with(*[(0xFE, b"x" * 65_000)] * 190), METADATA)
    yield Hostile(
        "texts-of-megabytes-GIF",
        "a.gif",
        lambda: gif(extensions=b"\x21\xfe" + sub_blocks(b"x" * MEGABYTES)),
        METADATA,
    )
    yield Hostile(
        "texts-of-megabytes-WEBP", "a.webp", lambda: extended_webp(0x04, (b"XMP ", b"x" * MEGABYTES)), METADATA
    )
    yield Hostile("texts-of-megabytes-TIFF", "a.tif", lambda: tiff(1, 1, (270, 2, b"x" * MEGABYTES)), METADATA)
    yield Hostile("frames-GIF", "film.gif", partial(gif, frames=FRAMES), FRAME_COUNT)
    yield Hostile("frames-APNG", "film.png", partial(apng, FRAMES), FRAME_COUNT)
    yield Hostile("pages-TIFF", "book.tif", partial(tiff_of_pages, FRAMES), FRAME_COUNT)
    yield Hostile(
        "directories-in-a-circle-TIFF",
        "circle.tif",
        partial(tiff, next_directory=10),
        stored_as="image/tiff",
        why="Its first picture is whole, and no other is looked for.",
    )
    yield Hostile(
        "bomb-ZIP",
        "files.zip",
        lambda: packed(zeros=bytes(MEGABYTES)),
        stored_as="application/zip",
        why="The server unpacks no archive.",
    )
    yield Hostile(
        "bomb-GZIP",
        "files.gz",
        lambda: gzip.compress(bytes(MEGABYTES)),
        stored_as="application/gzip",
        why="The server unpacks no archive.",
    )

    for name, make, mime_type in (
        ("GIF-and-script", gif_and_script, "image/gif"),
        ("GIF-and-ZIP", lambda: gif() + packed(index=HTML), "image/gif"),
        ("PNG-and-ZIP", lambda: draw() + packed(index=HTML), "image/png"),
        ("PNG-and-HTML", lambda: png(header(), chunk(b"tEXt", b"Comment\0" + HTML), PIXEL), "image/png"),
        ("JPEG-and-PHP", lambda: jpeg_with((0xFE, PHP)), "image/jpeg"),
        ("JPEG-and-HTML", lambda: draw(format="JPEG") + HTML, "image/jpeg"),
        ("BMP-and-script", lambda: draw(format="BMP") + f"*/=1;{SCRIPT}".encode(), "image/bmp"),
    ):
        extension = mime_type.removeprefix("image/")
        yield Hostile(f"polyglot-{name}", f"both.{extension}", make, stored_as=mime_type, why=IS_A_PICTURE)
    yield Hostile("polyglot-HTML-and-PDF", "both.pdf", lambda: HTML + b"\n" + PDF, NOT_ACCEPTED)
    yield Hostile("polyglot-HTML-and-PNG", "both.png", lambda: HTML + draw(), NOT_ACCEPTED)
    yield Hostile("polyglot-PHP-and-GIF", "both.gif", lambda: PHP + gif(), NOT_ACCEPTED)
    yield Hostile("polyglot-shell-and-ZIP", "both.zip", lambda: b"#!/bin/sh\nexit\n" + packed(a=b"a"), NOT_ACCEPTED)
    yield Hostile(
        "polyglot-PDF-and-HTML",
        "both.html",
        lambda: PDF.replace(b"endobj", b"endobj\n" + HTML),
        stored_as="application/pdf",
        why="It begins as a PDF and is served as one; no browser looks for HTML in it.",
    )

    for name, content in (
        ("plain", SVG.encode()),
        ("in-utf16", SVG.encode("utf-16")),
        ("behind-a-comment", f"<!-- {'x' * 3000} -->{SVG}".encode()),
    ):
        for shown in ("drawing.svg", "photo.php.jpg", "page.html"):
            why = "It is written anew without its script, and served as what it is, under a policy that runs none."
            file = partial(bytes, content)
            yield Hostile(f"svg-{name}-as-{shown}", shown, file, stored_as="image/svg+xml", why=why)
    yield Hostile("svg-with-a-doctype", "drawing.svg", lambda: b"<!DOCTYPE svg>" + SVG.encode(), "DOCTYPE")
    yield Hostile("svg-with-entities", "drawing.svg", entities, "DOCTYPE")
    yield Hostile("svg-drawn-without-end", "drawing.svg", drawn_without_end, "each as often as it is drawn")
    yield Hostile("svg-that-loads", "drawing.svg", lambda: drawing('<use href="//a.example/b"/>'), "lies outside of it")
    yield Hostile("svg-in-gzip", "drawing.svgz", lambda: gzip.compress(SVG.encode()), "compressed")

    yield from programs()

    for name, file_name in (
        ("of-another-format", "photo.jpg"),
        ("of-a-program", "photo.exe"),
        ("of-a-page", "photo.svg"),
        ("of-a-text", "photo.txt"),
        ("double", "photo.php.png"),
        ("double-behind", "photo.png.php"),
        ("none", "photo"),
    ):
        why = "The content is a picture's, and the stored name ends as one's does, in that extension alone."
        yield Hostile(f"extension-{name}", file_name, draw, stored_as="image/png", why=why)

    for name, file_name in (
        ("up", "../../../etc/passwd.png"),
        ("up-in-windows", "..\\..\\windows\\win.png"),
        ("absolute", "/etc/cron.d/job.png"),
        ("drive", "C:\\photo.png"),
        ("nul", "photo.php\0.png"),
        ("line-breaks", "a\r\nSet-Cookie: b=c.png"),
        ("300-characters", "a" * 296 + ".png"),
        ("300-bytes", "夏" * 100 + ".png"),
        ("right-to-left", "photo\u202egnp.exe"),
        ("emoji", "🎉.png"),
        ("device", "CON.jpg"),
        ("device-without-extension", "aux"),
        ("device-with-more", "com1.tar.png"),
        ("trailing-dots", "photo.png..."),
        ("trailing-spaces", "photo.png   "),
        ("stream", "photo.png::$DATA"),
        ("hidden", ".htaccess"),
        ("home", "~root.png"),
        ("option", "-rf *.png"),
        ("shell", "$(reboot);`reboot`|reboot.png"),
        ("sql", "x';DROP TABLE media_media;--.png"),
        ("markup", f"{SCRIPT}.png"),
        ("format", "%s%n{0}.png"),
    ):
        why = "The content is a picture's; of the name, only letters, digits, `-` and `_` come into the path."
        yield Hostile(f"name-{name}", file_name, draw, stored_as="image/png", why=why)


def programs() -> Iterable[Hostile]:
    """Yield what would run, or unpack without end, under the names of what doesn't."""
    for name, (file_name, content) in PROGRAMS.items():
        for shown in (file_name, "photo.php.jpg", "photo.jpg.php"):
            yield Hostile(f"program-{name}-as-{shown}", shown, partial(bytes, content), NOT_ACCEPTED)

    for name, (_, content) in PROGRAMS.items():
        if name in {"exe", "elf"}:
            yield Hostile(f"program-{name}-as-text", "notes.txt", partial(bytes, content), NOT_ACCEPTED)
            continue
        for extension, mime_type in TEXTS.items():
            yield Hostile(
                f"program-{name}-as-{extension}",
                f"notes.{extension}",
                partial(bytes, content),
                stored_as=mime_type,
                why="It is served as the text that it is named as, for download; nothing takes it for a page.",
            )
    for name, parts in APPLICATIONS.items():
        for extension in ("zip", "sketch"):
            yield Hostile(f"program-{name}-as-{extension}", f"a.{extension}", partial(packed, **parts), NOT_ACCEPTED)
    macros = {"word/document.xml": b"", "word/vbaProject.bin": b"", "[Content_Types].xml": b"<Types/>"}
    yield Hostile("macros-in-DOCX", "letter.docx", lambda: packed(**macros), MACROS)
    for extension, part in (("docx", "[Content_Types].xml"), ("odt", "mimetype"), ("zip", "manifest.json")):
        yield Hostile(
            f"bomb-as-{extension}",
            f"files.{extension}",
            partial(lambda part: packed(**{part: bytes(MEGABYTES)}), part),
            stored_as="application/zip",
            why="Of a part that tells what an archive is, no more than a megabyte is unpacked.",
        )
    yield Hostile("PDF-as-picture", "photo.png", partial(bytes, PDF), CLAIM)
    yield Hostile("text-as-picture", "photo.jpg", lambda: b"Some words.\n" * 9, CLAIM)


FILES = list(files())


def picture(name: str = "file", file_name: str | None = "photo.png", *headers: bytes) -> bytes:
    return part(name, draw(), file_name, *headers)


def cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def disposed(disposition: bytes) -> bytes:
    """Return a form whose file is announced in these words."""
    return form(f"--{BOUNDARY}\r\n".encode() + b"Content-Disposition: " + disposition + b"\r\n\r\n" + draw() + b"\r\n")


BODIES = [
    HostileBody("nothing", bytes, NO_FILE),
    HostileBody("no-part", form, NO_FILE),
    HostileBody("no-file", lambda: form(part("name", b"photo")), NO_FILE),
    HostileBody("misnamed", lambda: form(picture("files")), "Unknown field. Did you mean file?"),
    HostileBody("misnamed-in-capitals", lambda: form(picture("File")), "Unknown field. Did you mean file?"),
    HostileBody(
        "misnamed-beside-the-file", lambda: form(picture(), picture("files")), "Unknown field. Did you mean file?"
    ),
    HostileBody("repeated", lambda: form(picture(), picture()), "Give this field once, not 2 times."),
    HostileBody(
        "repeated-label-of-a-file", lambda: form(picture(), part("alt", b"a"), part("alt", b"b")), "not 2 times"
    ),
    HostileBody("repeated-label", lambda: form(part("name", b"a"), part("name", b"b")), NO_FILE),
    HostileBody("without-a-name", lambda: disposed(b'form-data; filename="photo.png"'), NO_FILE),
    HostileBody("without-a-file-name", lambda: form(picture(file_name=None)), "was not a file"),
    HostileBody("with-an-empty-file-name", lambda: form(picture(file_name="")), "was not a file"),
    HostileBody("called-two-dots", lambda: form(picture(file_name="..")), NO_FILE),
    HostileBody("file-as-label", lambda: form(picture(), picture("name")), "name"),
    HostileBody(
        "without-disposition", lambda: form(picture()).replace(b"Content-Disposition", b"X-Disposition"), NO_FILE
    ),
    HostileBody(
        "name-in-no-charset", lambda: disposed(b"form-data; name=\"file\"; filename*=no-such''a%20b.png"), NO_FILE
    ),
    HostileBody(
        "header-of-kilobytes",
        lambda: form(picture("file", "photo.png", b"X-Padding: " + b"x" * 5_000)),
        "can't be read",
    ),
    HostileBody(
        "no-base64",
        lambda: form(part("file", b"!" * 99, "a.png", b"Content-Transfer-Encoding: base64")),
        "can't be read",
    ),
    HostileBody(
        "page-in-base64",
        lambda: form(part("file", base64.b64encode(HTML), "a.png", b"Content-Transfer-Encoding: base64")),
        NOT_ACCEPTED,
    ),
    HostileBody("cut-off", lambda: cut(form(picture())), "closing boundary"),
    HostileBody("cut-off-in-a-field", lambda: cut(form(picture(), part("alt", b"half of it"))), "closing boundary"),
    HostileBody("never-ended", lambda: form(part("file", b"Some words.\n" * 9, "notes.txt"))[:-30], "closing boundary"),
    HostileBody("101-files", lambda: form(*[picture()] * 101), "fields or files"),
    HostileBody("label-of-megabytes", lambda: form(picture(), part("name", b"x" * 3_000_000)), "too large"),
    HostileBody("label-that-is-no-text", lambda: form(picture(), part("name", b"a\0b")), "name"),
    HostileBody("no-boundary", lambda: form(picture()), "boundary", "multipart/form-data"),
    HostileBody("empty-boundary", lambda: form(picture()), "boundary", "multipart/form-data; boundary="),
    HostileBody("other-boundary", lambda: form(picture()), "closing boundary", "multipart/form-data; boundary=other"),
    HostileBody("boundary-of-300", lambda: form(picture()), "boundary", f"multipart/form-data; boundary={'x' * 300}"),
    HostileBody("bare", draw, "Unsupported media type", "image/png"),
    HostileBody("json", lambda: json.dumps({"file": "a"}).encode(), "Unsupported media type", "application/json"),
    HostileBody("urlencoded", lambda: b"file=a", "Unsupported media type", "application/x-www-form-urlencoded"),
    HostileBody("no-type", lambda: form(picture()), "Unsupported media type", ""),
]
