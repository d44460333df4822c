"""Marks: the logos of employers, the little pictures of tags. On transparent ground where not said otherwise."""

import math

from PIL import Image

from .canvas import Canvas, Point, Size, leaf, mix, smooth

CLEAR = "#00000000"


def waves_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw a sun that sets behind three waves, in a disc."""
    canvas, (x, y), reach = _sheet(size)
    canvas.disc((x, y), reach, ink)
    canvas.disc((x, y - reach * 0.16), reach * 0.42, accent)
    for row in range(3):
        base = y + reach * (0.02 + row * 0.27)
        crest = [
            (x + reach * (step / 12 - 1), base + math.sin(step * 0.785 + row * 2.4) * reach * 0.075)
            for step in range(25)
        ]
        canvas.polygon(
            [*smooth(crest, 4), (x + reach, y + reach), (x - reach, y + reach)], mix(ink, "#ffffff", 0.86 - 0.27 * row)
        )
    return _in_disc(canvas, (x, y), reach)


def bird_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw a falcon whose body is a cup."""
    canvas, (x, y), reach = _sheet(size)

    def at(across: float, down: float) -> Point:
        return x + reach * across, y + reach * down

    canvas.polygon([at(-0.62, 0.02), at(-1, -0.5), at(-0.2, -0.1)], mix(ink, accent, 0.4))
    canvas.slice(at(-0.02, -0.1), reach * 0.72, 0, 180, ink)
    canvas.rectangle((*at(0.2, -0.36), *at(0.7, -0.08)), ink)
    canvas.disc(at(0.42, -0.38), reach * 0.28, ink)
    canvas.slice(at(-0.5, -0.1), reach * 0.56, 0, 90, accent)
    canvas.slice(at(-0.5, -0.1), reach * 0.34, 0, 90, mix(ink, accent, 0.4))
    canvas.polygon([at(0.66, -0.54), at(1, -0.3), at(0.66, -0.24)], accent)
    canvas.disc(at(0.47, -0.43), reach * 0.075, "#ffffff")
    canvas.rectangle((*at(-0.66, 0.7), *at(0.62, 0.8)), accent, reach * 0.05)
    return canvas.finish()


def orbit_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw three orbits around a star, open to one side."""
    canvas, (x, y), reach = _sheet(size)
    for ring, (start, end) in enumerate(((-30, 240), (20, 300), (-80, 200))):
        radius = reach * (0.95 - ring * 0.25)
        canvas.arc((x, y), radius, start, end, ink, reach * 0.09)
        turn = math.radians(end)
        canvas.disc((x + math.cos(turn) * radius * 0.96, y + math.sin(turn) * radius * 0.96), reach * 0.09, accent)
    canvas.polygon(_star((x, y), reach * 0.3, reach * 0.09, 4), accent)
    return canvas.finish()


def rails_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw an N of two lines that meet at a stop."""
    canvas, (x, y), reach = _sheet(size)
    canvas.rectangle((x - reach, y - reach, x + reach, y + reach), ink, reach * 0.32)
    bend = reach * 0.48
    canvas.line(
        [(x - bend, y + bend), (x - bend, y - bend), (x + bend, y + bend), (x + bend, y - bend)], "#ffffff", reach * 0.2
    )
    canvas.disc((x + bend, y - bend), reach * 0.2, accent)
    canvas.disc((x + bend, y - bend), reach * 0.09, ink)
    return canvas.finish()


def pages_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw an open book that is a bird as well."""
    canvas, (x, y), reach = _sheet(size)
    for side, colour in ((-1, ink), (1, accent)):
        for sheet in range(3):
            lift = reach * (0.66 - sheet * 0.32)
            far = [
                (x, y + reach * 0.5),
                (x + side * reach * 0.45, y + reach * 0.28 - lift),
                (x + side * reach, y + reach * 0.1 - lift),
            ]
            curve = smooth(far, 10)
            canvas.polygon(
                [*curve, *((px, py + reach * 0.2) for px, py in reversed(curve))], mix(colour, "#ffffff", sheet * 0.26)
            )
    return canvas.finish()


def turbine_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw a leaf-bladed turbine over a hill."""
    canvas, (x, y), reach = _sheet(size)
    canvas.disc((x, y), reach, accent)
    canvas.disc((x + reach * 0.2, y + reach * 1.16), reach * 0.88, mix(ink, accent, 0.3))
    hub = (x, y - reach * 0.14)
    canvas.polygon(
        [
            (hub[0] - reach * 0.035, hub[1]),
            (hub[0] + reach * 0.035, hub[1]),
            (hub[0] + reach * 0.07, y + reach),
            (hub[0] - reach * 0.07, y + reach),
        ],
        ink,
    )
    for blade in range(3):
        turn = math.radians(blade * 120 - 68)
        canvas.polygon(
            leaf(hub, (hub[0] + math.cos(turn) * reach * 0.74, hub[1] + math.sin(turn) * reach * 0.74), 0.13), ink
        )
    canvas.disc(hub, reach * 0.09, "#ffffff")
    return _in_disc(canvas, (x, y), reach)


