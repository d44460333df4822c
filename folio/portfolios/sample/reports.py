"""The sample's files that are no images: a report and a statement."""

from collections.abc import Callable
from typing import NamedTuple

from .drawings.canvas import bind
from .drawings.posters import page
from .pictures import report_cover

YEAR_IN_TIDES = """
In 2022 our members produced 4,310 megawatt hours of electricity: enough for 1,230 households, the two schools on
Mill Lane and every street lamp of the old town.

The tidal turbine under Weir Bridge ran for 341 days. It stood still for the eels in April and for its new bearings in
October, and for nothing else.

Ninety-four roofs were added, most of them in one weekend in June, when members carried panels for one another and the
bakery sent buns.

The surplus of 86,400 was shared as the statutes say: half to the members, half to the next turbine.
"""

STATEMENT = """\
Accessibility of the Harbour Museum's site
==========================================

The site meets WCAG 2.2 at level AA. We tested it in March 2024 with nine visitors, three of whom
use a screen reader and two a keyboard alone.

What works
- Every page can be used with the keyboard, and it is always visible where you are.
- Films have captions; the six films about boat building are described in sound as well.
- Texts can be enlarged to 400 per cent without scrolling sideways.

What does not work yet
- The panorama of the boat hall can't be turned with a keyboard. A list of its boats stands below it.
- Letters of before 1900 are shown as photographs. We transcribe ten a month.

Tell us what we missed: access@harbourmuseum.example
"""


class Document(NamedTuple):
    """A file to be that is no image; its kind follows from the name."""

    filename: str
    name: str
    data: Callable[[], bytes]


def tidal_report() -> bytes:
    size = (744, 1052)  # A4 at 90 pixels to the inch
    return bind([report_cover(*size), page(size, "#fffaf0", "#10372e", "A year in tides", YEAR_IN_TIDES)])


TIDAL = Document("tidal-annual-report-2022.pdf", "Tidal: the annual report of 2022", tidal_report)
HARBOUR_STATEMENT = Document("accessibility-statement.txt", "Accessibility statement", STATEMENT.encode)
