"""IPTC's Information Interchange Model (IIM), which agencies' programs write, and Photoshop's resources around it."""

import re
import struct

from .texts import tidy

PHOTOSHOP = b"Photoshop 3.0\0"  # how a JPEG's segment of Photoshop's resources begins
RESOURCE = b"8BIM"
IPTC_RESOURCE = 0x0404
DATASET = 0x1C  # what each begins with
MAX_DATASETS = 10_000  # that are looked through
MAX_KEPT = 50
CHARACTER_SET = (1, 90)
UTF_8 = b"\x1b%G"
ESCAPES = re.compile(rb"(?:\x1b[\x20-\x2f]{1,3}[\x30-\x7e]){1,8}")  # of ISO 2022, by which other sets are named
RECORD_VERSION = (2, 0)
# By-line, credit, source, copyright notice: of the source, IIM says that it is the owner of the content.
RIGHTS = {(2, 80), (2, 110), (2, 115), (2, 116)}


def iptc_of(resources: bytes | bytearray) -> bytes:
    """Return the IPTC data among Photoshop's resources; no bytes where there are none, or damaged ones before them."""
    place = 0
    while resources[place : place + 4] == RESOURCE and place + 12 <= len(resources):
        (kind,) = struct.unpack_from(">H", resources, place + 4)
        place += 6 + (resources[place + 6] + 2) // 2 * 2  # a name with its length, even together
        if place + 4 > len(resources):
            break
        (size,) = struct.unpack_from(">I", resources, place)
        place += 4
        if kind == IPTC_RESOURCE:
            return bytes(resources[place : place + size])
        place += size + size % 2
    return b""


def rights_of_iptc(data: bytes) -> bytes:
    """Return IPTC data anew with creator, credit, source and copyright alone; no bytes where there are none."""
    character_set = b""
    kept: list[tuple[tuple[int, int], bytes]] = []
    for dataset, value in datasets(data):
        if dataset == CHARACTER_SET and ESCAPES.fullmatch(value):
            character_set = value
        elif dataset in RIGHTS and len(kept) < MAX_KEPT:
            kept.append((dataset, value))
    texts = [(dataset, tidied(value, character_set)) for dataset, value in kept]
    written = b"".join(encoded(dataset, text) for dataset, text in texts if text)
    if not written:
        return b""
    start = encoded(CHARACTER_SET, character_set) if character_set else b""
    return start + encoded(RECORD_VERSION, b"\0\4") + written


def datasets(data: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """Return records' and datasets' numbers with the values, up to the first damaged one."""
    found: list[tuple[tuple[int, int], bytes]] = []
    place = 0
    while place + 5 <= len(data) and data[place] == DATASET and len(found) < MAX_DATASETS:
        record, number, size = struct.unpack_from(">BBH", data, place + 1)
        place += 5
        if size & 0x8000:  # a long one: so many bytes tell its size
            width = size & 0x7FFF
            size = int.from_bytes(data[place : place + width]) if width <= 4 else len(data)
            place += width
        if place + size > len(data):
            break
        found.append(((record, number), data[place : place + size]))
        place += size
    return found


def tidied(value: bytes, character_set: bytes) -> bytes:
    """Return a text as far as it is kept; one with escapes in it as it is, for they are control characters."""
    if character_set not in (b"", UTF_8) and b"\x1b" in value:
        return value if ESCAPED.fullmatch(value) else b""
    return tidy(value.decode(errors="ignore").encode() if character_set == UTF_8 else value)


ESCAPED = re.compile(rb"[\t\n\r\x1b\x20-\xff]{1,4000}")


def encoded(dataset: tuple[int, int], value: bytes) -> bytes:
    return struct.pack(">BBBH", DATASET, *dataset, len(value)) + value


def resource(data: bytes) -> bytes:
    """Return IPTC data as the one resource of a JPEG's segment."""
    head = PHOTOSHOP + RESOURCE + struct.pack(">HHI", IPTC_RESOURCE, 0, len(data))
    return head + data + bytes(len(data) % 2)
