"""Drawings rewritten, and drawn as pixels."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from PIL import Image

from ..opening import SVG, Loaded, UnreadableImage
from ..pixels import Size
from ..privacy import Keep
from ..refusals import gettext_noop
from .measuring import MAX_NESTED, check_work, natural_size, view_box
from .reading import Element, Name, read, refuse_too_large
from .writing import written

# The renderer reads no others: what the machine has would differ from server to server.
FONTS = [str(path) for path in sorted((Path(__file__).parent / "fonts").glob("*.ttf"))]
FONT = "Inter"  # for those that the drawing names


@dataclass(frozen=True)
class Drawing:
    """A drawing, rewritten by the allow-list."""

    root: Element
    size: Size  # in pixels, by nature
    mode = "RGBA"

    @property
    def content(self) -> bytes:
        """Return what is stored of it."""
        return written(self.root).encode()

    def draw(self, size: Size) -> Image.Image:
        """Return the drawing in this size, in RGBA; raise UnreadableImage where it can't be drawn."""
        from resvg_py import svg_to_bytes  # not at the top: most decoders never see a drawing

        document = written(self.root, self.sized(size))
        try:
            png = svg_to_bytes(
                svg_string=document,
                skip_system_fonts=True,
                font_files=FONTS,
                font_family=FONT,
                serif_family=FONT,
                sans_serif_family=FONT,
                cursive_family=FONT,
                fantasy_family=FONT,
                monospace_family=FONT,
            )
        except ValueError as error:
            raise UnreadableImage(
                gettext_noop("The SVG can't be drawn: %(reason)s. Export it anew, or send a PNG."), reason=str(error)
            ) from error
        return Image.open(BytesIO(png)).convert("RGBA")

    def sized(self, size: Size) -> dict[Name, str]:
        """Return the root's attributes by which the whole of it is drawn in a size."""
        attributes = dict(self.root.attributes)
        if view_box(self.root) is None:
            attributes["", "viewBox"] = f"0 0 {self.size[0]} {self.size[1]}"
            attributes["", "preserveAspectRatio"] = "none"
        attributes["", "width"], attributes["", "height"] = map(str, size)
        return attributes


def loaded(drawing: Drawing, size: Size) -> Loaded:
    """Return a drawing as if it were an image that is decoded for a size."""
    image = drawing.draw(size)
    return Loaded(image, image, SVG, drawing.size, 1)


def rewritten(file: IO[bytes], keep: Keep = "rights") -> Drawing:
    """Return a drawing as it is stored, `keep` telling what stays in images within; raise UnreadableImage."""
    from .allowing import allowed  # not at the top, nor is what it brings along: the server has no use for it

    try:
        root = allowed(read(file), keep)
    except RecursionError:  # of a style sheet's brackets
        refuse_too_large("elements within one another", MAX_NESTED)
    check_work(root)
    return Drawing(root, natural_size(root))
