"""Places: hills, a harbour, a city of blocks, the night sky."""

import math
from collections.abc import Sequence
from random import Random

from PIL import Image

from .canvas import Canvas, Point, Size, dice, fade, mesh, mix, ridge, smooth, sweep


def hills(size: Size, seed: str, sky: Sequence[str], far: str, near: str, sun: str, *, ridges: int = 6) -> Image.Image:
    """Draw ranges of hills, hazy and light in the distance, under a low sun."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, sweep(size, *sky))
    unit = min(size)
    sun_at = (width * random.uniform(0.58, 0.72), height * 0.36)
    canvas.glow(sun_at, unit * 0.75, sun, 0.55)
    canvas.disc(sun_at, unit * 0.085, mix(sun, "#ffffff", 0.25))
    for index in range(ridges):
        share = index / (ridges - 1)
        base = height * (0.42 + 0.5 * share**1.15)
        swing = height * (0.15 + 0.1 * share)
        heights = ridge(random, 90, 0.52 - 0.1 * share, 7 if share < 0.6 else 5)
        line = [(x * width / 89, base - level * swing + swing * 0.35) for x, level in enumerate(heights)]
        colour = mix(far, near, share**0.9)
        canvas.polygon([*smooth(line, 6), (width, height), (0, height)], colour)
        if share > 0.7:
            _pines(canvas, random, line, unit * 0.02 * (1 + share), mix(colour, near, 0.7))
    return canvas.finish(seed, 6)


def _pines(canvas: Canvas, random: Random, line: list[Point], tall: float, colour: str) -> None:
    for x, y in line:
        for _ in range(random.choice((0, 1, 1, 2))):
            at = x + random.uniform(-1, 1) * canvas.width / 90
            top = tall * random.uniform(0.6, 1.5)
            for tier in range(3):
                spread, foot = top * (0.2 + 0.1 * tier), y - top * (0.62 - 0.28 * tier) + tall * 0.35
                canvas.polygon([(at - spread, foot), (at, foot - top * 0.5), (at + spread, foot)], colour)


def harbour(
    size: Size,
    seed: str,
    sky: Sequence[str],
    water: Sequence[str],
    houses: Sequence[str],
    sail: str,
    ink: str,
    *,
    horizon: float = 0.56,
    sun: float = 0.27,
) -> Image.Image:
    """Draw a row of harbour houses and boats, with their reflections."""
    random = dice(seed)
    width, height = size
    shore = height * horizon
    canvas = Canvas(size, sweep(size, *sky))
    unit = min(size)
    canvas.glow((width * sun, height * (horizon - 0.26)), unit * 0.5, "#ffffff", 0.5)
    canvas.disc((width * sun, height * (horizon - 0.26)), unit * 0.075, mix(sky[-1], "#ffffff", 0.7))
    back = [(x * width / 39, shore - unit * (0.05 + 0.16 * level)) for x, level in enumerate(ridge(random, 40))]
    canvas.polygon([*smooth(back), (width, shore), (0, shore)], mix(sky[-1], houses[-1], 0.35))
    canvas.place(sweep((8, 64), *water), (0, shore, width, height))
    x = width * 0.04
    while x < width * 0.97:
        wide, tall = unit * random.uniform(0.07, 0.11), unit * random.uniform(0.15, 0.26)
        colour = random.choice(houses)
        _house(canvas, x, shore, wide, tall, colour, sail)
        canvas.polygon(
            [
                (x, shore),
                (x + wide, shore),
                (x + wide, shore + tall * 0.8),
                (x + wide / 2, shore + tall),
                (x, shore + tall * 0.8),
            ],
            fade(colour, 0.34),
        )
        x += wide + unit * random.choice((0.004, 0.004, 0.012))
    canvas.rectangle((0, shore - unit * 0.006, width, shore + unit * 0.01), ink)
    for share, scale in ((0.2, 0.9), (0.52, 1.35), (0.83, 1.05)):
        _boat(canvas, (width * share, shore + unit * 0.1 * scale), unit * 0.2 * scale, sail, ink)
    for _ in range(90):
        depth = random.random() ** 1.5
        y = shore + unit * 0.03 + depth * (height - shore)
        long, at = unit * random.uniform(0.02, 0.1) * (0.4 + depth), random.uniform(0, width)
        canvas.rectangle((at, y, at + long, y + unit * 0.0035), fade("#ffffff", 0.22), unit * 0.002)
    return canvas.finish(seed, 6)


def _house(canvas: Canvas, x: float, foot: float, wide: float, tall: float, colour: str, light: str) -> None:
    eaves = foot - tall * 0.8
    canvas.polygon([(x, foot), (x, eaves), (x + wide / 2, foot - tall), (x + wide, eaves), (x + wide, foot)], colour)
    shade = mix(colour, "#000000", 0.18)
    canvas.polygon(
        [
            (x + wide / 2, foot - tall),
            (x + wide, eaves),
            (x + wide, foot),
            (x + wide * 0.86, foot),
            (x + wide * 0.86, eaves - tall * 0.02),
        ],
        shade,
    )
    pane = wide * 0.17
    row = eaves + pane * 0.5
    while row < foot - pane * 2.2:
        for column in (0.18, 0.53):
            canvas.rectangle((x + wide * column, row, x + wide * column + pane, row + pane * 1.35), fade(light, 0.9))
        row += pane * 2.1


def _boat(canvas: Canvas, at: Point, long: float, sail: str, ink: str) -> None:
    x, y = at
    canvas.polygon([(x, y - long * 0.06), (x, y - long * 1.05), (x + long * 0.42, y - long * 0.14)], sail)
    canvas.polygon(
        [(x - long * 0.03, y - long * 0.06), (x - long * 0.03, y - long * 0.86), (x - long * 0.33, y - long * 0.14)],
        mix(sail, ink, 0.18),
    )
    canvas.polygon(
        [
            (x - long * 0.42, y - long * 0.05),
            (x + long * 0.5, y - long * 0.05),
            (x + long * 0.32, y + long * 0.1),
            (x - long * 0.3, y + long * 0.1),
        ],
        ink,
    )
    canvas.polygon(
        [
            (x - long * 0.3, y + long * 0.1),
            (x + long * 0.32, y + long * 0.1),
            (x + long * 0.18, y + long * 0.5),
            (x, y + long * 0.62),
        ],
        fade(sail, 0.28),
    )


def blocks(
    size: Size, seed: str, ground: Sequence[str], faces: Sequence[str], light: str, *, edge: float = 108
) -> Image.Image:
    """Draw a small city of isometric blocks, lit from the left, with lights in some windows."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, sweep(size, *ground))
    columns = 11
    half, quarter = edge, edge / 2
    origin = (width / 2, height * 0.5 - (columns - 1) * quarter + edge * 0.9)
    canvas.polygon(
        _rhombus((origin[0], origin[1] + (columns - 1) * quarter), edge * (columns + 0.6)),
        mix(ground[-1], "#000000", 0.16),
    )
    canvas.polygon(
        _rhombus((origin[0], origin[1] + (columns - 1) * quarter - edge * 0.22), edge * (columns + 0.6)),
        mix(ground[-1], "#ffffff", 0.25),
    )
    for row in range(columns):
        for column in range(columns):
            middle = 1 - math.hypot(row - (columns - 1) / 2, column - (columns - 1) / 2) / columns
            x = origin[0] + (column - row) * half
            y = origin[1] + (column + row) * quarter - edge * 0.22
            if row == 4 or column == 6:
                _street(canvas, (x, y), edge, mix(ground[-1], "#ffffff", 0.55))
                continue
            if random.random() < 0.2:
                _park(canvas, random, (x, y), edge, faces)
                continue
            tall = edge * (0.35 + random.random() ** 2 * 4.6 * middle**2)
            _block(canvas, random, (x, y), edge * 0.82, tall, random.choice(faces), light)
    return canvas.finish(seed, 5)


