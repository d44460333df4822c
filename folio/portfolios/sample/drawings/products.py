"""Things one can hold: bags of coffee, books, vases, stationery, a sheet of colours."""

import math
from collections.abc import Sequence
from random import Random

from PIL import Image

from .canvas import Box, Canvas, Point, Size, dice, fade, leaf, mix, readable, smooth, sweep


def _table(size: Size, wall: str, table: str, edge: float) -> Canvas:
    """Return a canvas with a wall and a table top that meet at `edge` of the height."""
    canvas = Canvas(size, sweep(size, mix(wall, "#ffffff", 0.16), wall, mix(wall, "#000000", 0.06)))
    top = size[1] * edge
    canvas.place(sweep((8, 64), mix(table, "#ffffff", 0.12), table, mix(table, "#000000", 0.12)), (0, top, *size))
    canvas.rectangle((0, top, size[0], top + 3), mix(table, "#ffffff", 0.35))
    return canvas


def coffee_bags(
    size: Size, seed: str, wall: str, table: str, bags: Sequence[tuple[str, str, str]], paper: str, ink: str
) -> Image.Image:
    """Draw bags of coffee side by side; each of `bags` is a name, a colour and an accent."""
    random = dice(seed)
    width, height = size
    canvas = _table(size, wall, table, 0.74)
    unit = height / 1200
    gap = 60 * unit
    wide, tall = 330 * unit, 640 * unit
    left = (width - wide * len(bags) - gap * (len(bags) - 1)) / 2
    for index, (name, colour, accent) in enumerate(bags):
        x = left + index * (wide + gap)
        foot = height * (0.83 + 0.025 * (index % 2))
        _bag(canvas, (x, foot - tall, x + wide, foot), name, colour, accent, paper, ink, unit, index)
    for _ in range(46):
        at = (random.uniform(0.03, 0.97) * width, random.uniform(0.9, 0.98) * height)
        _bean(canvas, at, 17 * unit, random.uniform(0, math.pi), mix(ink, bags[0][1], random.uniform(0, 0.3)))
    return canvas.finish(seed, 6)


def _bag(
    canvas: Canvas, box: Box, name: str, colour: str, accent: str, paper: str, ink: str, unit: float, number: int
) -> None:
    left, top, right, bottom = box
    middle = (left + right) / 2
    canvas.shadow(
        (left + 10 * unit, bottom - 60 * unit, right + 40 * unit, bottom + 8 * unit), 30 * unit, 0.5, 20 * unit
    )
    body = [
        (left + 12 * unit, top),
        (right - 12 * unit, top),
        (right, top + 120 * unit),
        (right - 4 * unit, bottom - 12 * unit),
        (right - 18 * unit, bottom),
        (left + 18 * unit, bottom),
        (left + 4 * unit, bottom - 12 * unit),
        (left, top + 120 * unit),
    ]
    canvas.polygon(body, colour)
    for fold, shade in ((0.0, 0.2), (0.06, 0.1), (0.94, 0.12), (0.88, 0.06)):
        x = left + (right - left) * fold
        side = left if fold < 0.5 else right
        canvas.polygon(
            [(side, top + 120 * unit), (x, top + 70 * unit), (x, bottom - 6 * unit), (side, bottom - 6 * unit)],
            fade(ink, shade),
        )
    canvas.polygon(
        [
            (left + 12 * unit, top),
            (right - 12 * unit, top),
            (right - 6 * unit, top + 58 * unit),
            (left + 6 * unit, top + 58 * unit),
        ],
        mix(colour, ink, 0.2),
    )
    canvas.rectangle(
        (left - 8 * unit, top + 20 * unit, right + 8 * unit, top + 38 * unit), mix(paper, ink, 0.08), 4 * unit
    )
    label = (left + 34 * unit, top + 150 * unit, right - 34 * unit, bottom - 70 * unit)
    canvas.rectangle(label, paper, 6 * unit)
    sun = (middle, label[1] + 128 * unit)
    if number % 3 == 0:
        for ray in range(24):
            angle = ray * math.pi / 12
            canvas.line(
                [
                    (sun[0] + math.cos(angle) * r * unit, sun[1] + math.sin(angle) * r * unit)
                    for r in (66, 92 if ray % 2 else 84)
                ],
                accent,
                5 * unit,
            )
        canvas.disc(sun, 50 * unit, accent)
    elif number % 3 == 1:
        for step in range(5):
            canvas.slice((sun[0], sun[1] + 70 * unit), (104 - step * 22) * unit, 180, 360, (accent, paper)[step % 2])
    else:
        for step, shift in enumerate((-44, 0, 44)):
            canvas.polygon(
                [
                    (sun[0] + (shift - 62) * unit, sun[1] + 70 * unit),
                    (sun[0] + shift * unit, sun[1] - (50 + 40 * (step == 1)) * unit),
                    (sun[0] + (shift + 62) * unit, sun[1] + 70 * unit),
                ],
                fade(accent, 0.6 + 0.2 * step),
            )
    canvas.text((middle, label[1] + 290 * unit), name, 40 * unit, ink, "ms", 0.022)
    canvas.text((middle, label[1] + 326 * unit), "KESTREL COFFEE", 13 * unit, ink, "ms", 0.03, 0.22)
    canvas.line(
        [(label[0] + 24 * unit, label[3] - 58 * unit), (label[2] - 24 * unit, label[3] - 58 * unit)], ink, 2 * unit
    )
    canvas.text((label[0] + 24 * unit, label[3] - 26 * unit), "250 g", 18 * unit, ink, "ls", 0.02)
    canvas.text((label[2] - 24 * unit, label[3] - 26 * unit), f"No. {number + 1}", 18 * unit, ink, "rs", 0.02)


