"""SVG is told from other files by its first element, whatever stands before it and however it is encoded."""

import pytest

from folio.media.svg.telling import START_SIZE, may_be_svg

from .drawings import drawing

TOLD = {
    "plain": drawing(),
    "without-its-namespace": b"<svg/>",
    "prefixed": b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>',
    "declared": b'<?xml version="1.0"?>\r\n' + drawing(),
    "spaces": b" \r\n\t" + drawing(),
    "mark": b"\xef\xbb\xbf" + drawing(),
    "mark-and-line": b"\xef\xbb\xbf\n" + drawing(),
    "comments": b"<!-- <html> --><?a b?>\n<!-- c -->" + drawing(),
    "long-comment": b"<!-- " + b"x" * 30_000 + b" -->" + drawing(),
    "utf-16": drawing().decode().encode("utf-16"),
    "utf-16-be": b"\xfe\xff" + drawing().decode().encode("utf-16-be"),
    "utf-16-without-a-mark": drawing().decode().encode("utf-16-le"),
    "doctype": b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/'>" + drawing(),
    "entities": b"<!DOCTYPE svg [ <!ENTITY a 'b'> ]>" + drawing(),
}
OTHERS = {
    "nothing": b"",
    "text": b"svg and words",
    "page": b"<!DOCTYPE html><svg></svg>",
    "page-without-a-doctype": b"<html><svg></svg></html>",
    "other-xml": b"<?xml version='1.0'?><a><svg/></a>",
    "longer-name": b"<svgs/>",
    "capitals": b"<SVG></SVG>",
    "words-before": b"words " + drawing(),
    "unclosed-comment": b"<!-- " + drawing(),
    "png": b"\x89PNG\r\n\x1a\n" + drawing(),
}


@pytest.mark.parametrize("name", TOLD)
def test_tells_svg(name: str) -> None:
    assert may_be_svg(TOLD[name][:START_SIZE])


@pytest.mark.parametrize("name", OTHERS)
def test_takes_nothing_else_for_svg(name: str) -> None:
    assert not may_be_svg(OTHERS[name])
