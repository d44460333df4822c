"""What of a drawing is stored, and why one is refused."""

import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folio.media.opening import UnreadableImage
from folio.media.svg.allowing import ELEMENTS, PLAIN
from folio.media.svg.reading import MAX_DEPTH
from folio.media.svg.styles import PROPERTIES
from tests.media.private_files import assert_nothing_private, encode, exif, picture

from .drawings import (
    BODIES,
    LOGOS,
    NAMES,
    SHEETS,
    SVG,
    TOO_LARGE,
    body_of,
    drawing,
    embedded,
    hostile,
    nested,
    rewrite,
)

pytestmark = pytest.mark.any_database

HOSTILE = hostile()
ALIVE = re.compile(
    r"hit|script|<(?!/?(?:svg|g|rect|path|text|title|desc|a|style|use|image|symbol|defs|filter|feImage|linearGradient"
    r"|textPath)\b)|\bon\w+=|xml:base|href=\"(?!#|data:image/(?:png|jpeg|webp);base64,)|url\((?!#)|@(?!media)|<\?|<!",
    re.IGNORECASE,
)


def test_there_are_more_than_a_hundred_hostile_drawings() -> None:
    assert len(HOSTILE) > 250


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_of_a_hostile_drawing_is_alive(name: str) -> None:
    try:
        stored = rewrite(HOSTILE[name]).content
    except UnreadableImage:
        return
    text = re.sub(r"<(text|title|desc)>[^<]*", r"<\1>", stored.decode())  # what is read, it may say
    assert not ALIVE.search(text.replace(f'xmlns="{SVG}"', ""))
    assert rewrite(stored).content == stored


@pytest.mark.parametrize("name", [name for name in BODIES if name.startswith(("script", "animate", "set", "foreign"))])
def test_leaves_out_what_runs_moves_or_is_of_other_languages(name: str) -> None:
    kept = body_of(drawing(f"{BODIES[name]}<path d='M0 0'/>"))

    assert kept.endswith('<path d="M0 0"/>')
    assert not re.search(r"script|animate|set\b|foreign|hit", kept, re.IGNORECASE)


@pytest.mark.parametrize(
    "name", [name for name in SHEETS if "import" in name or name in {"font", "namespace", "variable"}]
)
def test_refuses_style_sheets_that_load_or_can_hide_something(name: str) -> None:
    with pytest.raises(UnreadableImage, match=r"has a style that is not accepted|lies outside of it"):
        rewrite(HOSTILE[f"sheet-{name}"])


@pytest.mark.parametrize("tag", ["image", "use", "textPath", "linearGradient", "feImage"])
def test_refuses_what_would_be_drawn_from_elsewhere(tag: str) -> None:
    with pytest.raises(UnreadableImage, match=r"refers to \.\./photo\.jpg, which lies outside of it. Embed images"):
        rewrite(drawing(f'<{tag} href="../photo.jpg"/>'))


def test_a_link_is_drawn_and_leads_nowhere() -> None:
    assert body_of(drawing('<a href="https://studio.example"><path d="M0 0"/></a>')) == '<a><path d="M0 0"/></a>'


def test_keeps_what_refers_to_its_own_parts() -> None:
    body = '<g id="a-1.b_c"/><use xlink:href="#a-1.b_c"/><use href="#a-1.b_c"/><rect fill="url(#a-1.b_c) red"/>'

    assert body_of(drawing(body)) == body


def test_of_two_addresses_keeps_the_one_that_browsers_follow() -> None:
    assert body_of(drawing('<g id="a"/><use xlink:href="#b" href="#a"/>')) == '<g id="a"/><use href="#a"/>'


@pytest.mark.parametrize(
    "doctype", ["<!DOCTYPE svg>", "<!DOCTYPE svg [<!ENTITY a 'b'>]>", "<!DOCTYPE svg SYSTEM 'a.dtd'>"]
)
def test_refuses_a_doctype_with_advice(doctype: str) -> None:
    with pytest.raises(
        UnreadableImage, match=r"with a DOCTYPE is not accepted. Export it anew without one .*Illustrator"
    ):
        rewrite(doctype.encode() + drawing())


