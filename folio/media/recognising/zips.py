"""What a ZIP holds, and so is."""

from __future__ import annotations  # File[bytes] means something to type checkers only

from django.core.files import File

DIRECTORY_SIZE = 256 * 1024  # bytes at the end of a ZIP in which its list of contents is looked for
MAIN_PARTS = {"docx": b"word/document.xml", "xlsx": b"xl/workbook.xml", "pptx": b"ppt/presentation.xml"}


def is_open_xml(file: File[bytes], extension: str) -> bool:
    """Tell whether a ZIP holds the main part of the Office document that its name promises."""
    if extension not in MAIN_PARTS:
        return False
    file.seek(0)
    signature = file.read(4)
    file.seek(max(0, file.size - DIRECTORY_SIZE))
    directory = file.read(DIRECTORY_SIZE)
    return signature == b"PK\x03\x04" and b"[Content_Types].xml" in directory and MAIN_PARTS[extension] in directory
