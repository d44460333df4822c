"""Styles of drawings: parsed, and written anew from what is on the lists."""

import re
from collections.abc import Iterable, Set
from functools import lru_cache
from typing import Any, NoReturn

import tinycss2

from ..refusals import gettext_noop
from .reading import refuse

MAX_BLOCKS = 10  # brackets within one another


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as a text."""
    return frozenset(text.split())


PROPERTIES = words(
    """
    alignment-baseline background background-color baseline-shift clip clip-path clip-rule color color-interpolation
    color-interpolation-filters color-rendering direction display dominant-baseline enable-background fill
    fill-opacity fill-rule filter flood-color flood-opacity font font-family font-feature-settings font-kerning
    font-size font-size-adjust font-stretch font-style font-variant font-weight glyph-orientation-horizontal
    glyph-orientation-vertical image-rendering isolation kerning letter-spacing lighting-color line-height marker
    marker-end marker-mid marker-start mask mask-type mix-blend-mode opacity overflow paint-order shape-rendering
    stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin
    stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration text-overflow text-rendering transform
    transform-box transform-origin unicode-bidi vector-effect visibility white-space word-spacing writing-mode
    """
)
FUNCTIONS = words(
    """
    rgb rgba hsl hsla rect matrix translate translatex translatey scale scalex scaley rotate skewx skewy blur
    brightness contrast drop-shadow grayscale hue-rotate invert opacity saturate sepia
    """
)
# The renderer of thumbnails does not know them: design programs write a simpler value before such a one, which stays.
WITH_FALLBACK = words("color color-mix lab lch oklab oklch hwb light-dark calc min max clamp")
FOR_PRINT = {"icc-color", "device-cmyk"}  # behind a colour for screens
SELECTING = words("not is where nth-child nth-last-child nth-of-type nth-last-of-type")
# At-rules that draw nothing by themselves, or change over time.
LEFT_OUT = {"charset", "keyframes", "-webkit-keyframes", "-moz-keyframes", "supports", "page", "font-feature-values"}

PLAIN = re.compile(r"[\w#.,+\-%/ \t\r\n]*", re.ASCII)  # a value in which nothing can be hidden
WORD = re.compile(r"[\w-]+")
TEXT = re.compile(r"[^<>\\\x00-\x1f\x7f]*")  # of a string
ID = re.compile(r"[^\x00-\x20\x7f\"'()<>\\&#%`]{1,500}")

Node = Any  # tinycss2 has no types


class Unknown(Exception):
    """A value that only newer programs know."""


def identifier(address: str) -> str:
    """Return the id that an address of the form `#id` names, or raise UnreadableImage for another one."""
    name = address.strip()
    if not (name.startswith("#") and ID.fullmatch(name[1:])):
        refuse_outside(address)
    return name[1:]


def refuse_outside(address: str) -> NoReturn:
    refuse(
        gettext_noop(
            "The SVG refers to %(address)s, which lies outside of it. Embed images as PNG, JPEG or WebP, turn texts in "
            "fonts of your own into outlines, and export it anew."
        ),
        address=address.strip()[:80] or "nothing",
    )


def refuse_style(style: str) -> NoReturn:
    refuse(
        gettext_noop(
            "The SVG has a style that is not accepted: %(style)s. Export it anew with presentation attributes "
            "instead of styles."
        ),
        style=" ".join(style.split())[:80],
    )


@lru_cache(1024)
def value(name: str, text: str) -> str:
    """Return a property's value; raise UnreadableImage where it is not accepted."""
    if PLAIN.fullmatch(text):
        return text
    nodes = tinycss2.parse_component_value_list(text, skip_comments=True)
    try:
        return written(nodes, f"{name}: {text}")
    except Unknown:
        refuse_style(f"{name}: {text}")


def written(nodes: Iterable[Node], whole: str, depth: int = 0) -> str:
    """Return the parts of a value as CSS; `whole` is what it is told by where it is not accepted."""
    if depth > MAX_BLOCKS:
        refuse_style(whole)
    found: list[str] = []
    for node in nodes:
        match node.type:
            case "whitespace":
                found.append(" ")
            case "ident" if WORD.fullmatch(node.value) and not node.value.startswith("--"):
                found.append(node.value)
            case "number" | "percentage" | "dimension" | "hash" if PLAIN.fullmatch(node.serialize()):
                found.append(node.serialize())
            case "literal" if node.value in {",", "/"}:
                found.append(node.value)
            case "string" if TEXT.fullmatch(node.value):
                found.append(node.serialize())
            case "url":
                found.append(f"url(#{identifier(node.value)})")
            case "function":
                found.append(function(node, whole, depth))
            case _:
                refuse_style(whole)
    return "".join(found).strip()


def function(node: Node, whole: str, depth: int) -> str:
    name = node.lower_name
    arguments = [each for each in node.arguments if each.type != "comment"]
    if name == "url":
        (only,) = [each for each in arguments if each.type != "whitespace"] or [None]
        return f"url(#{identifier(only.value if only and only.type == 'string' else '')})"
    if name in FUNCTIONS:
        return f"{node.name}({written(arguments, whole, depth + 1)})"
    if name in FOR_PRINT:
        written(arguments, whole, depth + 1)
        return ""
    if name == "var":  # none is ever set, so it stands for what comes behind its comma
        commas = [place for place, each in enumerate(arguments) if each == ","]
        if commas:
            return written(arguments[commas[0] + 1 :], whole, depth + 1)
    if name in WITH_FALLBACK:
        raise Unknown
    refuse_style(whole)