def _bean(canvas: Canvas, at: Point, radius: float, turn: float, colour: str) -> None:
    def around(scale: float, squash: float) -> list[Point]:
        points = []
        for step in range(20):
            angle = step * math.tau / 20
            x, y = math.cos(angle) * radius * scale, math.sin(angle) * radius * squash
            points.append(
                (at[0] + x * math.cos(turn) - y * math.sin(turn), at[1] + x * math.sin(turn) + y * math.cos(turn))
            )
        return points

    canvas.polygon([(x + radius * 0.15, y + radius * 0.2) for x, y in around(1.02, 0.68)], "#00000044")
    canvas.polygon(around(1, 0.64), colour)
    canvas.polygon(around(0.8, 0.09), mix(colour, "#000000", 0.45))


def beans(size: Size, seed: str, ground: str, colours: Sequence[str]) -> Image.Image:
    """Draw a pattern of coffee beans, each turned its own way."""
    random = dice(seed)
    canvas = Canvas(size, ground)
    step = size[0] / 9
    for row in range(int(size[1] / step) + 2):
        for column in range(10):
            at = ((column + row % 2 * 0.5) * step, row * step * 0.9)
            _bean(canvas, at, step * 0.36, random.uniform(0, math.pi), random.choice(colours))
    return canvas.finish(seed, 5)


Book = tuple[str, str, str, str, str]  # title, author, cloth, ornament, letters


def books(size: Size, seed: str, wall: str, table: str, shelf: Sequence[Book]) -> Image.Image:
    """Draw books that stand in a row, their covers to the front."""
    random = dice(seed)
    width, height = size
    canvas = _table(size, wall, table, 0.8)
    unit = height / 1000
    wide, tall = 330 * unit, 540 * unit
    gap = (width - wide * len(shelf)) / (len(shelf) + 1)
    for index, book in enumerate(shelf):
        x, foot = gap + index * (wide + gap), height * 0.87
        box = (x, foot - tall, x + wide, foot)
        canvas.shadow(
            (x + 6 * unit, foot - 40 * unit, x + wide + 30 * unit, foot + 2 * unit), 24 * unit, 0.55, 8 * unit
        )
        canvas.polygon(
            [
                (x + wide, foot - tall + 2 * unit),
                (x + wide + 20 * unit, foot - tall + 12 * unit),
                (x + wide + 20 * unit, foot - 8 * unit),
                (x + wide, foot),
            ],
            "#e9e0cd",
        )
        _cover(canvas, box, book, random, index)
    return canvas.finish(seed, 6)