@pytest.mark.parametrize(
    "content",
    [b"<svg", drawing("&a;"), drawing("<g>"), b"<svg/><svg/>", b"<?xml version='1.0' encoding='no-such'?><svg/>"],
    ids=["cut-off", "entity", "unclosed", "two", "encoding"],
)
def test_refuses_what_is_not_well_formed(content: bytes) -> None:
    with pytest.raises(UnreadableImage, match=r"not well-formed XML: .*Export it anew"):
        rewrite(content)


@pytest.mark.parametrize(
    "root", [b"<svg/>", b'<svg xmlns="http://example.org/"/>', b'<a xmlns="http://www.w3.org/2000/svg"/>']
)
def test_refuses_a_root_that_is_not_svgs(root: bytes) -> None:
    with pytest.raises(UnreadableImage, match="first element has to be"):
        rewrite(root)


@pytest.mark.parametrize("name", TOO_LARGE)
def test_refuses_more_than_is_accepted(name: str) -> None:
    with pytest.raises(UnreadableImage, match=r"The SVG has more .* that are accepted. Send a simpler one, or a PNG"):
        rewrite(TOO_LARGE[name]())


def test_takes_as_deep_a_drawing_as_is_accepted() -> None:
    assert rewrite(nested(MAX_DEPTH)).content.count(b"<g") == MAX_DEPTH - 1


@pytest.mark.parametrize(
    "body",
    [
        '<g id="a"><use href="#a"/></g>',
        '<mask id="a"><rect mask="url(#a)"/></mask>',
        '<g id="a"><use href="#b"/></g><g id="b"><use xlink:href="#a"/></g>',
    ],
    ids=["itself", "mask", "one-another"],
)
def test_refuses_parts_that_refer_to_themselves(body: str) -> None:
    with pytest.raises(UnreadableImage, match="refers to itself"):
        rewrite(drawing(body))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_is_stored_as_utf_8(encoding: str) -> None:
    declared = "" if encoding.startswith("utf") else f'<?xml version="1.0" encoding="{encoding}"?>'
    content = f"{declared}{drawing('<text>Café &lt; é</text>').decode()}".encode(encoding)

    assert "<text>Café &lt; é</text>".encode() in rewrite(content).content


@pytest.mark.parametrize("name", LOGOS)
def test_a_logo_comes_without_what_its_program_has_put_there(name: str) -> None:
    stored = rewrite(LOGOS[name]).content.decode()

    assert "<rect" in stored
    assert not re.search(
        r"inkscape|sodipodi|metadata|anna|adobe|i:|<!|<\?|foreign|enable-background-x|display-p3", stored.lower()
    )
    assert rewrite(stored.encode()).content.decode() == stored


# Images within


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("told", ["", "image/jpg", "application/octet-stream"], ids=["right", "jpg", "other"])
def test_an_image_within_is_what_its_content_is(format: str, told: str) -> None:
    kept = body_of(drawing(f'<image width="9" height="9" href="{embedded(format, told)}"/>'))

    assert f'href="data:image/{format.lower()};base64,' in kept


@pytest.mark.parametrize(
    "address",
    [embedded("GIF"), "data:image/png,abc", "data:image/png;base64,!!", "data:", f"{embedded()[:-40]}"],
    ids=["gif", "not-base64", "not-its-alphabet", "nothing", "cut-off"],
)
def test_refuses_another_image_within(address: str) -> None:
    with pytest.raises(UnreadableImage, match="no whole PNG, JPEG or WebP"):
        rewrite(drawing(f'<image width="9" height="9" href="{address}"/>'))


def test_an_image_within_tells_no_more_of_people_than_one_by_itself() -> None:
    photograph = encode(picture(), "JPEG", exif=exif())
    address = f"data:image/jpeg;base64,{base64.b64encode(photograph).decode()}"

    kept = body_of(drawing(f'<image width="9" height="9" href="{address}"/>'), "none")

    content = base64.b64decode(kept.partition("base64,")[2].partition('"')[0])
    with pytest.raises(AssertionError):
        assert_nothing_private(photograph)
    assert_nothing_private(content)
    assert content.startswith(b"\xff\xd8")


# Random ones