@lru_cache(1024)
def declarations(text: str, known: frozenset[str] = frozenset()) -> str:
    """Return the declarations of a `style` attribute; `known` names the properties that its element has already."""
    return declared(tinycss2.parse_declaration_list(text, skip_comments=True, skip_whitespace=True), known)


def declared(nodes: Iterable[Node], known: Set[str] = frozenset()) -> str:
    """Return declarations; those that no browser would understand, and those of other properties, are left out.

    Raises UnreadableImage where one is not accepted, in other properties too where they lead outside.
    """
    found: list[str] = []
    seen = set(known)
    for node in nodes:
        if node.type == "at-rule":
            refuse_style(f"@{node.at_keyword}")
        if node.type != "declaration":
            continue
        if node.name.startswith("--"):
            refuse_style(f"{node.name}: …")
        if node.lower_name not in PROPERTIES:
            refuse_addresses(node.value)
            continue
        whole = f"{node.lower_name}: {tinycss2.serialize(node.value).strip()}"
        try:
            made = written(node.value, whole)
        except Unknown:
            if node.lower_name not in seen:
                refuse_style(whole)
            continue
        seen.add(node.lower_name)
        found.append(f"{node.lower_name}:{made}{' !important' if node.important else ''}")
    return ";".join(found)


def refuse_addresses(nodes: Iterable[Node], depth: int = 0) -> None:
    """Raise UnreadableImage where a value that is left out leads outside: it was part of the drawing."""
    for node in nodes:
        if depth > MAX_BLOCKS:
            refuse_style("(((…")
        if node.type == "url":
            identifier(node.value)
        elif node.type == "function":
            if node.lower_name in {"url", "src", "image", "image-set", "-webkit-image-set"}:
                refuse_outside(tinycss2.serialize(node.arguments))
            refuse_addresses(node.arguments, depth + 1)
        elif node.type in {"() block", "[] block", "{} block"}:
            refuse_addresses(node.content, depth + 1)


def sheet(text: str) -> str:
    """Return a style sheet; raise UnreadableImage where anything in it is not accepted."""
    return "".join(rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)))


def rules(nodes: Iterable[Node], depth: int = 0) -> Iterable[str]:
    if depth > MAX_BLOCKS:
        refuse_style("{{{…")
    for node in nodes:
        if node.type == "qualified-rule":
            inside = tinycss2.parse_declaration_list(node.content, skip_comments=True, skip_whitespace=True)
            made = declared(inside)
            selected = selector(node.prelude).strip()
            if made and selected:
                yield f"{selected}{{{made}}}\n"
        elif node.type == "at-rule" and node.lower_at_keyword == "media" and node.content is not None:
            inside = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            made = "".join(rules(inside, depth + 1))
            if made:
                yield f"@media {condition(node.prelude).strip()}{{\n{made}}}\n"
        elif node.type == "at-rule" and node.lower_at_keyword in LEFT_OUT:
            continue
        elif node.type == "at-rule":
            refuse_style(f"@{node.at_keyword} {tinycss2.serialize(node.prelude)}")
        else:
            refuse_style(getattr(node, "message", node.type))


def selector(nodes: Iterable[Node], depth: int = 0) -> str:
    """Return a selector; raise UnreadableImage where it is not accepted."""
    found: list[str] = []
    nodes = list(nodes)
    for node in nodes:
        match node.type:
            case "comment" | "whitespace":
                found.append(" ")
            case "ident" | "hash" if WORD.fullmatch(node.value):
                found.append(node.serialize())
            case "number" | "dimension" if PLAIN.fullmatch(node.serialize()):  # as in `:nth-child(2n+1)`
                found.append(node.serialize())
            case "literal" if node.value in {".", ",", ">", "+", "~", "*", ":", "="} or (
                depth and node.value in "^$|-"
            ):
                found.append(node.value)
            case "literal" if depth and node.value in {"~=", "^=", "$=", "*=", "|="}:
                found.append(node.value)
            case "string" if TEXT.fullmatch(node.value):
                found.append(node.serialize())
            case "[] block" if depth == 0:
                found.append(f"[{selector(node.content, depth + 1)}]")
            case "function" if node.lower_name in SELECTING and depth < MAX_BLOCKS:
                found.append(f"{node.name}({selector(node.arguments, depth + 1)})")
            case _:
                refuse_style(f"{tinycss2.serialize(nodes)} {{…}}")
    return "".join(found)


def condition(nodes: Iterable[Node], depth: int = 0) -> str:
    """Return what `@media` asks for; raise UnreadableImage where it is not accepted."""
    found: list[str] = []
    nodes = list(nodes)
    for node in nodes:
        match node.type:
            case "comment" | "whitespace":
                found.append(" ")
            case "ident" if WORD.fullmatch(node.value):
                found.append(node.value)
            case "number" | "dimension" if PLAIN.fullmatch(node.serialize()):
                found.append(node.serialize())
            case "literal" if node.value in {",", ":", "/"}:
                found.append(node.value)
            case "() block" if depth < MAX_BLOCKS:
                found.append(f"({condition(node.content, depth + 1)})")
            case _:
                refuse_style(f"@media {tinycss2.serialize(nodes)}")
    return "".join(found)
