"""What of a drawing is stored: elements and attributes that are on the lists, with values that lead nowhere.

What design programs add for themselves, what moves and what runs is left out. What would draw something from elsewhere
is a reason to refuse the file: it would look other than its sender knows it.
"""

import re

from ..privacy import Keep
from . import styles
from .images import Images
from .reading import SVG, XLINK, XML, Element, Name, refuse_too_large
from .styles import words

MAX_SHEETS = 256 * 1024  # characters of all style sheets

SHAPES = words("path rect circle ellipse line polyline polygon image use")
GROUPS = words("svg g defs symbol switch a pattern clipPath mask marker")
PAINTS = words("linearGradient radialGradient stop")
TEXTS = words("text tspan textPath title desc style")
FILTERS = words(
    """
    filter feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting
    feDisplacementMap feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feImage
    feMerge feMergeNode feMorphology feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence
    """
)
ELEMENTS = SHAPES | GROUPS | PAINTS | TEXTS | FILTERS
# In a page, elements in the former two would be HTML's.
TEXT_ALONE = frozenset(["title", "desc", "style"])

GEOMETRY = words(
    """
    x y x1 y1 x2 y2 cx cy r rx ry fx fy fr width height d points pathLength viewBox preserveAspectRatio transform
    gradientTransform patternTransform gradientUnits patternUnits patternContentUnits clipPathUnits maskUnits
    maskContentUnits spreadMethod offset markerWidth markerHeight markerUnits refX refY orient dx dy rotate
    textLength lengthAdjust startOffset method spacing side version systemLanguage zoomAndPan
    """
)
OF_FILTERS = words(
    """
    in in2 result filterUnits primitiveUnits filterRes mode type values tableValues slope intercept amplitude
    exponent operator k1 k2 k3 k4 order kernelMatrix kernelUnitLength divisor bias targetX targetY edgeMode
    preserveAlpha surfaceScale diffuseConstant specularConstant specularExponent limitingConeAngle pointsAtX
    pointsAtY pointsAtZ z azimuth elevation scale xChannelSelector yChannelSelector stdDeviation radius
    baseFrequency numOctaves seed stitchTiles
    """
)
PLAIN = GEOMETRY | OF_FILTERS
WORDS = words("class lang role aria-label aria-labelledby aria-describedby aria-hidden")
NO_ADDRESS = r"(?![\s\S]*url\()"  # only `styles` says what an address may be
PLAIN_VALUE = re.compile(NO_ADDRESS + r"[\w\s.,+\-%()#]*", re.ASCII | re.IGNORECASE)
WORDS_VALUE = re.compile(NO_ADDRESS + r"[^<>\"'`&\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*", re.IGNORECASE)

# By what an address in it may be: of a part of the drawing, or an image's data.
REFERRING = words("use textPath linearGradient radialGradient pattern filter")
SHOWING = frozenset(["image", "feImage"])


def allowed(root: Element, keep: Keep) -> Element:
    """Return what of a drawing is stored; raise UnreadableImage where it needs what is not accepted."""
    return Allowing(keep).element(root)


class Allowing:
    """The work at one drawing."""

    def __init__(self, keep: Keep) -> None:
        self.images = Images(keep)
        self.sheets = 0  # characters of style sheets

    def element(self, element: Element) -> Element:
        name = element.name[1]
        found = Element(element.name, self.attributes(element))
        if name == "style":
            self.sheets += len(element.text)
            if self.sheets > MAX_SHEETS:
                refuse_too_large("characters of styles", MAX_SHEETS)
            sheet = styles.sheet(element.text)
            found.children = [sheet] if sheet else []
            return found
        for child in element.children:
            if isinstance(child, str):
                if name in TEXTS or (name == "a" and child.strip()):
                    found.children.append(child)
            elif name not in TEXT_ALONE and is_allowed(child):
                found.children.append(self.element(child))
        return found

    def attributes(self, element: Element) -> dict[Name, str]:
        found: dict[Name, str] = {}
        known = {name for namespace, name in element.attributes if not namespace}
        for (namespace, name), text in element.attributes.items():
            value = None
            if name == "href" and namespace in ("", XLINK):
                if namespace and "href" in known:  # the other one counts
                    continue
                value = self.address(element.name[1], text)
            elif namespace == XML:
                value = text if name in ("space", "lang") and WORDS_VALUE.fullmatch(text) else None
            elif not namespace:
                value = attribute(name, text, known)
            if value is not None:
                found[namespace, name] = value
        return found

    def address(self, name: str, text: str) -> str | None:
        """Return an `href`; None where the element does without, such as a link, which is drawn all the same."""
        if not text.strip():
            return None
        if name in SHOWING and text.lstrip()[:5].lower() == "data:":
            return self.images.checked(text)
        return f"#{styles.identifier(text)}" if name in SHOWING or name in REFERRING else None


def is_allowed(element: Element) -> bool:
    namespace, name = element.name
    if namespace != SVG or name not in ELEMENTS or element.attributes.get(("", "requiredExtensions"), "").strip():
        return False  # the latter is for programs that know more than browsers
    if name == "style":
        told = (element.attributes.get(("", each), "").strip().lower() for each in ("type", "media"))
        return all(each in ("", "text/css", "all", "screen") for each in told)
    return True


def attribute(name: str, text: str, known: set[str]) -> str | None:
    """Return the value of an attribute that is not in a namespace; None where it is left out."""
    if name == "style":
        return styles.declarations(text, frozenset(known & styles.PROPERTIES)) or None
    if name == "id":
        return text if styles.ID.fullmatch(text) else None
    if name in PLAIN:
        return text if PLAIN_VALUE.fullmatch(text) else None
    if name in WORDS:
        return text if WORDS_VALUE.fullmatch(text) else None
    if name in styles.PROPERTIES:
        return styles.value(name, text)
    return None