NAMES_OF_TAGS = st.sampled_from([*sorted(ELEMENTS), "script", "foreignObject", "animate", "x:y", "svg"])
NAMES_OF_ATTRIBUTES = st.sampled_from(
    [*sorted(PROPERTIES)[::5], *sorted(PLAIN)[::7], "style", "href", "xlink:href", "id", "class", "onload", "xml:base"]
)
PIECES = [
    "url(",
    "#a",
    ")",
    "'",
    "\\",
    "/*",
    "*/",
    "red",
    ";",
    ":",
    "{",
    "}",
    "@import",
    "javascript:",
    "data:",
    ",",
    " ",
    "<",
]
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)


def escaped(text: str) -> str:
    kept = "".join(
        letter for letter in text if letter >= " " and not 0xD7FF < ord(letter) < 0xE000 and letter < "\ufffe"
    )
    return kept.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    tag = draw(NAMES_OF_TAGS)
    attributes = draw(st.dictionaries(NAMES_OF_ATTRIBUTES, TEXTS, max_size=4))
    told = "".join(f' {name}="{escaped(value)}"' for name, value in attributes.items())
    inside = [] if depth > 3 else draw(st.lists(elements(depth + 1), max_size=3))
    return f"<{tag}{told}>{escaped(draw(TEXTS))}{''.join(inside)}</{tag}>"


@settings(max_examples=150, deadline=None)
@given(elements())
def test_what_is_stored_is_stored_the_same_again(body: str) -> None:
    content = f'<svg {NAMES} xmlns:x="urn:x">{body}</svg>'.encode()
    try:
        stored = rewrite(content).content
    except UnreadableImage:
        return
    assert rewrite(stored).content == stored
    tags = "".join(re.findall(r"<[^>]*>", stored.decode()))  # text between them may say anything
    assert not re.search(r"<script|foreignObject|onload|xml:base|url\((?!#)|<!|<\?", tags)


@pytest.mark.parametrize(
    "attribute",
    [
        'class="url("',
        'class="a URL(x)"',
        'aria-label="&#10;url(//a.b)"',
        'xml:lang="url("',
        'x="url(#a)"',
        'result="url("',
    ],
)
def test_attributes_that_are_no_style_hold_no_address(attribute: str) -> None:
    stored = rewrite(f"<svg {NAMES}><rect {attribute}/></svg>".encode()).content

    assert b"url(" not in stored.lower()
    assert b"<rect" in stored


@pytest.mark.parametrize("selector", [".c{}", "rect.c{}", "g > .c{}", "@media (min-width:1px){{.c{}"])
def test_what_styles_refer_to_is_counted(selector: str) -> None:
    """Each mask is drawn ten times by the one before it, though no attribute says so."""
    masks, rules = "", ""
    for level in range(6):
        masks += f'<mask id="p{level}">' + f'<g><rect class="a c{level}"/></g>' * 10 + "</mask>"
        rules += f"{selector.format(level)}{{mask:url(#p{level + 1})}}" + "}" * selector.count("{{")

    with pytest.raises(UnreadableImage, match="as often as it is drawn"):
        rewrite(drawing(f"<style>{rules}</style>{masks}"))


def test_a_style_of_an_id_is_counted_for_that_element() -> None:
    style = "<style>#a{mask:url(#m)}#b{mask:url(#m)}</style>"
    body = '<mask id="m"><rect width="9" height="9"/></mask><rect id="a"/><rect id="b"/>'

    assert 'id="m"' in body_of(drawing(style + body))


def test_a_style_that_leads_back_to_its_element_is_refused() -> None:
    style = "<style>rect{mask:url(#m)}</style>"

    with pytest.raises(UnreadableImage, match="refers to itself"):
        rewrite(drawing(f'{style}<mask id="m"><rect width="9" height="9"/></mask>'))


def test_brackets_without_end_in_a_style_are_refused() -> None:
    with pytest.raises(UnreadableImage, match="within one another"):
        rewrite(drawing("<style>rect{fill:" + "(" * 100_000 + "</style>"))


def test_an_address_without_an_image_is_refused_at_its_beginning() -> None:
    with pytest.raises(UnreadableImage):
        rewrite(drawing(f'<image width="9" height="9" href="data:;{" " * 200_000}"/>'))
