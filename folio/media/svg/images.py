"""Images within drawings, in their `data:` addresses: checked by their content, and cleaned."""

import base64
import binascii
import re
from io import BytesIO
from typing import NoReturn

from PIL import Image

from ..opening import FORMATS
from ..privacy import Keep, UnreadableStructure, write_without_private_data
from ..refusals import gettext_noop
from .reading import refuse, refuse_too_large

MAX_PIXELS = 25_000_000  # of all images of a drawing together
EMBEDDED = ("PNG", "JPEG", "WEBP")
LONGEST_TYPE = 1_000  # characters before the data of an image
DATA = re.compile(r"\s*data:(?P<type>[^,;]*)(?:;[^,;]*)*?(?P<base64>;\s*base64)?\s*,", re.IGNORECASE)
SPACE = re.compile(r"\s+")


class Images:
    """The images of one drawing."""

    def __init__(self, keep: Keep) -> None:
        self.keep: Keep = "rights" if keep == "all" else keep  # lest a file's own bytes pass through
        self.pixels_left = MAX_PIXELS

    def checked(self, address: str) -> str:
        """Return the address of an image without what it tells of people; raise UnreadableImage for what is none."""
        start = DATA.match(address[:LONGEST_TYPE])
        if start is None or not start["base64"]:
            refuse_other(address)
        try:
            content = base64.b64decode(SPACE.sub("", address[start.end() :]), validate=True)
        except (binascii.Error, ValueError):
            refuse_other(address)
        mime_type = self.mime_type(content, address)
        cleaned = BytesIO()
        try:
            write_without_private_data(BytesIO(content), cleaned, mime_type, self.keep)
        except UnreadableStructure:
            refuse_other(address)
        return f"data:{mime_type};base64,{base64.b64encode(cleaned.getvalue()).decode()}"

    def mime_type(self, content: bytes, address: str) -> str:
        try:
            image = Image.open(BytesIO(content), formats=EMBEDDED)
            self.pixels_left -= image.width * image.height
            if self.pixels_left < 0:
                refuse_too_large("pixels of images in it", MAX_PIXELS)
            image.load()
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            refuse_other(address)
        return FORMATS["JPEG" if image.format == "MPO" else str(image.format)].mime_type


def refuse_other(address: str) -> NoReturn:
    refuse(
        gettext_noop(
            "The SVG holds something that is no whole PNG, JPEG or WebP: %(address)s. Embed images as one of these, "
            "and export it anew."
        ),
        address=address.strip()[:40],
    )