def book(size: Size, seed: str, ground: str, one: Book, ornament: int) -> Image.Image:
    """Draw one book from above, close by."""
    width, height = size
    canvas = Canvas(size, sweep(size, mix(ground, "#ffffff", 0.18), ground))
    tall = height * 0.74
    wide = tall * 0.638
    box = ((width - wide) / 2, (height - tall) / 2, (width + wide) / 2, (height + tall) / 2)
    canvas.shadow(box, height * 0.035, 0.5, 6, height * 0.03)
    canvas.rectangle((box[0] + 4, box[1] + 8, box[2] + height * 0.012, box[3] + height * 0.01), "#efe6d4", 5)
    _cover(canvas, box, one, dice(seed), ornament)
    return canvas.finish(seed, 6)


def _cover(canvas: Canvas, box: Box, book: Book, random: Random, ornament: int) -> None:
    title, author, cloth, colour, letters = book
    left, top, right, bottom = box
    wide = right - left
    middle = (left + right) / 2
    canvas.rectangle(box, cloth, wide * 0.015)
    ORNAMENTS[ornament % len(ORNAMENTS)](canvas, (middle, top + wide * 0.92), wide, (colour, letters, cloth), random)
    for row, line in enumerate(title.split("\n")):
        canvas.text((middle, top + wide * (0.2 + row * 0.125)), line, wide * 0.115, letters, "ms", 0.012)
    canvas.text((middle, bottom - wide * 0.075), author.upper(), wide * 0.045, letters, "ms", 0.02, 0.18)
    canvas.rectangle((left + wide * 0.035, top, left + wide * 0.05, bottom), "#00000026")


Inks = tuple[str, str, str]  # two that draw, and the cloth below


def _moon(canvas: Canvas, at: Point, wide: float, inks: Inks, random: Random) -> None:
    canvas.disc((at[0], at[1] - wide * 0.12), wide * 0.2, inks[0])
    for row in range(7):
        y = at[1] + wide * (0.02 + row * 0.075)
        wave = [
            (at[0] + wide * (0.8 * x / 40 - 0.4), y + math.sin(x * 0.78 + row * 1.6) * wide * 0.022) for x in range(41)
        ]
        canvas.line(wave, inks[row % 2], wide * 0.014)


def _arches(canvas: Canvas, at: Point, wide: float, inks: Inks, random: Random) -> None:
    foot = at[1] + wide * 0.36
    for step in range(5):
        canvas.slice((at[0], foot), wide * (0.4 - step * 0.08), 180, 360, inks[step % 2 * 2])
    canvas.rectangle((at[0] - wide * 0.4, foot, at[0] + wide * 0.4, foot + wide * 0.025), inks[0])


def _twig(canvas: Canvas, at: Point, wide: float, inks: Inks, random: Random) -> None:
    canvas.line([(at[0], at[1] + wide * 0.45), (at[0], at[1] - wide * 0.36)], inks[0], wide * 0.016)
    for pair in range(6):
        y = at[1] + wide * (0.32 - pair * 0.125)
        for side in (0, 1):
            tip = (at[0] + (side * 2 - 1) * wide * (0.3 - pair * 0.03), y - wide * 0.16)
            canvas.polygon(leaf((at[0], y), tip, 0.3), inks[side])


def _patchwork(canvas: Canvas, at: Point, wide: float, inks: Inks, random: Random) -> None:
    cell = wide * 0.16
    for row in range(5):
        for column in range(5):
            x, y = at[0] + (column - 2.5) * cell, at[1] + (row - 2.2) * cell
            corners = [(x, y), (x + cell, y), (x + cell, y + cell), (x, y + cell)]
            corners.pop(random.randrange(4))
            canvas.polygon(corners, inks[(row + column) % 2])


def _rings(canvas: Canvas, at: Point, wide: float, inks: Inks, random: Random) -> None:
    for ring in range(7):
        canvas.ring(at, wide * (0.4 - ring * 0.055), inks[ring % 2], wide * 0.018)
    canvas.disc(at, wide * 0.045, inks[0])


ORNAMENTS = (_moon, _arches, _twig, _patchwork, _rings)