def crocus_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw a saffron crocus in an eight-pointed star."""
    canvas, (x, y), reach = _sheet(size)
    canvas.polygon(_star((x, y), reach, reach * 0.765, 8), ink)
    canvas.polygon(_star((x, y), reach * 0.86, reach * 0.66, 8), mix(ink, "#ffffff", 0.12))
    root = (x, y + reach * 0.52)
    for angle, breadth in ((-128, 0.2), (-52, 0.2), (-110, 0.2), (-70, 0.2), (-90, 0.2)):
        turn = math.radians(angle)
        canvas.polygon(
            leaf(root, (root[0] + math.cos(turn) * reach * 1.02, root[1] + math.sin(turn) * reach * 1.02), breadth),
            mix("#f3e9ff", "#a58bd0", abs(angle + 90) / 42),
        )
    for shift in (-0.12, 0, 0.12):
        tip = (x + shift * reach, y - reach * (0.4 - abs(shift)))
        canvas.line([root, tip], accent, reach * 0.05)
        canvas.disc(tip, reach * 0.055, accent)
    return canvas.finish()


def arms_mark(size: Size, ink: str, accent: str) -> Image.Image:
    """Draw a city's arms, plainly: a bridge over a river, on a shield."""
    canvas, (x, y), reach = _sheet(size)
    side = [
        (x + reach * dx, y + reach * dy) for dx, dy in ((0.82, -0.95), (0.82, 0.1), (0.66, 0.5), (0.36, 0.8), (0, 1))
    ]
    shield = [*side[:2], *smooth(side[1:], 6)]
    canvas.polygon([*shield, *((2 * x - px, py) for px, py in reversed(shield))], ink)
    canvas.rectangle((x - reach * 0.6, y - reach * 0.2, x + reach * 0.6, y - reach * 0.04), "#ffffff")
    for index in range(3):
        at = (x + (index - 1) * reach * 0.4, y + reach * 0.26)
        canvas.rectangle((at[0] - reach * 0.2, y - reach * 0.1, at[0] + reach * 0.2, at[1]), "#ffffff")
    for index in range(3):
        at = (x + (index - 1) * reach * 0.4, y + reach * 0.26)
        canvas.slice(at, reach * 0.15, 180, 360, ink)
        canvas.rectangle((at[0] - reach * 0.11, y - reach * 0.42, at[0] + reach * 0.11, y - reach * 0.18), "#ffffff")
    for row in range(2):
        base = y + reach * (0.4 + row * 0.17)
        half = reach * (0.56 - row * 0.14)
        canvas.line(
            smooth([(x + half * (step / 6 - 1), base + (step % 2) * reach * 0.06) for step in range(13)], 5),
            accent,
            reach * 0.065,
        )
    return canvas.finish()


def _sheet(size: Size) -> tuple[Canvas, Point, float]:
    return Canvas(size, CLEAR, 4), (size[0] / 2, size[1] / 2), min(size) * 0.46


def _in_disc(canvas: Canvas, at: Point, reach: float) -> Image.Image:
    """Return the mark without what lies outside of its disc."""
    cut = Canvas(canvas.size, CLEAR, 4)
    disc = Canvas(canvas.size, "#000000", 4)
    disc.disc(at, reach, "#ffffff")
    cut.image.paste(canvas.image, (0, 0), disc.image.convert("L"))
    return cut.finish()


def _star(centre: Point, long: float, short: float, points: int) -> list[Point]:
    return [
        (
            centre[0] + math.sin(step * math.pi / points) * (short if step % 2 else long),
            centre[1] - math.cos(step * math.pi / points) * (short if step % 2 else long),
        )
        for step in range(points * 2)
    ]


def icon(size: Size, kind: str, ground: str, ink: str, accent: str) -> Image.Image:
    """Draw the little picture of a tag: `brand`, `web`, `print` or `data`, on a ground of its own."""
    canvas = Canvas(size, ground)
    edge = min(size)
    x, y = size[0] / 2, size[1] / 2
    if kind == "brand":
        canvas.disc((x - edge * 0.12, y), edge * 0.25, ink)
        canvas.disc((x + edge * 0.12, y), edge * 0.25, accent + "d8")
    elif kind == "web":
        canvas.rectangle((x - edge * 0.34, y - edge * 0.26, x + edge * 0.34, y + edge * 0.28), ink, edge * 0.05)
        canvas.rectangle((x - edge * 0.29, y - edge * 0.14, x + edge * 0.29, y + edge * 0.23), ground, edge * 0.02)
        for dot in range(3):
            canvas.disc((x + edge * (-0.27 + dot * 0.07), y - edge * 0.2), edge * 0.022, ground)
        canvas.polygon(
            [
                (x - edge * 0.22, y + edge * 0.23),
                (x - edge * 0.04, y - edge * 0.05),
                (x + edge * 0.14, y + edge * 0.23),
            ],
            accent,
        )
        canvas.disc((x + edge * 0.15, y - edge * 0.03), edge * 0.06, accent)
    elif kind == "print":
        for step in range(4):
            canvas.slice(
                (x - edge * 0.3, y + edge * 0.3), edge * (0.62 - step * 0.14), 270, 360, (ink, accent)[step % 2]
            )
    else:
        for step, share in enumerate((0.3, 0.52, 0.42, 0.66)):
            left = x + edge * (-0.32 + step * 0.17)
            canvas.rectangle(
                (left, y + edge * (0.32 - share), left + edge * 0.12, y + edge * 0.32),
                accent if step == 3 else ink,
                edge * 0.02,
            )
    return canvas.finish()
