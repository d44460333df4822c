"""TIFFs put together by hand, in kinds that no program at hand writes."""

import struct
import zlib
from itertools import product
from typing import Any

import numpy as np

Samples = Any  # numbers, by row, column and channel

SHORT, LONG = 3, 4
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
TYPES = {
    (8, UNSIGNED): "u1",
    (16, UNSIGNED): "u2",
    (32, UNSIGNED): "u4",
    (8, SIGNED): "i1",
    (16, SIGNED): "i2",
    (32, SIGNED): "i4",
    (32, FLOATING): "f4",
}


def packed(samples: Samples, bits: int, kind: int, order: str, predictor: int) -> bytes:
    """Return a strip's, a tile's or a plane's samples as bytes."""
    code = TYPES.get((bits, kind))
    if code:
        numbers = samples.astype(np.dtype(code))
        if predictor == 2:
            numbers[:, 1:] = numbers[:, 1:] - numbers[:, :-1]
        return bytes(numbers.astype(np.dtype(code).newbyteorder(order)).tobytes())  # type: ignore[arg-type]
    rows = ["".join(format(int(value), f"0{bits}b") for value in row.ravel()) for row in samples]
    return b"".join(int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8)) for row in rows)


def parts_of(planes: list[Samples], rows: int, tile: int) -> list[Samples]:
    """Return the planes' strips of so many rows, or their tiles of that edge."""
    parts = []
    for plane in planes:
        height, width, channels = plane.shape
        if not tile:
            parts += [plane[top : top + rows] for top in range(0, height, rows)]
            continue
        for top, left in product(range(0, height, tile), range(0, width, tile)):
            whole = np.zeros((tile, tile, channels))
            part = plane[top : top + tile, left : left + tile]
            whole[: part.shape[0], : part.shape[1]] = part
            parts.append(whole)
    return parts


def tiff(
    samples: Samples,
    bits: int = 8,
    *,
    photometric: int = 2,
    in_planes: bool = False,
    order: str = "<",
    is_deflated: bool = False,
    predictor: int = 1,
    kind: int = UNSIGNED,
    extra: list[int] | None = None,
    rows: int = 0,
    tile: int = 0,
) -> bytes:
    """Return a TIFF of these samples; its strips are of so many rows, or it has tiles of that edge in pixels."""
    height, width, channels = samples.shape
    parts = parts_of(np.split(samples, channels, axis=2) if in_planes else [samples], rows or height, tile)
    contents = [packed(part, bits, kind, order, predictor) for part in parts]
    if is_deflated:
        contents = [zlib.compress(content) for content in contents]
    body, offsets = b"", []
    for content in contents:
        offsets.append(8 + len(body))
        body += content + bytes(len(content) % 2)
    sizes = [len(content) for content in contents]
    tags: dict[int, tuple[int, list[int]]] = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [bits] * channels),
        259: (SHORT, [8 if is_deflated else 1]),
        262: (SHORT, [photometric]),
        277: (SHORT, [channels]),
        284: (SHORT, [2 if in_planes else 1]),
        317: (SHORT, [predictor]),
        339: (SHORT, [kind] * channels),
    }
    if tile:
        tags |= {322: (LONG, [tile]), 323: (LONG, [tile]), 324: (LONG, offsets), 325: (LONG, sizes)}
    else:
        tags |= {273: (LONG, offsets), 278: (LONG, [rows or height]), 279: (LONG, sizes)}
    if extra is not None:
        tags[338] = (SHORT, extra)
    start = 8 + len(body)
    directory, behind = struct.pack(f"{order}H", len(tags)), b""
    for tag, (type, values) in sorted(tags.items()):
        data = struct.pack(order + ("H" if type == SHORT else "I") * len(values), *values)
        directory += struct.pack(f"{order}HHI", tag, type, len(values))
        if len(data) <= 4:
            directory += data.ljust(4, b"\0")
        else:
            directory += struct.pack(f"{order}I", start + 2 + 12 * len(tags) + 4 + len(behind))
            behind += data + bytes(len(data) % 2)
    mark = b"II" if order == "<" else b"MM"
    return mark + struct.pack(f"{order}HI", 42, start) + body + directory + bytes(4) + behind
