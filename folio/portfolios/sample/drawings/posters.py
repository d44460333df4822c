"""Posters and other sheets of letters and shapes."""

import math
from collections.abc import Sequence
from random import Random
from textwrap import wrap

from PIL import Image

from .canvas import Canvas, Point, Size, dice, fade, grain, mesh, mix, ridge, smooth, sweep

CREAM = "#fff3df"


def weather(size: Size, seed: str, rows: Sequence[Sequence[str]], strength: int = 6) -> Image.Image:
    """Draw soft weather: a grid of colours, melted."""
    return grain(mesh(size, rows), seed, strength)


def pulse(size: Size, seed: str, ground: Sequence[str], lines: Sequence[str], words: Sequence[str]) -> Image.Image:
    """Draw the poster of a concert: lines of sound one behind the other; `words` are a title, a place and a date."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, sweep(size, *ground))
    rows = 34
    for row in range(rows):
        share = row / (rows - 1)
        base = height * (0.3 + 0.48 * share)
        heights = ridge(random, 64, 0.75, 7)
        points = []
        for x, level in enumerate(heights):
            middle = math.exp(-(((x / 63 - 0.5 - 0.09 * math.sin(row / 6)) / 0.19) ** 2))
            points.append((width * (0.1 + 0.8 * x / 63), base - height * (0.012 + 0.15 * level**2) * middle))
        curve = smooth(points, 4)
        canvas.polygon(
            [*curve, (width * 0.9, base + height * 0.03), (width * 0.1, base + height * 0.03)],
            mix(ground[0], ground[-1], 0.3 + 0.48 * share),
        )
        tone = share * (len(lines) - 1)
        first = min(int(tone), len(lines) - 2)
        canvas.line(curve, mix(lines[first], lines[first + 1], tone - first), width * 0.0032, round_ends=False)
    title, place, date = words
    canvas.text((width * 0.1, height * 0.135), title, width * 0.118, lines[0], "ls", 0.016)
    canvas.text((width * 0.1, height * 0.92), place, width * 0.026, lines[-1], "ls", 0.015)
    canvas.text((width * 0.9, height * 0.92), date, width * 0.026, lines[-1], "rs", 0.015)
    return canvas.finish(seed, 9)


def waves(size: Size, sky: Sequence[str], sea: Sequence[str], paper: str, words: Sequence[str]) -> Image.Image:
    """Draw the cover of a report: a sea of bands under a white disc; `words` are a title and a line."""
    width, height = size
    canvas = Canvas(size, sweep(size, *sky))
    canvas.disc((width * 0.66, height * 0.36), width * 0.21, paper)
    bands = 11
    for band in range(bands):
        share = band / (bands - 1)
        base = height * (0.4 + 0.58 * share)
        points = [
            (
                width * x / 30,
                base
                + height * 0.028 * (1 + share) * math.sin(x / (2.6 + share * 2.2) + band * 1.35)
                + height * 0.01 * math.sin(x * 1.1 + band),
            )
            for x in range(31)
        ]
        curve = smooth(points, 5)
        tone = share * (len(sea) - 1)
        first = min(int(tone), len(sea) - 2)
        canvas.polygon([*curve, (width, height), (0, height)], mix(sea[first], sea[first + 1], tone - first))
        canvas.line(curve, fade(paper, 0.45 - share * 0.3), width * 0.0022, round_ends=False)
    canvas.text((width * 0.08, height * 0.115), words[0], width * 0.098, paper, "ls", 0.016)
    canvas.text((width * 0.08, height * 0.155), words[1], width * 0.03, paper)
    return canvas.finish()


def chairs(size: Size, seed: str, ground: str, colours: Sequence[str], ink: str, words: Sequence[str]) -> Image.Image:
    """Draw the poster of an exhibition: chairs of simple shapes on a grid; `words` are a title and two lines."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, ground)
    unit = width / 1200
    for row in range(4):
        for column in range(3):
            index = row * 3 + column
            if index >= 10:
                break
            x, y = (90 + column * 350) * unit, (390 + row * 290) * unit
            _chair(
                canvas,
                (x, y),
                290 * unit,
                index,
                colours[(index + index // 5 * 2) % len(colours)],
                colours[(index * 2 + 1 + index // 5) % len(colours)],
                ink,
            )
    canvas.text((90 * unit, 220 * unit), words[0], 150 * unit, ink, "ls", 0.02)
    canvas.text((90 * unit, 292 * unit), words[1], 36 * unit, ink)
    canvas.text((440 * unit, height - 148 * unit), words[2], 36 * unit, ink)
    canvas.text((440 * unit, height - 98 * unit), words[3], 36 * unit, mix(ink, ground, 0.4))
    return grain(canvas.finish(), random.random().hex(), 6).convert("CMYK")


def _chair(canvas: Canvas, at: Point, edge: float, kind: int, colour: str, second: str, ink: str) -> None:
    x, y = at

    def box(left: float, top: float, right: float, bottom: float, fill: str, radius: float = 0) -> None:
        canvas.rectangle((x + left * edge, y + top * edge, x + right * edge, y + bottom * edge), fill, radius * edge)

    def leg(*points: Point) -> None:
        canvas.line([(x + px * edge, y + py * edge) for px, py in points], ink, edge * 0.026)

    kind %= 5
    if kind == 0:
        leg((0.22, 0.5), (0.17, 0.86))
        leg((0.68, 0.5), (0.73, 0.86))
        box(0.18, 0.47, 0.76, 0.57, second, 0.05)
        box(0.16, 0.08, 0.27, 0.52, colour, 0.05)
    elif kind == 1:
        canvas.slice((x + edge * 0.46, y + edge * 0.42), edge * 0.34, 0, 180, colour)
        canvas.slice((x + edge * 0.46, y + edge * 0.42), edge * 0.34, 180, 270, second)
        leg((0.46, 0.74), (0.46, 0.86))
        leg((0.28, 0.86), (0.64, 0.86))
    elif kind == 2:
        box(0.14, 0.36, 0.8, 0.66, colour, 0.08)
        box(0.14, 0.12, 0.36, 0.66, second, 0.08)
        leg((0.22, 0.66), (0.22, 0.86))
        leg((0.72, 0.66), (0.72, 0.86))
    elif kind == 3:
        leg((0.2, 0.1), (0.34, 0.56), (0.76, 0.56))
        leg((0.34, 0.56), (0.22, 0.86), (0.76, 0.86), (0.76, 0.56))
        canvas.polygon(
            [(x + px * edge, y + py * edge) for px, py in ((0.15, 0.08), (0.28, 0.06), (0.4, 0.46), (0.28, 0.5))],
            colour,
        )
        box(0.32, 0.48, 0.82, 0.56, second, 0.03)
    else:
        canvas.disc((x + edge * 0.46, y + edge * 0.26), edge * 0.19, colour)
        box(0.22, 0.5, 0.7, 0.58, second, 0.04)
        leg((0.46, 0.4), (0.46, 0.52))
        for px in (0.26, 0.46, 0.66):
            leg((0.46 + (px - 0.46) * 0.6, 0.58), (px, 0.86))


def table(size: Size, seed: str, ground: str, plate: str, colours: Sequence[str], words: Sequence[str]) -> Image.Image:
    """Draw the poster of a pastry shop: cakes from above; `words` are a title and two lines."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, ground)
    unit = width / 1200
    stripe = 75 * unit
    for index in range(0, 17, 2):
        canvas.rectangle((index * stripe, 0, (index + 1) * stripe, height), mix(ground, "#ffffff", 0.35))
    cakes = [(325, 590, 250), (885, 530, 200), (850, 1070, 295), (300, 1190, 215)]
    for index, (cx, cy, reach) in enumerate(cakes):
        at, radius = (cx * unit, cy * unit), reach * unit
        canvas.shadow(
            (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius),
            26 * unit,
            0.28,
            radius,
            20 * unit,
            colours[-1],
        )
        canvas.disc(at, radius, plate)
        canvas.ring(at, radius * 0.9, mix(plate, colours[0], 0.5), 4 * unit)
        if index == 0:
            _tart(canvas, random, at, radius * 0.76, colours)
        elif index == 1:
            _bun(canvas, at, radius * 0.72, colours)
        elif index == 2:
            _slices(canvas, at, radius * 0.78, colours)
        else:
            _ring_cake(canvas, random, at, radius * 0.74, colours)
    canvas.rectangle((0, 0, width, 250 * unit), colours[-1])
    canvas.text((width / 2, 142 * unit), words[0], 104 * unit, plate, "ms", 0.012)
    canvas.text((width / 2, 200 * unit), words[1], 30 * unit, plate, "ms", 0, 0.16)
    for scallop in range(16):
        canvas.disc(((scallop + 0.5) * stripe, 250 * unit), stripe / 2, colours[-1])
    canvas.text((width / 2, height - 70 * unit), words[2], 34 * unit, colours[-1], "ms", 0.015)
    return canvas.finish(seed, 6)


def _tart(canvas: Canvas, random: Random, at: Point, radius: float, colours: Sequence[str]) -> None:
    crust = colours[3]
    for step in range(28):
        angle = step * math.tau / 28
        canvas.disc(
            (at[0] + math.cos(angle) * radius * 0.94, at[1] + math.sin(angle) * radius * 0.94), radius * 0.1, crust
        )
    canvas.disc(at, radius * 0.95, crust)
    canvas.disc(at, radius * 0.82, mix(CREAM, crust, 0.25))
    for ring, count in ((0.66, 15), (0.4, 9), (0.14, 3)):
        for step in range(count):
            angle = step * math.tau / count + ring
            berry = (at[0] + math.cos(angle) * radius * ring, at[1] + math.sin(angle) * radius * ring)
            tone = mix(colours[0], colours[4], random.uniform(0, 0.35))
            canvas.disc(berry, radius * 0.125, tone)
            canvas.disc((berry[0] - radius * 0.035, berry[1] - radius * 0.04), radius * 0.035, fade("#ffffff", 0.6))


def _bun(canvas: Canvas, at: Point, radius: float, colours: Sequence[str]) -> None:
    canvas.disc(at, radius, mix(colours[3], colours[4], 0.15))
    points = []
    for step in range(150):
        turn = step / 150 * math.tau * 2.8
        reach = radius * (0.94 - 0.86 * step / 150)
        points.append((at[0] + math.cos(turn) * reach, at[1] + math.sin(turn) * reach))
    canvas.line(points, mix(colours[3], colours[4], 0.62), radius * 0.11)
    canvas.line([(x - radius * 0.03, y - radius * 0.05) for x, y in points[10:120]], fade(CREAM, 0.75), radius * 0.045)


def _slices(canvas: Canvas, at: Point, radius: float, colours: Sequence[str]) -> None:
    canvas.disc(at, radius, mix(colours[1], "#ffffff", 0.2))
    canvas.ring(at, radius, colours[1], radius * 0.09)
    for step in range(12):
        angle = step * 30 + 4
        turn = math.radians(angle + 11)
        heart = (at[0] + math.cos(turn) * radius * 0.06, at[1] + math.sin(turn) * radius * 0.06)
        canvas.slice(
            heart, radius * 0.8, angle, angle + 23, colours[2] if step % 2 else mix(colours[2], "#ffffff", 0.3)
        )
    canvas.disc(at, radius * 0.17, CREAM)
    canvas.disc(at, radius * 0.09, colours[0])


def _ring_cake(canvas: Canvas, random: Random, at: Point, radius: float, colours: Sequence[str]) -> None:
    canvas.disc(at, radius, mix(colours[3], colours[4], 0.3))
    glaze = []
    for step in range(60):
        angle = step * math.tau / 60
        reach = radius * (0.88 + 0.05 * math.sin(step * 1.05) + 0.03 * math.sin(step * 0.52))
        glaze.append((at[0] + math.cos(angle) * reach, at[1] + math.sin(angle) * reach))
    canvas.polygon(glaze, mix(colours[0], "#ffffff", 0.42))
    canvas.disc(at, radius * 0.36, mix(colours[3], colours[4], 0.45))
    canvas.disc(at, radius * 0.29, CREAM)
    for _ in range(70):
        turn, reach = random.uniform(0, math.tau), radius * random.uniform(0.44, 0.8)
        x, y, angle = at[0] + math.cos(turn) * reach, at[1] + math.sin(turn) * reach, random.uniform(0, math.pi)
        long = radius * 0.035
        canvas.line(
            [(x, y), (x + math.cos(angle) * long, y + math.sin(angle) * long)],
            random.choice([CREAM, colours[1], colours[2], colours[4]]),
            radius * 0.026,
        )


def signs(size: Size, seed: str, ground: str, panel: str, letters: str, accents: Sequence[str]) -> Image.Image:
    """Draw a tall street sign: a number, walking times and arrows, its shadow on a wall."""
    width, height = size
    canvas = Canvas(size, sweep(size, mix(ground, "#ffffff", 0.22), ground))
    unit = width / 1200
    for course in range(int(height / (58 * unit)) + 1):
        y = course * 58 * unit
        canvas.line([(0, y), (width, y)], fade("#000000", 0.05), 2 * unit)
        for joint in range(8):
            x = (joint + (course % 2) / 2) * 168 * unit
            canvas.line([(x, y), (x, y + 58 * unit)], fade("#000000", 0.05), 2 * unit)
    left, right, top = 330 * unit, 870 * unit, 170 * unit
    canvas.polygon(
        [(right, top + 60 * unit), (width, top + 330 * unit), (width, height), (right - 40 * unit, height)],
        fade("#1b1f2a", 0.2),
    )
    canvas.rectangle((left, top, right, height), panel, 10 * unit)
    canvas.rectangle((right - 22 * unit, top, right, height), mix(panel, "#000000", 0.3))
    canvas.rectangle((left, top, right, top + 420 * unit), accents[0], 10 * unit)
    canvas.rectangle((right - 22 * unit, top + 4 * unit, right, top + 420 * unit), mix(accents[0], "#000000", 0.25))
    canvas.text((left + 40 * unit, top + 350 * unit), "7", 380 * unit, letters, "ls", 0.02)
    canvas.text((left + 300 * unit, top + 90 * unit), "Old Weir", 46 * unit, letters, "ls", 0.015)
    canvas.text((left + 300 * unit, top + 142 * unit), "District", 46 * unit, letters, "ls", 0.015)
    rows = [
        ("Market Hall", "4 min", -90),
        ("River Steps", "6 min", 0),
        ("Tram 2, 5", "3 min", 180),
        ("Library", "9 min", -45),
        ("Tannery Park", "12 min", 0),
    ]
    for index, (name, time, turn) in enumerate(rows):
        y = top + (520 + index * 150) * unit
        if y > height:
            break
        _arrow(canvas, (left + 78 * unit, y), 34 * unit, turn, accents[1 + index % (len(accents) - 1)])
        canvas.text((left + 146 * unit, y + 2 * unit), name, 44 * unit, letters, "ls", 0.012)
        canvas.text((left + 146 * unit, y + 42 * unit), time, 27 * unit, mix(letters, panel, 0.35))
        canvas.line(
            [(left + 40 * unit, y + 78 * unit), (right - 62 * unit, y + 78 * unit)], mix(panel, letters, 0.25), 2 * unit
        )
    return canvas.finish(seed, 7)


def _arrow(canvas: Canvas, at: Point, long: float, turn: float, colour: str) -> None:
    angle = math.radians(turn)

    def spun(x: float, y: float) -> Point:
        return at[0] + x * math.cos(angle) - y * math.sin(angle), at[1] + x * math.sin(angle) + y * math.cos(angle)

    canvas.line([spun(-long, 0), spun(long * 0.9, 0)], colour, long * 0.26)
    canvas.line(
        [spun(long * 0.2, -long * 0.72), spun(long * 0.95, 0), spun(long * 0.2, long * 0.72)], colour, long * 0.26
    )


def specimen(size: Size, letter: str, name: str, ground: str, ink: str) -> Image.Image:
    """Draw a page of a type specimen: one letter as large as the page, its guides, and the alphabet."""
    width, height = size
    canvas = Canvas(size, ground)
    unit = height / 1200
    base, line = height * 0.66, mix(ink, ground, 0.7)
    for y, label in (
        (base, "Baseline"),
        (base - 0.52 * 760 * unit, "x-height"),
        (base - 0.712 * 760 * unit, "Cap height"),
        (base + 0.2 * 760 * unit, "Descender"),
    ):
        canvas.line([(80 * unit, y), (width - 80 * unit, y)], line, 2 * unit)
        canvas.text((width - 80 * unit, y - 10 * unit), label, 19 * unit, mix(ink, ground, 0.45), "rs")
    canvas.text((width * 0.46, base), letter, 760 * unit, ink, "ms")
    canvas.text((80 * unit, 116 * unit), name, 44 * unit, ink, "ls", 0.018)
    canvas.text((width - 80 * unit, 116 * unit), "Regular 400", 26 * unit, ink, "rs")
    canvas.text((80 * unit, height - 150 * unit), "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 54 * unit, ink, spacing=0.06)
    canvas.text((80 * unit, height - 76 * unit), "abcdefghijklmnopqrstuvwxyz 0123456789", 41 * unit, ink, spacing=0.07)
    return canvas.finish()


def page(size: Size, paper: str, ink: str, title: str, text: str) -> Image.Image:
    """Draw a page of a report: a title, and paragraphs in lines of up to 62 letters."""
    canvas = Canvas(size, paper)
    unit = size[0] / 744
    canvas.text((72 * unit, 132 * unit), title, 40 * unit, ink, "ls", 0.015)
    y = 196 * unit
    for paragraph in text.strip().split("\n\n"):
        for line in wrap(paragraph, 62):
            canvas.text((72 * unit, y), line, 19 * unit, mix(ink, paper, 0.15))
            y += 31 * unit
        y += 22 * unit
    return canvas.finish()
