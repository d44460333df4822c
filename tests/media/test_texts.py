"""A text that is named as one stays one, whatever its words look like, and is served as nothing else."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from folio.media.errors import UploadRefused
from folio.media.recognising import texts
from folio.media.uploads import store_upload

from .kinds import LOTTIE, sound
from .stored import Wrap, assert_nothing_is_left, content_of, path_of, temporary, upload
from .test_refused_uploads import TEXTS

pytestmark = pytest.mark.django_db

SERVED = {
    "md": "text/plain",
    "markdown": "text/plain",
    "txt": "text/plain",
    "log": "text/plain",
    "srt": "text/plain",
    "csv": "text/csv",
    "vtt": "text/vtt",
    "json": "application/json",
}
WORDS: dict[str, bytes] = {
    **TEXTS,
    "markdown-with-html": b'# sharp\n\n<picture><img src="a.svg"></picture>\n\n```js\nimport s from "s";\n```\n',
    "csv-with-cells-of-html": b'name,text\n"A","<p>Hello</p>"\n"B","<script>alert(1)</script>"\n',
    "mail": b"From: Ada <ada@example.com>\nDate: Mon, 2 Mar 2026 10:00:00 +0000\nSubject: Notes\n\nHello\n",
    "mailbox": b"From ada Mon Mar  2 10:00:00 2026\n\nHello\n",
    "java": b"import java.util.List;\npublic class A {}\n",
    "diff": b"--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n",
    "of-gif": b"GIF89a is a format of 1989; GIF87a, of 1987.\n" * 9,
    "of-bmp": b"BMI and weight\n" * 9,
    "of-id3": b"ID3 tags\n" * 9,
    "of-psd": b"8BPS begins a PSD\n" * 9,
    "of-zip": b"PK are the initials of Phil Katz\n" * 9,
    "of-pdf": b"How to write %PDF-1.7\n",
    "one-letter": b"x",
    "line-break": b"\n",
    "colours-of-a-terminal": b"\x1b[31mERROR\x1b[0m no such file\n",
    "end-of-file-of-dos": b"Some words.\r\n\x1a",
}
ENCODED: dict[str, tuple[bytes, str]] = {
    "ascii": (b"Hello.\n", "; charset=utf-8"),
    "utf-8": ("سلام، دنیا\n".encode() * 20_000, "; charset=utf-8"),
    "utf-8-with-mark": ("Grüße\n".encode("utf-8-sig"), "; charset=utf-8"),
    "utf-16": ("Grüße, دنیا\n".encode("utf-16"), "; charset=utf-16le"),
    "utf-16-be": (b"\xfe\xff" + "سلام\n".encode("utf-16-be") * 30_000, "; charset=utf-16be"),
    "utf-16-without-mark": ("Hello there, Grüße.\r\n".encode("utf-16-le"), "; charset=utf-16le"),
    "utf-16-be-without-mark": ("سلام، دنیا\r\n".encode("utf-16-be"), "; charset=utf-16be"),
    "windows-1252": ("Grüße aus Köln – „Straße“\n".encode("cp1252"), ""),
    "windows-1252-at-the-end": (b"caf\xe9", ""),
    "windows-1256": ("سلام ونيا\n".encode("cp1256") * 9, ""),
    "windows-1251": ("Привет, мир\n".encode("cp1251"), ""),
    "shift-jis": ("こんにちは、世界\n".encode("shift_jis") * 9, ""),
    "iso-2022-jp": ("こんにちは\n".encode("iso2022_jp"), "; charset=utf-8"),  # all of it ASCII
    "gb18030": ("你好,世界\n".encode("gb18030") * 9, ""),
    "mac-roman": ("Déjà vu\r".encode("mac_roman"), ""),
}


@pytest.mark.parametrize("extension", SERVED)
@pytest.mark.parametrize("kind", WORDS)
def test_keeps_a_text_that_is_named_as_one(kind: str, extension: str) -> None:
    media = upload(WORDS[kind], f"notes.{extension}")

    assert (path_of(media).name, media.mime_type) == (f"notes.{extension}", SERVED[extension])
    assert content_of(media) == WORDS[kind]
    assert media.type == ("other" if extension == "json" else "document")


@pytest.mark.parametrize("wrap", [ContentFile, temporary])
@pytest.mark.parametrize("kind", ENCODED)
def test_tells_a_text_in_its_encoding(kind: str, wrap: Wrap) -> None:
    content, charset = ENCODED[kind]

    media = store_upload(wrap(content, name="NOTES.TXT"))

    response = Client().get(media.file.url)
    assert response.headers["Content-Type"] == f"text/plain{charset}"
    assert b"".join(response) == content


@pytest.mark.parametrize("extension", SERVED)
def test_serves_a_text_so_that_nothing_runs_it(extension: str) -> None:
    media = upload(TEXTS["html"], f"page.{extension}")

    response = Client().get(media.file.url)
    response.close()

    is_text = SERVED[extension].startswith("text/")
    assert response.headers["Content-Type"] == SERVED[extension] + "; charset=utf-8" * is_text
    assert response.headers["Content-Disposition"] == f'attachment; filename="page.{extension}"'
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_says_the_same_type_of_each_part(media_root: Path) -> None:
    media = upload("Grüße\n".encode("utf-16") * 9, "a.vtt")

    for method, headers in (("get", {}), ("get", {"Range": "bytes=3-9"}), ("head", {})):
        response = getattr(Client(), method)(media.file.url, headers=headers)
        response.close()
        assert response.headers["Content-Type"] == "text/vtt; charset=utf-16le"


@pytest.mark.parametrize(
    "content",
    [
        b"\0",
        bytes(1000),
        b"Some words.\n" * 9 + bytes(range(256)),
        b"\xe9t\xe9\x01\n",
    ],
    ids=["nul", "zeros", "all-bytes", "control"],
)
def test_refuses_as_a_text_what_is_none(content: bytes, media_root: Path) -> None:
    with pytest.raises(UploadRefused, match=r"which is not accepted\. Accepted are"):
        upload(content, "notes.txt")

    assert_nothing_is_left(media_root)


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [(b"%PDF-1.4\n1 0 obj\n", "application/pdf"), (rb"{\rtf1\ansi hello}", "application/rtf"), (sound(), "audio/wav")],
    ids=["pdf", "rtf", "wav"],
)
def test_lets_what_is_no_text_to_its_readers_be_what_it_is(content: bytes, mime_type: str) -> None:
    media = upload(content, "notes.md")

    assert (media.mime_type, path_of(media).suffix) == (mime_type, f".{mime_type[-3:]}")


def test_takes_a_json_for_a_json_by_its_name_alone() -> None:
    assert upload(LOTTIE, "motion.txt").mime_type == "text/plain"
    assert upload(b"not [json", "motion.json").mime_type == "application/json"


def test_reads_three_samples_of_a_text_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    class Counted(ContentFile):  # type: ignore[type-arg]
        def read(self, *args: Any) -> Any:
            data = super().read(*args)
            reads.append(len(data))
            return data

    file = Counted("سلام، دنیا\n".encode() * 500_000)
    assert texts.named_text(file, "a.txt") is not None
    assert len(reads) == 3
    assert max(reads) <= texts.SAMPLE_SIZE + 1


def test_a_character_cut_by_a_sample_is_none_in_another_encoding() -> None:
    for shift in range(4):
        content = b"x" * shift + "🎉".encode() * 100_000
        assert texts.encoding_of(texts.samples_of(ContentFile(content))) == "utf-8"
        assert texts.encoding_of([content[: 64 * 1024]], is_cut=True) == "utf-8"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\0\xd8a\0",
        b"\xff\xfeH\0\0\0",
        b"Words.\n" * 100_000 + bytes(60_000),
        b"Words.\n" * 100_000 + bytes(60_000) + b"Words.\n" * 100_000,
        b"\0\0\0\1\0\0\0\2",
    ],
    ids=["half-a-character", "utf-16-with-nul", "binary-behind", "binary-in-the-middle", "unassigned"],
)
def test_tells_no_encoding_of_what_is_no_text(content: bytes) -> None:
    assert texts.encoding_of(texts.samples_of(ContentFile(content))) is None
