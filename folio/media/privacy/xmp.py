"""XMP: read with strict limits, and written anew with those properties alone that are kept."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from .texts import MAX_TEXT

XMP_SIZE = 1024 * 1024  # bytes of XMP that are read
PACKET_SIZE = 60_000  # bytes of one that is written: it has to fit in a segment of a JPEG
MAX_DEPTH, MAX_ELEMENTS = 24, 20_000
MAX_ITEMS = 50  # of a list
NAMESPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xml": "http://www.w3.org/XML/1998/namespace",
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "plus": "http://ns.useplus.org/ldf/xmp/1.0/",
    "cc": "http://creativecommons.org/ns#",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "HDRGainMap": "http://ns.apple.com/HDRGainMap/1.0/",
    "apdi": "http://ns.apple.com/pixeldatainfo/1.0/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
}
PREFIXES = {uri: prefix for prefix, uri in NAMESPACES.items()} | {"http://web.resource.org/cc/": "cc"}
TEXT = re.compile(r".+", re.DOTALL)
# A link leads to a page; what else could be called by one, such as a script, is left out.
LINK = re.compile(r"(?!(?!https?:|urn:|mailto:)[a-z][a-z0-9+.-]*:)[^\s\x00-\x1f]+", re.IGNORECASE)
TRUTH = re.compile(r"true|false", re.IGNORECASE)
NUMBER = re.compile(r"[-+0-9.eE/]{1,40}|true|false", re.IGNORECASE)
LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
# The properties that say who made a picture and who may use it how, the weightiest first, and what each may hold. A
# pair of braces stands for a structure with those of `FIELDS`.
RIGHTS: dict[str, re.Pattern[str]] = {
    "dc:creator": TEXT,
    "dc:rights": TEXT,
    "photoshop:Credit": TEXT,
    "photoshop:Source": TEXT,
    "xmpRights:Marked": TRUTH,
    "xmpRights:Owner": TEXT,
    "xmpRights:WebStatement": LINK,
    "xmpRights:Certificate": LINK,
    "cc:license": LINK,
    "cc:attributionName": TEXT,
    "cc:attributionURL": LINK,
    "cc:morePermissions": LINK,
    "plus:ImageCreator": TEXT,
    "plus:CopyrightOwner": TEXT,
    "plus:Licensor": TEXT,
    "plus:LicensorURL": LINK,
    "plus:CopyrightStatus": TEXT,
    "plus:CreditLineRequired": TEXT,
    "plus:DataMining": TEXT,
    "plus:TermsAndConditionsURL": LINK,
    "tiff:Artist": TEXT,
    "tiff:Copyright": TEXT,
    "xmpRights:UsageTerms": TEXT,
    "plus:OtherConditions": TEXT,
    "plus:OtherConstraints": TEXT,
    "plus:TermsAndConditionsText": TEXT,
}
# Of a structure: neither addresses nor telephones, though licensors have fields for them.
FIELDS: dict[str, re.Pattern[str]] = {
    "plus:ImageCreatorName": TEXT,
    "plus:ImageCreatorID": TEXT,
    "plus:CopyrightOwnerName": TEXT,
    "plus:CopyrightOwnerID": TEXT,
    "plus:LicensorName": TEXT,
    "plus:LicensorID": TEXT,
    "plus:LicensorURL": LINK,
}
# How a picture and its gain map become one of high dynamic range: numbers all of it.
HDR_NAMES = (
    *("Version", "BaseRenditionIsHDR", "GainMapMin", "GainMapMax", "Gamma", "OffsetSDR", "OffsetHDR"),
    *("HDRCapacityMin", "HDRCapacityMax"),
)
GAIN_MAP: dict[str, re.Pattern[str]] = {
    **{f"hdrgm:{name}": NUMBER for name in HDR_NAMES},
    "HDRGainMap:HDRGainMapVersion": NUMBER,
    "HDRGainMap:HDRGainMapHeadroom": NUMBER,
    "apdi:AuxiliaryImageType": re.compile(r"urn:com:apple:photo:20[0-9]{2}:aux:hdrgainmap"),
    "apdi:NativeFormat": NUMBER,
    "apdi:StoredFormat": NUMBER,
}
CARRIAGE_RETURN = {"\r": "&#13;"}  # which parsers take for the end of a line otherwise
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
LISTS = {"rdf:Seq", "rdf:Bag", "rdf:Alt"}
DIRECTORY = "Container:Directory"
NO_LENGTH = b'"0000000000"'  # the place of a length that is known only later
DIRECTORY_ELEMENT = (
    '<Container:Directory><rdf:Seq><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="Primary" '
    'Item:Mime="image/jpeg"/></rdf:li><rdf:li rdf:parseType="Resource"><Container:Item Item:Semantic="GainMap" '
    f'Item:Mime="image/jpeg" Item:Length={NO_LENGTH.decode()}/></rdf:li></rdf:Seq></Container:Directory>'
)


class TooMuch(Exception):
    """XMP that is built as none is that people have: with a DOCTYPE, or too deep, or of too many elements."""


@dataclass
class Element:
    name: str  # with the prefix of `NAMESPACES`, "" if it is in none of them
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def walk(self) -> Iterator["Element"]:
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Item:
    """A value: a text in a language, a link as RDF writes it, or the fields of a structure."""

    text: str = ""
    language: str = ""
    is_resource: bool = False
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Property:
    items: tuple[Item, ...]
    list: str = ""  # `rdf:Seq`, `rdf:Bag` or `rdf:Alt`; "" of a single value


Properties = dict[str, Property]


def prefixed(name: str) -> str:
    uri, _, local = name.rpartition(" ")
    prefix = PREFIXES.get(uri)
    return f"{prefix}:{local}" if prefix else ""


def parse(packet: bytes) -> Element:
    """Return the root of a packet; an empty one where it is no XML or more than any XMP is."""
    root = Element("")
    open_elements = [root]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_elements) > MAX_DEPTH or count > MAX_ELEMENTS:
            raise TooMuch
        named = {prefixed(key): value for key, value in attributes.items()}
        named.pop("", None)
        element = Element(prefixed(name), named)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def refuse(*_: object) -> NoReturn:
        raise TooMuch

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: open_elements[-1].texts.append(text)
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refuse
    try:
        if len(packet) > XMP_SIZE:
            raise TooMuch
        # Around it there may be padding, but half a character of UTF-16 is none.
        parser.Parse(packet if packet.startswith(UTF_16) else packet.strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, TooMuch, ValueError, LookupError):  # the last two of an encoding that nobody knows
        return Element("")
    return root


def has_directory(root: Element) -> bool:
    """Tell whether a packet says which other pictures follow in the file."""
    return any(element.name == DIRECTORY for element in root.walk())


def properties(root: Element, names: dict[str, re.Pattern[str]]) -> Properties:
    """Return those of these properties that a packet has and that hold what they may."""
    found: Properties = {}
    for description in (child for rdf in root.walk() if rdf.name == "rdf:RDF" for child in rdf.children):
        for name, text in description.attributes.items():
            if name in names and (item := value(text, names[name])):
                found.setdefault(name, Property((item,)))
        for element in description.children:
            if element.name in names and (kept := property_of(element, names[element.name])):
                found.setdefault(element.name, kept)
    return {name: found[name] for name in names if name in found}


def property_of(element: Element, pattern: re.Pattern[str]) -> Property | None:
    for child in element.children:
        if child.name in LISTS:
            members = (item_of(member, pattern) for member in child.children if member.name == "rdf:li")
            items = tuple(item for item in members if item)[:MAX_ITEMS]
            return Property(items, child.name) if items else None
    item = item_of(element, pattern)
    return Property((item,)) if item else None


def item_of(element: Element, pattern: re.Pattern[str]) -> Item | None:
    if fields := fields_of(element):
        return Item(fields=tuple(sorted(fields.items())))
    if resource := element.attributes.get("rdf:resource"):
        return value(resource, pattern, is_resource=True)
    language = element.attributes.get("xml:lang", "")
    return value("".join(element.texts), pattern, language if LANGUAGE.fullmatch(language) else "")


def fields_of(element: Element) -> dict[str, str]:
    """Return the fields of a structure, in whichever of RDF's forms they are written."""
    found: dict[str, str] = {}
    inner = [child for child in element.children if child.name == "rdf:Description"]
    for holder in (element, *inner):
        written = [*holder.attributes.items(), *((child.name, "".join(child.texts)) for child in holder.children)]
        for name, text in written:
            if name in FIELDS and (item := value(text, FIELDS[name])):
                found.setdefault(name, item.text)
    return found