def _rhombus(centre: Point, half: float) -> list[Point]:
    x, y = centre
    return [(x, y - half / 2), (x + half, y), (x, y + half / 2), (x - half, y)]


def _street(canvas: Canvas, at: Point, edge: float, colour: str) -> None:
    canvas.polygon(_rhombus(at, edge), colour)


def _park(canvas: Canvas, random: Random, at: Point, edge: float, faces: Sequence[str]) -> None:
    leaf = faces[-1]
    canvas.polygon(_rhombus(at, edge * 0.82), mix(leaf, "#ffffff", 0.35))
    for dx, dy in ((0, -0.2), (-0.35, 0), (0.3, 0.04), (0, 0.2)):
        if random.random() < 0.75:
            x, y, tall = at[0] + dx * edge, at[1] + dy * edge, edge * random.uniform(0.2, 0.32)
            canvas.line([(x, y), (x, y - tall)], mix(leaf, "#000000", 0.5), edge * 0.05)
            canvas.disc((x, y - tall), tall * 0.75, leaf)
            canvas.disc((x - tall * 0.18, y - tall * 1.15), tall * 0.42, mix(leaf, "#ffffff", 0.22))


def _block(canvas: Canvas, random: Random, at: Point, half: float, tall: float, colour: str, light: str) -> None:
    x, y = at
    left, right, top = mix(colour, "#ffffff", 0.06), mix(colour, "#1b1440", 0.34), mix(colour, "#ffffff", 0.42)
    canvas.polygon([(x - half, y), (x, y + half / 2), (x, y + half / 2 - tall), (x - half, y - tall)], left)
    canvas.polygon([(x + half, y), (x, y + half / 2), (x, y + half / 2 - tall), (x + half, y - tall)], right)
    canvas.polygon(_rhombus((x, y - tall), half), top)
    floors = int(tall / (half * 0.42))
    for floor in range(floors):
        for window in range(3):
            lit = random.random() < 0.4
            for side in (-1, 1):
                start = side * half * (0.14 + window * 0.28)
                end = start + side * half * 0.16
                low = tall - half * (0.2 + floor * 0.42)
                colour_ = light if lit and side < 0 else fade("#1b1440", 0.16)
                points = [
                    (x + dx, y + half / 2 - abs(dx) / 2 - low + lift)
                    for dx, lift in ((start, 0), (end, 0), (end, half * 0.2), (start, half * 0.2))
                ]
                canvas.polygon(points, colour_)