def vases(size: Size, seed: str, wall: str, table: str, glazes: Sequence[str], stem: str) -> Image.Image:
    """Draw a still life of thrown pots, one with a branch."""
    width, height = size
    canvas = _table(size, wall, table, 0.7)
    canvas.disc((width * 0.69, height * 0.34), height * 0.22, mix(wall, "#ffffff", 0.45))
    profiles: list[tuple[float, float, list[float]]] = [
        (0.2, 0.46, [0.07, 0.055, 0.06, 0.13, 0.19, 0.21, 0.2, 0.15, 0.1]),
        (0.395, 0.3, [0.15, 0.16, 0.17, 0.175, 0.17, 0.16, 0.14, 0.11]),
        (0.575, 0.56, [0.045, 0.04, 0.038, 0.05, 0.09, 0.13, 0.145, 0.13, 0.1, 0.075]),
        (0.78, 0.22, [0.25, 0.24, 0.22, 0.18, 0.12, 0.07]),
    ]
    floors = (0.83, 0.88, 0.81, 0.86)
    for index, ((across, tall, radii), floor) in enumerate(zip(profiles, floors, strict=True)):
        x, foot, top = width * across, height * floor, height * (floor - tall)
        widest = max(radii) * height
        canvas.shadow(
            (x - widest * 0.6, foot - height * 0.02, x + widest * 1.1, foot + height * 0.015), height * 0.022, 0.45, 10
        )
        if index == 2:
            _branch(canvas, (x, top + height * 0.02), height * 0.3, stem)
        side = smooth(
            [(radius * height, top + (foot - top) * step / (len(radii) - 1)) for step, radius in enumerate(radii)], 14
        )
        glaze = glazes[index % len(glazes)]
        strips = 30
        for strip in range(strips):  # from the lit edge to the dark one, as round things are
            t = strip / (strips - 1)
            shade = mix(
                mix(glaze, "#ffffff", 0.3), mix(glaze, "#1a1024", 0.45), (t - 0.3) * 1.4 if t > 0.3 else (0.3 - t) * 1.2
            )
            near, far = 2 * strip / strips - 1, min(1, 2 * (strip + 1.5) / strips - 1)
            canvas.polygon(
                [*((x + r * near, y) for r, y in side), *((x + r * far, y) for r, y in reversed(side))], shade
            )
        rim = radii[0] * height
        canvas.ellipse((x - rim, top - rim * 0.16, x + rim, top + rim * 0.16), mix(glaze, "#1a1024", 0.5))
        if index % 2 == 0:
            band = [(r, y) for r, y in side if top + (foot - top) * 0.52 < y < top + (foot - top) * 0.6]
            canvas.polygon(
                [*((x - r, y) for r, y in band), *((x + r, y) for r, y in reversed(band))], fade("#fff8ec", 0.4)
            )
    return canvas.finish(seed, 7)


def _branch(canvas: Canvas, root: Point, long: float, colour: str) -> None:
    points = smooth(
        [
            root,
            (root[0] + long * 0.06, root[1] - long * 0.4),
            (root[0] - long * 0.02, root[1] - long * 0.75),
            (root[0] + long * 0.12, root[1] - long),
        ]
    )
    canvas.line(points, colour, long * 0.02)
    for step in range(4, len(points), 4):
        x, y = points[step]
        side = -1 if step % 8 else 1
        canvas.polygon(
            leaf((x, y), (x + side * long * 0.26, y - long * 0.16), 0.2), mix(colour, "#ffffff", 0.12 * (step % 3))
        )


