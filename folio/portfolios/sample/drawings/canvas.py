"""Paper and brushes: what every drawing is made with. Pillow alone, no clock, no font of the machine's."""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import PurePosixPath
from random import Random

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont

Size = tuple[int, int]
Point = tuple[float, float]
Box = tuple[float, float, float, float]
RGB = tuple[int, int, int]

FINE = 2  # drawn at twice the size, then reduced: Pillow's own lines have no smooth edges

SAVING: dict[str, dict[str, object]] = {
    ".jpg": {"format": "JPEG", "quality": 84},
    ".png": {"format": "PNG"},
    ".webp": {"format": "WEBP", "quality": 82, "method": 2},
    ".gif": {"format": "GIF"},
    ".bmp": {"format": "BMP"},
    ".tif": {"format": "TIFF", "compression": "tiff_lzw"},
    ".avif": {"format": "AVIF", "quality": 70, "speed": 9, "max_threads": 1},
}


def dice(seed: str) -> Random:
    """Return chance that falls the same way each time."""
    return Random(seed)  # noqa: S311 - nothing here is secret


def encode(image: Image.Image, filename: str) -> bytes:
    """Return `image` as a file of the kind that `filename` ends in."""
    file = BytesIO()
    image.save(file, **SAVING[PurePosixPath(filename).suffix])  # type: ignore[arg-type]
    return file.getvalue()


def bind(pages: Sequence[Image.Image]) -> bytes:
    """Return a PDF of these pages, without the time of its making."""
    file = BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], creationDate=None, modDate=None)
    return file.getvalue()