def value(text: str, pattern: re.Pattern[str], language: str = "", *, is_resource: bool = False) -> Item | None:
    text = text.strip()[:MAX_TEXT].strip()
    return Item(text, language, is_resource) if pattern.fullmatch(text) else None


def packet(kept: Properties, room: int = PACKET_SIZE, *, directory: bool = False) -> bytes:
    """Return a packet with these properties, no longer than `room`; no bytes where there is none, or it doesn't fit.

    With `directory` it also says that a gain map follows the picture; its length is to be put in the last place of
    `NO_LENGTH`. Properties for which there is no room are left out, the last ones first.
    """
    parts = [(name.partition(":")[0], *written(name, each)) for name, each in kept.items()]
    while parts or directory:
        for form in FORMS:
            whole = form % description(parts, directory)
            if len(data := whole.encode()) <= min(room, PACKET_SIZE):
                return data
        if not parts:
            break
        parts.pop()
    return b""


XMPMETA = '<x:xmpmeta xmlns:x="adobe:ns:meta/">%s</x:xmpmeta>'
FORMS = (  # from what programs write to what is the least that they read
    f'<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n{XMPMETA}\n<?xpacket end="w"?>',
    XMPMETA,
    "%s",
)


def description(parts: list[tuple[str, str, str]], directory: bool) -> str:
    prefixes = {prefix for prefix, _, _ in parts} | ({"Container", "Item"} if directory else set())
    spaces = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items() if prefix in prefixes)
    attributes = "".join(attribute for _, attribute, _ in parts)
    elements = "".join(element for _, _, element in parts) + (DIRECTORY_ELEMENT if directory else "")
    end = f">{elements}</rdf:Description>" if elements else "/>"
    inner = f'<rdf:Description rdf:about=""{spaces}{attributes}{end}'
    return f'<rdf:RDF xmlns:rdf="{NAMESPACES["rdf"]}">{inner}</rdf:RDF>'


def written(name: str, kept: Property) -> tuple[str, str]:
    """Return a property as an attribute or as an element, and the other one empty."""
    if kept.list:
        members = "".join(element("rdf:li", item) for item in kept.items)
        return "", f"<{name}><{kept.list}>{members}</{kept.list}></{name}>"
    [item] = kept.items
    if item.language or item.is_resource or item.fields:
        return "", element(name, item)
    return f" {name}={quoteattr(item.text)}", ""


def element(name: str, item: Item) -> str:
    if item.fields:
        return f"<{name}{''.join(f' {field}={quoteattr(text)}' for field, text in item.fields)}/>"
    if item.is_resource:
        return f"<{name} rdf:resource={quoteattr(item.text)}/>"
    language = f' xml:lang="{item.language}"' if item.language else ""
    return f"<{name}{language}>{escape(item.text, CARRIAGE_RETURN)}</{name}>"


def rights_of_xmp(given: bytes, room: int = PACKET_SIZE) -> bytes:
    """Return a packet with what the given one says of creator, credit, copyright and licence."""
    return packet(properties(parse(given), RIGHTS), room)
