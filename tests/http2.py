"""A request over HTTP/2, spoken as far as a test needs it: without TLS, one stream, headers that are not compressed."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, CLOSING, WINDOW = 0x0, 0x1, 0x4, 0x6, 0x7, 0x8
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1


def frame(kind: int, flags: int, stream: int, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content))[1:] + struct.pack(">BBI", kind, flags, stream) + content


def text(value: str) -> bytes:
    """Return a text as HPACK has it: a length of a prefix of seven bits, and bytes without Huffman's code."""
    data = value.encode()
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, length = len(data) - 127, b"\x7f"
    while rest >= 128:
        length += bytes([rest % 128 + 128])
        rest //= 128
    return length + bytes([rest]) + data


def block(headers: dict[str, str]) -> bytes:
    return b"".join(b"\0" + text(name) + text(value) for name, value in headers.items())


def ask(
    port: int, method: str, path: str, headers: dict[str, str], *pieces: bytes, trailers: dict[str, str] | None = None
) -> bytes:
    """Return the body of the answer to a request with these pieces of a body, which has no length unless it is told."""
    pseudo = {":method": method, ":scheme": "http", ":path": path, ":authority": "localhost"}
    frames = [frame(SETTINGS, 0, 0)]
    parts = [(HEADERS, END_HEADERS, block({**pseudo, **headers})), *((DATA, 0, piece) for piece in pieces)]
    if trailers:
        parts.append((HEADERS, END_HEADERS, block(trailers)))
    for number, (kind, flags, content) in enumerate(parts, start=1):
        frames.append(frame(kind, flags | (END_STREAM if number == len(parts) else 0), 1, content))
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection, connection.makefile("rb") as answers:
        connection.sendall(PREFACE + b"".join(frames))
        body = b""
        while True:
            head = answers.read(9)
            size, (kind, flags, stream) = int.from_bytes(head[:3], "big"), struct.unpack(">BBI", head[3:])
            content = answers.read(size)
            assert kind != CLOSING, content
            if kind == SETTINGS and not flags & ACK:
                connection.sendall(frame(SETTINGS, ACK, 0))
            if kind == DATA:
                body += content
            if stream == 1 and kind in {DATA, HEADERS} and flags & END_STREAM:
                return body
