"""A drawing's XML read into elements, within bounds: no DOCTYPE, so no entities, and nothing is looked up elsewhere."""

from codecs import BOM_UTF8
from dataclasses import dataclass, field
from typing import IO, NoReturn
from xml.parsers import expat

from ..opening import UnreadableImage
from ..refusals import gettext_noop

MAX_BYTES = 10 * 1024 * 1024
MAX_ELEMENTS = 50_000
MAX_DEPTH = 100  # elements within one another
MAX_ATTRIBUTES = 200  # of an element
MAX_ATTRIBUTE = 1_000_000  # characters, but for an image's data

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"

Name = tuple[str, str]  # the namespace, empty where there is none, and the name in it


@dataclass(slots=True)
class Element:
    """An element with what is in it, in its order."""

    name: Name
    attributes: dict[Name, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the text that is in the element itself."""
        return "".join(child for child in self.children if isinstance(child, str))


def refuse(text: str, **values: str) -> NoReturn:
    raise UnreadableImage(text, **values)


def refuse_too_large(what: str, accepted: int) -> NoReturn:
    refuse(
        gettext_noop(
            "The SVG has more %(what)s than the %(accepted)s that are accepted. Send a simpler one, or a PNG."
        ),
        what=what,
        accepted=f"{accepted:,}",
    )


def read(file: IO[bytes]) -> Element:
    """Return the root of a drawing; raise UnreadableImage where the file is no SVG, or more of it than is accepted."""
    file.seek(0)
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        refuse_too_large("bytes", MAX_BYTES)
    return Reader().read(data.removeprefix(BOM_UTF8).lstrip(b" \t\r\n"))


class Reader:
    """Builds elements of what expat tells."""

    def __init__(self) -> None:
        self.open: list[Element] = [Element(("", ""))]  # the innermost one last; the first one holds the root
        self.count = 0
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartDoctypeDeclHandler = self.doctype
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        self.parser = parser

    def read(self, data: bytes) -> Element:
        try:
            self.parser.Parse(data, True)
        except (expat.ExpatError, ValueError, LookupError) as error:  # the latter two of an encoding that it can't read
            refuse(
                gettext_noop("The SVG is not well-formed XML: %(reason)s. Export it anew."),
                reason=str(error).removesuffix("."),
            )
        (root,) = self.open[0].children
        assert isinstance(root, Element)
        if root.name != (SVG, "svg"):
            refuse(
                gettext_noop(
                    "The SVG does not say that it is one: its first element has to be "
                    '<svg xmlns="http://www.w3.org/2000/svg">. Export it anew.'
                )
            )
        return root

    def doctype(self, *told: object) -> None:
        refuse(
            gettext_noop(
                "An SVG with a DOCTYPE is not accepted. Export it anew without one (in Illustrator by Export instead "
                "of Save As), or delete what begins with <!DOCTYPE in a text editor."
            )
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if self.count > MAX_ELEMENTS:
            refuse_too_large("elements", MAX_ELEMENTS)
        if len(self.open) > MAX_DEPTH:
            refuse_too_large("elements within one another", MAX_DEPTH)
        if len(attributes) > MAX_ATTRIBUTES:
            refuse_too_large("attributes of an element", MAX_ATTRIBUTES)
        element = Element(split(name), {split(each): value for each, value in attributes.items()})
        for (_, attribute), value in element.attributes.items():
            if len(value) > MAX_ATTRIBUTE and attribute != "href":
                refuse_too_large("characters in an attribute", MAX_ATTRIBUTE)
        self.open[-1].children.append(element)
        self.open.append(element)

    def end(self, name: str) -> None:
        self.open.pop()

    def text(self, text: str) -> None:
        self.open[-1].children.append(text)


def split(name: str) -> Name:
    namespace, _, local = name.rpartition(" ")
    return namespace, local
