"""PDFs of one page, made by hand."""

from collections.abc import Sequence

RED_CORNER = b"1 0 0 rg 0 692 100 100 re f"  # on a page of US Letter, 612 × 792 points: its upper left corner


def pdf(
    content: bytes = RED_CORNER, box: str = "0 0 612 792", page: str = "", more: Sequence[bytes] = (), root: str = ""
) -> bytes:
    """Return a PDF of a page with that content, of that `MediaBox`; `more` objects are numbered from 5."""
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{root}>>".encode(),
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R/Resources<<>>{page}>>".encode(),
        stream(content),
        *more,
    ]
    written, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return written + (
        b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n<</Root 1 0 R/Size %d%b>>\nstartxref\n%d\n%%%%EOF\n"
        % (count, table, count, b"", len(written))
    )


def stream(content: bytes, entries: str = "") -> bytes:
    return b"<</Length %d%b>>stream\n%b\nendstream" % (len(content), entries.encode(), content)


def encrypted() -> bytes:
    """Return a PDF that can't be opened without a password, by what it says of itself."""
    keys = "/O<" + "11" * 32 + ">/U<" + "22" * 32 + ">"
    guard = f"/Encrypt<</Filter/Standard/V 1/R 2/P -4{keys}>>/ID[<00><00>]".encode()
    return pdf().replace(b"/Size 5", b"/Size 5" + guard)