def stationery(
    size: Size, seed: str, ground: str, paper: str, ink: str, accent: str, name: str, line: str
) -> Image.Image:
    """Draw a letter, an envelope and cards laid out on a desk."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, sweep(size, mix(ground, "#ffffff", 0.1), ground))
    unit = height / 1200

    def sheet(box: Box, colour: str) -> None:
        canvas.shadow(box, 26 * unit, 0.32, 4 * unit, 18 * unit)
        canvas.rectangle(box, colour, 4 * unit)

    def mark(at: Point, radius: float, colour: str) -> None:
        canvas.slice(at, radius, 0, 180, colour)
        canvas.slice((at[0], at[1] - radius * 0.12), radius, 180, 270, colour)
        canvas.disc((at[0] + radius * 0.5, at[1] - radius * 0.58), radius * 0.42, colour)

    x, y = width * 0.09, height * 0.1
    sheet((x, y, x + 620 * unit, y + 860 * unit), paper)
    mark((x + 100 * unit, y + 110 * unit), 42 * unit, accent)
    canvas.text((x + 530 * unit, y + 124 * unit), name, 30 * unit, ink, "rs", 0.02)
    canvas.text((x + 58 * unit, y + 300 * unit), "Dear friends of the wheel,", 24 * unit, ink)
    for paragraph in range(3):
        canvas.words(
            (x + 58 * unit, y + (340 + paragraph * 130) * unit), 480 * unit, 4, 9 * unit, mix(ink, paper, 0.62), random
        )
    canvas.text((x + 58 * unit, y + 800 * unit), line, 15 * unit, mix(ink, paper, 0.3), spacing=0.06)
    x, y = width * 0.52, height * 0.13
    sheet((x, y, x + 640 * unit, y + 340 * unit), accent)
    canvas.polygon([(x, y), (x + 640 * unit, y), (x + 320 * unit, y + 205 * unit)], mix(accent, "#ffffff", 0.12))
    canvas.line([(x, y), (x + 320 * unit, y + 205 * unit), (x + 640 * unit, y)], mix(accent, "#000000", 0.14), 2 * unit)
    canvas.disc((x + 320 * unit, y + 196 * unit), 44 * unit, mix(ink, accent, 0.1))
    mark((x + 320 * unit, y + 198 * unit), 22 * unit, paper)
    for index, (colour, on) in enumerate(((ink, paper), (paper, ink), (mix(accent, paper, 0.55), ink))):
        left, top = width * 0.52 + (0, 320, 150)[index] * unit, height * (0.48, 0.53, 0.7)[index]
        sheet((left, top, left + 380 * unit, top + 220 * unit), colour)
        if index < 2:
            mark((left + (60, 190)[index] * unit, top + (64, 116)[index] * unit), (26, 48)[index] * unit, on)
        else:
            mark((left + 72 * unit, top + 78 * unit), 34 * unit, accent)
            canvas.text((left + 352 * unit, top + 60 * unit), name, 20 * unit, on, "rs", 0.02)
            canvas.text((left + 32 * unit, top + 166 * unit), "Potter", 16 * unit, on)
            canvas.text((left + 32 * unit, top + 190 * unit), "studio@example.com", 16 * unit, mix(on, colour, 0.35))
    return canvas.finish(seed, 6)


def swatches(size: Size, colours: Sequence[tuple[str, str]], paper: str, ink: str, title: str) -> Image.Image:
    """Draw a project's colours on a sheet; each of `colours` is a name and a value."""
    width, height = size
    canvas = Canvas(size, paper)
    unit = width / 800
    margin, gap = 48 * unit, 14 * unit
    canvas.text((margin, margin + 34 * unit), title, 36 * unit, ink, "ls", 0.02)
    canvas.text((width - margin, margin + 34 * unit), "Colour", 20 * unit, mix(ink, paper, 0.4), "rs")
    top, bottom = margin + 74 * unit, height - margin
    first_tall = (bottom - top) * 0.44
    columns = len(colours) - 2
    boxes = [
        (margin, top, margin + (width - margin * 2) * 0.62, top + first_tall),
        (margin + (width - margin * 2) * 0.62 + gap, top, width - margin, top + first_tall),
    ]
    wide = (width - margin * 2 - gap * (columns - 1)) / columns
    boxes += [
        (margin + i * (wide + gap), top + first_tall + gap, margin + i * (wide + gap) + wide, bottom)
        for i in range(columns)
    ]
    for (name, colour), box in zip(colours, boxes, strict=True):
        canvas.rectangle(box, colour, 14 * unit)
        on = readable(colour, ink, paper)
        canvas.text((box[0] + 20 * unit, box[3] - 44 * unit), name, 20 * unit, on, "ls", 0.02)
        canvas.text((box[0] + 20 * unit, box[3] - 20 * unit), colour.upper(), 15 * unit, on)
    return canvas.finish()