def star_trails(size: Size, seed: str) -> Image.Image:
    """Draw an hour of stars turning over a dome, in shades of grey."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, sweep(size, "#07090d", "#12161d", "#2b323d", "#5a636f"))
    pole = (width * 0.56, height * 0.3)
    for _ in range(1100):
        radius, turn = height * 0.9 * random.random() ** 0.7, random.uniform(0, math.tau)
        bright = random.random()
        trail = [
            (pole[0] + radius * math.cos(turn + step / 22), pole[1] + radius * math.sin(turn + step / 22))
            for step in range(15)
        ]
        # Pillow's own arcs fill their whole box, and a sky of them takes half a second.
        canvas.line(trail, fade("#ffffff", 0.16 + 0.7 * bright**3), 0.8 + 1.4 * bright**6, round_ends=False)
    canvas.disc(pole, 3, "#ffffff")
    for depth, level in ((0.8, "#20262f"), (0.86, "#12161c")):
        line = [(x * width / 59, height * (depth - 0.08 * y)) for x, y in enumerate(ridge(random, 60, 0.45, 6))]
        canvas.polygon([*smooth(line, 6), (width, height), (0, height)], level)
    _dome(canvas, (width * 0.34, height * 0.83), width * 0.17)
    canvas.polygon(
        [
            (0, height),
            (0, height * 0.9),
            *[(x * width / 20, height * (0.895 - 0.012 * math.sin(x))) for x in range(21)],
            (width, height),
        ],
        "#06080b",
    )
    return canvas.finish(seed, 9).convert("L")


def _dome(canvas: Canvas, at: Point, radius: float) -> None:
    x, y = at
    canvas.rectangle((x - radius, y, x + radius, y + radius * 0.9), "#0b0e13")
    canvas.slice(at, radius, 180, 360, "#171c24")
    canvas.slice(at, radius, 180, 236, "#222934")
    slit = [(x + radius * across, y - radius * up) for across, up in ((0.16, 0), (0.13, 0.55), (0.05, 0.998))]
    canvas.polygon(
        [
            *smooth(slit),
            (x + radius * 0.2, y - radius * 0.98),
            (x + radius * 0.34, y - radius * 0.55),
            (x + radius * 0.4, y),
        ],
        "#f4efdf",
    )
    canvas.rectangle((x - radius * 1.06, y - radius * 0.03, x + radius * 1.06, y + radius * 0.06), "#0b0e13")
    for step in range(5):
        left = x - radius * 0.8 + step * radius * 0.38
        canvas.rectangle(
            (left, y + radius * 0.3, left + radius * 0.1, y + radius * 0.5), "#f4efdf" if step in (1, 3) else "#1b212a"
        )


def planets(size: Size, seed: str, sky: Sequence[Sequence[str]], bodies: Sequence[str], light: str) -> Image.Image:
    """Draw planets on their orbits, each lit by the star at the corner."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, mesh(size, sky))
    unit = min(size)
    star = (width * 0.06, height * 0.94)
    for _ in range(260):
        canvas.disc(
            (random.uniform(0, width), random.uniform(0, height)),
            unit * random.choice((0.0008, 0.001, 0.0018)),
            fade(light, random.uniform(0.3, 0.9)),
        )
    canvas.glow(star, unit * 0.95, bodies[0], 0.8)
    orbits = [0.42, 0.68, 0.95, 1.24]
    for orbit in orbits:
        canvas.ring(star, unit * orbit, fade(light, 0.3), unit * 0.0018)
    canvas.disc(star, unit * 0.2, mix(bodies[0], light, 0.4))
    for orbit, angle, radius, colour in zip(
        orbits, (-66, -22, -48, -31), (0.035, 0.075, 0.12, 0.06), bodies[1:], strict=False
    ):
        turn = math.radians(angle)
        at = (star[0] + math.cos(turn) * unit * orbit, star[1] + math.sin(turn) * unit * orbit)
        _planet(canvas, at, unit * radius, colour, angle)
        if radius > 0.1:
            for step in range(4):
                points = [
                    (
                        at[0] + math.cos(t) * unit * radius * (1.55 + step * 0.13),
                        at[1] + math.sin(t) * unit * radius * (0.36 + step * 0.03) - math.cos(t) * unit * radius * 0.4,
                    )
                    for t in (math.radians(degree) for degree in range(-28, 209, 4))
                ]
                canvas.line(points, fade(light, 0.85 - step * 0.15), unit * 0.004, round_ends=False)
    return canvas.finish(seed, 6)


def _planet(canvas: Canvas, at: Point, radius: float, colour: str, angle: float) -> None:
    canvas.disc(at, radius, mix(colour, "#000000", 0.55))
    turn = math.radians(angle)
    for step in range(30):  # ever smaller discs towards the star make the terminator soft
        share = step / 29
        shift = radius * 0.62 * share
        centre = (at[0] - math.cos(turn) * shift, at[1] - math.sin(turn) * shift)
        tone = mix(mix(colour, "#000000", 0.55), mix(colour, "#ffffff", 0.3), min(1, share * 1.25))
        canvas.disc(centre, radius - shift * 1.01, tone)