@lru_cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def rgb(colour: str) -> RGB:
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def mix(first: str, second: str, share: float) -> str:
    """Return the colour that lies `share` (0 to 1) of the way from `first` to `second`."""
    channels = (round(a + (b - a) * share) for a, b in zip(rgb(first), rgb(second), strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def fade(colour: str, opacity: float) -> str:
    return f"{colour}{round(opacity * 255):02x}"


def readable(ground: str, dark: str, light: str) -> str:
    """Return which of the two is easier to read on `ground`."""
    return max(dark, light, key=lambda colour: abs(brightness(colour) - brightness(ground)))


def brightness(colour: str) -> float:
    red, green, blue = rgb(colour)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def mesh(size: Size, rows: Sequence[Sequence[str]]) -> Image.Image:
    """Return a gradient through a grid of colours, its rows equally long."""
    grid = Image.new("RGB", (len(rows[0]), len(rows)))
    grid.putdata([rgb(colour) for row in rows for colour in row])
    return grid.resize(size, Image.Resampling.BICUBIC)


def sweep(size: Size, *colours: str) -> Image.Image:
    """Return a gradient from the top to the bottom."""
    column = mesh((1, size[1]), [[colour] for colour in colours])
    return column.resize(size, Image.Resampling.NEAREST)


def grain(image: Image.Image, seed: str, strength: int = 7) -> Image.Image:
    """Return `image` with the noise of paper or film; `strength` is the most that a channel moves."""
    # Image.effect_noise() can't be seeded.
    noise = Image.frombytes("L", image.size, dice(seed).randbytes(image.width * image.height))
    noise = noise.point([round(level * 2 * strength / 255) for level in range(256)])
    layer = noise if image.mode == "L" else Image.merge(image.mode, [noise] * len(image.getbands()))
    return ImageChops.add(image, layer, offset=-strength)


def ridge(random: Random, length: int, roughness: float = 0.5, waves: int = 7) -> list[float]:
    """Return `length` heights from 0 to 1 of a skyline that no two seeds share."""
    parts = [
        (2**octave * random.uniform(0.7, 1.3), roughness**octave, random.uniform(0, math.tau))
        for octave in range(waves)
    ]
    heights = [
        sum(weight * math.sin(frequency * math.pi * x / length + phase) for frequency, weight, phase in parts)
        for x in range(length)
    ]
    low, high = min(heights), max(heights)
    return [(height - low) / (high - low) for height in heights]


def polar(centre: Point, distance: float, degrees: float) -> Point:
    """Return the point at a distance from `centre`; clockwise from three o'clock, as Pillow counts."""
    turn = math.radians(degrees)
    return centre[0] + math.cos(turn) * distance, centre[1] + math.sin(turn) * distance


def leaf(stem: Point, tip: Point, breadth: float) -> list[Point]:
    """Return the outline of a leaf from `stem` to `tip`, `breadth` of its length wide to either side."""
    dx, dy = tip[0] - stem[0], tip[1] - stem[1]
    outline = []
    for side in (1, -1):
        steps = range(13) if side > 0 else range(12, -1, -1)
        for step in steps:
            t = step / 12
            bulge = math.sin(math.pi * t**0.8) * breadth * side
            outline.append((stem[0] + dx * t - dy * bulge, stem[1] + dy * t + dx * bulge))
    return outline


class Canvas:
    """A picture in the making. Lengths are pixels of the finished picture, wherever fractions help."""

    def __init__(self, size: Size, ground: str | Image.Image, fine: int = FINE) -> None:
        self.size = size
        self.fine = fine
        self.width, self.height = width, height = size
        scaled = (width * fine, height * fine)
        if isinstance(ground, str):
            self.image = Image.new("RGBA" if len(ground) == 9 else "RGB", scaled, ground)
        else:
            self.image = ground.resize(scaled, Image.Resampling.NEAREST)
        # The mode "RGBA" blends translucent colours into the picture; on a transparent one they replace it.
        self.brush = ImageDraw.Draw(self.image, "RGBA")

    def finish(self, grain_seed: str = "", strength: int = 7) -> Image.Image:
        image = self.image.reduce(self.fine)
        return grain(image, grain_seed, strength) if grain_seed else image

    # Shapes

    def rectangle(self, box: Box, colour: str, radius: float = 0) -> None:
        left, top, right, bottom = (round(edge * self.fine) for edge in box)
        if right > left and bottom > top:
            self.brush.rounded_rectangle((left, top, right - 1, bottom - 1), radius * self.fine, colour)

    def frame(self, box: Box, colour: str, width: float, radius: float = 0) -> None:
        self.brush.rounded_rectangle(
            tuple(edge * self.fine for edge in box), radius * self.fine, outline=colour, width=round(width * self.fine)
        )

    def disc(self, centre: Point, radius: float, colour: str) -> None:
        self.brush.circle((centre[0] * self.fine, centre[1] * self.fine), radius * self.fine, colour)

    def ring(self, centre: Point, radius: float, colour: str, width: float) -> None:
        self.brush.circle(
            (centre[0] * self.fine, centre[1] * self.fine),
            radius * self.fine,
            outline=colour,
            width=max(1, round(width * self.fine)),
        )

    def ellipse(self, box: Box, colour: str) -> None:
        self.brush.ellipse(tuple(edge * self.fine for edge in box), colour)

    def slice(self, centre: Point, radius: float, start: float, end: float, colour: str) -> None:
        """Draw a part of a disc, from `start` to `end` in degrees, clockwise from three o'clock."""
        self.brush.pieslice(self._around(centre, radius), start, end, colour)

    def arc(self, centre: Point, radius: float, start: float, end: float, colour: str, width: float) -> None:
        self.brush.arc(self._around(centre, radius), start, end, colour, max(1, round(width * self.fine)))

    def _around(self, centre: Point, radius: float) -> Box:
        x, y = centre[0] * self.fine, centre[1] * self.fine
        reach = radius * self.fine
        return x - reach, y - reach, x + reach, y + reach

    def polygon(self, points: Iterable[Point], colour: str) -> None:
        self.brush.polygon([(x * self.fine, y * self.fine) for x, y in points], colour)

    def line(self, points: Iterable[Point], colour: str, width: float, round_ends: bool = True) -> None:
        path = [(x * self.fine, y * self.fine) for x, y in points]
        self.brush.line(path, colour, max(1, round(width * self.fine)), joint="curve")
        if round_ends:
            for end in (path[0], path[-1]):
                self.brush.circle(end, width * self.fine / 2, colour)

    # Letters

    def text(
        self, at: Point, text: str, size: float, colour: str, anchor: str = "ls", weight: float = 0, spacing: float = 0
    ) -> None:
        """Write `text` in `size` pixels; `weight` makes it bolder and `spacing` wider, in shares of the size."""
        face = font(round(size * self.fine))
        stroke = weight * size * self.fine
        x, y = at[0] * self.fine, at[1] * self.fine
        if not spacing:
            self.brush.text((x, y), text, colour, face, anchor, stroke_width=stroke)
            return
        gap = spacing * size * self.fine
        whole = sum(face.getlength(letter) + gap for letter in text) - gap
        x -= {"l": 0.0, "m": whole / 2, "r": whole}[anchor[0]]
        for letter in text:
            self.brush.text((x, y), letter, colour, face, "l" + anchor[1], stroke_width=stroke)
            x += face.getlength(letter) + gap

    def words(self, at: Point, width: float, lines: int, size: float, colour: str, random: Random) -> None:
        """Draw `lines` of copy too small to read: rounded bars of ragged length."""
        for line in range(lines):
            share = random.uniform(0.45, 0.7) if line == lines - 1 and lines > 1 else random.uniform(0.86, 1)
            top = at[1] + line * size * 2.1
            self.rectangle((at[0], top, at[0] + width * share, top + size), colour, size / 2)

    # Light

    def shadow(
        self, box: Box, blur: float, opacity: float, radius: float = 0, drop: float = 0, colour: str = "#000000"
    ) -> None:
        """Draw the soft shadow of a rounded box, before the box itself."""
        coarse = 8 / self.fine  # blurred small: soft things need few pixels
        pad = blur * 3
        left, top, right, bottom = box[0] - pad, box[1] - pad + drop, box[2] + pad, box[3] + pad + drop
        mask = Image.new("L", (round((right - left) / coarse), round((bottom - top) / coarse)))
        inner = [pad / coarse, pad / coarse, mask.width - pad / coarse, mask.height - pad / coarse]
        ImageDraw.Draw(mask).rounded_rectangle(inner, radius / coarse, round(opacity * 255))
        self.stain(mask.filter(ImageFilter.GaussianBlur(blur / coarse)), (left, top, right, bottom), colour)

    def glow(self, centre: Point, radius: float, colour: str, opacity: float) -> None:
        """Draw light that fades out from `centre` to `radius`."""
        # Pillow's radial gradient reaches 181 halfway along an edge, which becomes the rim.
        levels = [round(max(0, 1 - level / 181) ** 2 * 255 * opacity) for level in range(256)]
        x, y = centre
        self.stain(Image.radial_gradient("L").point(levels), (x - radius, y - radius, x + radius, y + radius), colour)

    def stain(self, mask: Image.Image, box: Box, colour: str) -> None:
        """Draw `colour` through a mask that is stretched to `box`."""
        left, top, right, bottom = (round(edge * self.fine) for edge in box)
        self.image.paste(colour, (left, top), self._stretched(mask, (right - left, bottom - top)))

    def place(self, picture: Image.Image, box: Box, radius: float = 0) -> None:
        """Put another picture into `box`, its corners rounded."""
        left, top, right, bottom = (round(edge * self.fine) for edge in box)
        picture = self._stretched(picture, (right - left, bottom - top))
        mask = Image.new("L", picture.size, 0 if radius else 255)
        if radius:
            ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), radius * self.fine, 255)
        if "A" in picture.getbands():
            mask = ImageChops.multiply(mask, picture.getchannel("A"))
        self.image.paste(picture, (left, top), mask)

    def _stretched(self, picture: Image.Image, scaled: Size) -> Image.Image:
        # Smoothly to the finished size, then by whole pixels: `finish()` undoes that, and it takes a third of the time.
        finished = picture.resize((scaled[0] // self.fine, scaled[1] // self.fine), Image.Resampling.BILINEAR)
        return finished.resize(scaled, Image.Resampling.NEAREST)


def smooth(points: Sequence[Point], steps: int = 12) -> list[Point]:
    """Return a curve through `points` (Catmull-Rom), `steps` to each stretch."""
    curve: list[Point] = []
    for index in range(len(points) - 1):
        p0, p1 = points[max(index - 1, 0)], points[index]
        p2, p3 = points[index + 1], points[min(index + 2, len(points) - 1)]
        for step in range(steps):
            t = step / steps
            curve.append((_catmull(p0[0], p1[0], p2[0], p3[0], t), _catmull(p0[1], p1[1], p2[1], p3[1], t)))
    return [*curve, points[-1]]


def _catmull(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)
