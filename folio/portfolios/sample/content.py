"""The sample's texts: for whom a design and web studio worked, and how it sorts its work; `works.py` has the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from inspect import cleandoc

from . import pictures
from .pictures import Picture
from .reports import Document


@dataclass(frozen=True)
class SampleEmployer:
    name: str
    description: str | None = None
    image: Picture | None = None


@dataclass(frozen=True)
class SampleTag:
    name: str
    image: Picture | None = None


@dataclass(frozen=True)
class SampleLink:
    name: str
    url: str | None
    description: str | None = None
    image: Picture | None = None


@dataclass(frozen=True)
class SampleMeta:
    key: str
    value_text: str | None = None
    value_file: Picture | Document | None = None


@dataclass(frozen=True)
class SamplePortfolio:
    title: str
    slug: str
    excerpt: str
    order: int
    description: str | None = None
    image: Picture | None = None
    images: Sequence[Picture] = ()
    employer: SampleEmployer | None = None
    tags: Sequence[SampleTag] = ()
    links: Sequence[SampleLink] = ()
    meta: Sequence[SampleMeta] = ()
    completed_at: datetime | None = None
    is_active: bool = True


def prose(text: str) -> str:
    """Return paragraphs without the line breaks and the indentation that they have in the source."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in cleandoc(text).split("\n\n"))


ACCESSIBILITY = SampleTag("Accessibility")
BRANDING = SampleTag("Branding", pictures.BRANDING_ICON)
DATA = SampleTag("Data visualisation", pictures.DATA_ICON)
DEVELOPMENT = SampleTag("Development")
ILLUSTRATION = SampleTag("Illustration")
MOBILE = SampleTag("Mobile apps")
PACKAGING = SampleTag("Packaging")
PRINT = SampleTag("Print", pictures.PRINT_ICON)
TYPOGRAPHY = SampleTag("Typography")
WAYFINDING = SampleTag("Wayfinding")
WEB = SampleTag("Web design", pictures.WEB_ICON)

TAGS = (
    ACCESSIBILITY,
    BRANDING,
    DATA,
    DEVELOPMENT,
    ILLUSTRATION,
    MOBILE,
    PACKAGING,
    PRINT,
    TYPOGRAPHY,
    WAYFINDING,
    WEB,
)

HARBOUR_MUSEUM = SampleEmployer(
    "Harbour Museum",
    "A maritime museum in four old warehouses on the quay. Its forty boats are kept afloat, and most still sail.",
    pictures.HARBOUR_LOGO,
)
KESTREL = SampleEmployer(
    "Kestrel Coffee Roasters",
    prose(
        """
        Two sisters, one roaster built in 1962, and coffee bought from eleven farms whose names are on every bag.

        Kestrel was our first customer. We are still paid in part in coffee.
        """
    ),
    pictures.KESTREL_LOGO,
)
LUMEN = SampleEmployer(
    "Lumen Observatory",
    "A public observatory on Fell Hill, open on every clear night since 1931.",
    pictures.LUMEN_LOGO,
)
NORTHLINE = SampleEmployer(
    "Northline Transit",
    "Runs the trams and night buses of Aldermere and its neighbours: five lines, 74 stops, 210,000 journeys a day.",
    pictures.NORTHLINE_LOGO,
)
MARLOW = SampleEmployer(
    "Marlow & Finch",
    "An independent publisher of books that went out of print and should not have.",
    pictures.MARLOW_LOGO,
)
BRIGHTMOOR = SampleEmployer(
    "Brightmoor Energy Co-operative",
    "Wind, sun and one small turbine in the river, owned by the 2,600 people who use what they make.",
    pictures.BRIGHTMOOR_LOGO,
)
SAFFRON_HOUSE = SampleEmployer(
    "Saffron House", "رستورانی ایرانی پشت بازار آلدرمیر، با نُه میز و یک تنور.", pictures.SAFFRON_LOGO
)
ALDERMERE = SampleEmployer(
    "City of Aldermere",
    "A city of 180,000 on a slow river. We work for its culture office, its planners and, once, its treasurer.",
    pictures.ALDERMERE_LOGO,
)
GLASSHOUSE = SampleEmployer("Glasshouse Nursery", "House plants, raised under the railway arches of Mill Lane.")
AMELIE = SampleEmployer("Pâtisserie Amélie")

EMPLOYERS = (
    HARBOUR_MUSEUM,
    KESTREL,
    LUMEN,
    NORTHLINE,
    MARLOW,
    BRIGHTMOOR,
    SAFFRON_HOUSE,
    ALDERMERE,
    GLASSHOUSE,
    AMELIE,
)
