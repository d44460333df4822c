"""How large a drawing is by nature, and how much work it makes."""

import re
from collections.abc import Iterator

from ..pixels import Size
from ..refusals import gettext_noop
from .reading import SVG, Element, refuse, refuse_too_large

USUAL = (300, 150)  # pixels; as browsers show a drawing that says nothing
MAX_EDGE = 16_384  # pixels
MAX_DRAWN = 200_000  # elements, each as often as it is drawn
MAX_NESTED = 200  # of those within one another, whether they lie there or are referred to

UNITS = {"": 1, "px": 1, "pt": 4 / 3, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4, "q": 96 / 101.6}
UNITS |= {"em": 16, "rem": 16, "ex": 8}
NUMBER = r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?"
LENGTH = re.compile(rf"({NUMBER})([a-z]*)", re.IGNORECASE)
BOX = re.compile(rf"({NUMBER})[\s,]+({NUMBER})[\s,]+({NUMBER})[\s,]+({NUMBER})")
REFERENCE = re.compile(r"url\(#([^()]+)\)")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")  # of a style sheet, also within another one
COMBINATORS = re.compile(r"[\s>+~]+")
CLASS_OR_ID = re.compile(r"[.#][\w-]+")
TYPE = re.compile(r"[\w-]+")
ANY = "*"

Box = tuple[float, float, float, float]


def view_box(root: Element) -> Box | None:
    """Return the left edge, the upper edge, the width and the height of the view box; None where it shows nothing."""
    match = BOX.fullmatch(root.attributes.get(("", "viewBox"), "").strip())
    if match is None:
        return None
    left, top, width, height = map(float, match.groups())
    return (left, top, width, height) if 0 < width < 1e30 and 0 < height < 1e30 else None


def length(text: str) -> float | None:
    """Return a length in pixels; None where it is none, or a share of what is around."""
    match = LENGTH.fullmatch(text.strip())
    if match is None or match[2].lower() not in UNITS:
        return None
    pixels = float(match[1]) * UNITS[match[2].lower()]
    return pixels if 0 < pixels < 1e30 else None


def natural_size(root: Element) -> Size:
    """Return the pixels that a browser shows a drawing in where a page says nothing, scaled down to what is accepted.

    Those are `width` and `height`; where one is missing or a percentage, it follows from the other by the view box;
    where both are, it is the view box's size; without one, 300 × 150.
    """
    width, height = (length(root.attributes.get(("", name), "")) for name in ("width", "height"))
    box = view_box(root)
    if box:
        if width is None:
            width = box[2] if height is None else height * box[2] / box[3]
        if height is None:
            height = width * box[3] / box[2]
    width, height = width or USUAL[0], height or USUAL[1]
    scale = min(1.0, MAX_EDGE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def check_work(root: Element) -> None:
    """Raise UnreadableImage where elements that refer to one another are drawn too often, or in a circle."""
    named = {element.attributes["", "id"]: element for element in elements(root) if ("", "id") in element.attributes}
    Work(named, styled(root)).count(root, 0)


def elements(root: Element) -> Iterator[Element]:
    yield root
    for child in root.children:
        if isinstance(child, Element):
            yield from elements(child)


def styled(root: Element) -> dict[str, list[str]]:
    """Return the ids that style sheets refer to, by the class, id or type that the selectors of their rules end in."""
    found: dict[str, list[str]] = {}
    for sheet in (element.text for element in elements(root) if element.name == (SVG, "style")):
        for selectors, declarations in RULE.findall(sheet):
            names = REFERENCE.findall(declarations)
            for selector in selectors.split(",") if names else ():
                last = COMBINATORS.split(selector.strip())[-1]
                match = CLASS_OR_ID.search(last) or TYPE.match(last)
                key = match[0] if match and "\\" not in last else ANY
                found.setdefault(key, []).extend(names)
    return {key: list(dict.fromkeys(names)) for key, names in found.items()}


class Work:
    """How many elements are drawn for an element, itself and those that it refers to included."""

    def __init__(self, named: dict[str, Element], styled: dict[str, list[str]]) -> None:
        self.named = named
        self.styled = styled
        self.counted: dict[int, tuple[int, int]] = {}  # elements, and how deep they lie in one another, by the `id()`
        self.open: set[int] = set()

    def count(self, element: Element, depth: int) -> tuple[int, int]:
        key = id(element)
        if key in self.counted:
            return self.counted[key]
        if key in self.open:
            refuse(gettext_noop("The SVG has a part that refers to itself. Export it anew."))
        if depth > MAX_NESTED:
            refuse_too_large("elements within one another", MAX_NESTED)
        self.open.add(key)
        total, deepest = 1, 0
        for other in (*self.referred(element), *(each for each in element.children if isinstance(each, Element))):
            drawn, nested = self.count(other, depth + 1)
            total, deepest = total + drawn, max(deepest, nested)
        if total > MAX_DRAWN:
            refuse_too_large("elements, each as often as it is drawn", MAX_DRAWN)
        if deepest >= MAX_NESTED:
            refuse_too_large("elements within one another", MAX_NESTED)
        self.open.discard(key)
        self.counted[key] = total, deepest + 1
        return self.counted[key]

    def referred(self, element: Element) -> Iterator[Element]:
        assert element.name[0] == SVG
        for (_, name), value in element.attributes.items():
            names = [value[1:]] if name == "href" and value.startswith("#") else REFERENCE.findall(value)
            yield from (self.named[each] for each in names if each in self.named)
        if self.styled:
            yield from (self.named[each] for each in self.referred_by_style(element) if each in self.named)

    def referred_by_style(self, element: Element) -> Iterator[str]:
        classes = element.attributes.get(("", "class"), "").split()
        name = element.attributes.get(("", "id"))
        for key in (ANY, element.name[1], *([f"#{name}"] if name else []), *(f".{each}" for each in classes)):
            yield from self.styled.get(key, ())
