"""Styles are written anew from what is accepted of them."""

import pytest

from folio.media.opening import UnreadableImage
from folio.media.svg import styles


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("red", "red"),
        ("#ff8800", "#ff8800"),
        ("rgba(1, 2, 3, .5)", "rgba(1, 2, 3, .5)"),
        ("url(#a)", "url(#a)"),
        ("url( '#a' )", "url(#a)"),
        ('url("#a") red', "url(#a) red"),
        ("u\\72l(#a)", "url(#a)"),
        ("/* url(http://a) */ url(#a)", "url(#a)"),
        ("var(--fill-0, blue)", "blue"),
        ("#ff0000 icc-color(a, 1, 2)", "#ff0000"),
        ("'A Font', serif", '"A Font", serif'),
        ("blur(2px) drop-shadow(1px 1px #000)", "blur(2px) drop-shadow(1px 1px #000)"),
    ],
)
def test_keeps_a_value(text: str, kept: str) -> None:
    assert styles.value("fill", text) == kept
    assert styles.value("fill", kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "url(http://a.example)",
        "url(a.svg#b)",
        "u\\72 l('//a.example')",
        "url(#a) url(/b)",
        "image-set('a.png' 1x)",
        "var(--a)",
        "var(--a, url(//b))",
        "expression(a)",
        "oklch(0.6 0.2 30)",
        "'<b>'",
        "{}",
        "(" * 50 + ")" * 50,
        "drop-shadow(" * 50,
        "a;b",
        "@import",
    ],
)
def test_refuses_a_value(text: str) -> None:
    with pytest.raises(UnreadableImage, match=r"lies outside of it|a style that is not accepted"):
        styles.value("fill", text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("fill:red;stroke : blue", "fill:red;stroke:blue"),
        ("FILL:red !important", "fill:red !important"),
        ("-inkscape-font-specification:'sans'; fill:red", "fill:red"),
        ("position:fixed;top:0;animation:a 1s;fill:red", "fill:red"),
        ("fill:#f00;fill:color(display-p3 1 0 0)", "fill:#f00"),
        ("no declaration;fill:red;;", "fill:red"),
        ("", ""),
    ],
)
def test_keeps_declarations(text: str, kept: str) -> None:
    assert styles.declarations(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "fill:url(//a)",
        "background-image:url(//a)",
        "cursor:image-set('a' 1x)",
        "--a:b",
        "@import 'a'",
        "fill:lab(1 2 3)",
    ],
)
def test_refuses_declarations(text: str) -> None:
    with pytest.raises(UnreadableImage):
        styles.declarations(text)


def test_a_newer_colour_is_left_out_where_an_attribute_tells_another() -> None:
    assert styles.declarations("fill:lab(1 2 3)", frozenset(["fill"])) == ""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (".a,.b>c#d{fill:red}", ".a,.b>c#d{fill:red}\n"),
        ("a:nth-child(2n + 1):not(.b)[id^='x']{fill:red}", 'a:nth-child(2n + 1):not(.b)[id^="x"]{fill:red}\n'),
        ("@charset 'utf-8';a{fill:red}", "a{fill:red}\n"),
        ("<!-- a{fill:red} -->", "a{fill:red}\n"),
        ("@keyframes a{from{fill:url(//a)}}", ""),
        ("a{animation:b 1s}", ""),
        ("@media (prefers-color-scheme: dark){a{fill:red}}", "@media (prefers-color-scheme: dark){\na{fill:red}\n}\n"),
    ],
)
def test_keeps_rules(text: str, kept: str) -> None:
    assert styles.sheet(text) == kept
    assert styles.sheet(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "@import 'a';",
        "@\\69mport 'a';",
        "@font-face{src:url(a)}",
        "@namespace url(a);",
        "@unknown a;",
        "@media url(a){b{fill:red}}",
        "@media all;",
        "a{fill:red}} b",
        "a|b{fill:red}",
        "a['<']{fill:red}",
        "a:has(b){fill:red}",
        "a{--b:c}",
        "@media all{" * 50 + "a{fill:red}",
    ],
)
def test_refuses_rules(text: str) -> None:
    with pytest.raises(UnreadableImage, match=r"lies outside of it|a style that is not accepted"):
        styles.sheet(text)
