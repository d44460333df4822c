"""Numbers and networks: a dashboard, a budget, the map of a transit network."""

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from PIL import Image

from .browser import Look
from .canvas import Box, Canvas, Point, Size, dice, fade, mix, ridge, smooth


def dashboard(
    size: Size, seed: str, look: Look, title: str, menu: Sequence[str], figures: Sequence[tuple[str, str, str]]
) -> Image.Image:
    """Draw a dashboard: figures (a label, a value, a change), a chart of the day, a ring and rows."""
    canvas = Canvas(size, mix(look.paper, look.ink, 0.05))
    unit = size[0] / 1600
    _menu(canvas, unit, look, title, menu)
    ink, pale = look.ink, mix(look.ink, look.paper, 0.45)
    canvas.text((318 * unit, 96 * unit), "Good morning", 44 * unit, ink, "ls", 0.015)
    canvas.text((318 * unit, 134 * unit), "Wind is steady and the roofs are warming up.", 20 * unit, pale)
    for index, (label, value, change) in enumerate(figures):
        left = 318 + index * 316
        _card(canvas, unit, look, (left, 172, left + 292, 336))
        canvas.text(((left + 26) * unit, 216 * unit), label, 18 * unit, pale)
        canvas.text(((left + 26) * unit, 278 * unit), value, 46 * unit, ink, "ls", 0.015)
        canvas.text(((left + 26) * unit, 314 * unit), change, 17 * unit, mix(look.accent, ink, 0.25), "ls", 0.015)
    _day(canvas, unit, look, dice(seed))
    _sources(canvas, unit, look)
    _members(canvas, unit, look)
    return canvas.finish()


def _menu(canvas: Canvas, unit: float, look: Look, title: str, menu: Sequence[str]) -> None:
    ink = look.ink
    canvas.rectangle((0, 0, 270 * unit, canvas.height), ink)
    canvas.disc((62 * unit, 74 * unit), 20 * unit, look.accent)
    canvas.slice((62 * unit, 74 * unit), 20 * unit, 90, 270, look.second)
    canvas.text((96 * unit, 83 * unit), title, 26 * unit, look.paper, "ls", 0.018)
    for index, entry in enumerate(menu):
        y = (168 + index * 62) * unit
        if index == 0:
            canvas.rectangle(
                (24 * unit, y - 28 * unit, 246 * unit, y + 20 * unit), mix(ink, look.paper, 0.16), 12 * unit
            )
        canvas.rectangle(
            (46 * unit, y - 14 * unit, 64 * unit, y + 4 * unit),
            look.accent if index == 0 else mix(ink, look.paper, 0.45),
            5 * unit,
        )
        canvas.text(
            (84 * unit, y + 2 * unit), entry, 20 * unit, look.paper if index == 0 else mix(ink, look.paper, 0.65)
        )


def _card(canvas: Canvas, unit: float, look: Look, box: Box, title: str = "") -> None:
    left, top, right, bottom = (edge * unit for edge in box)
    canvas.shadow((left, top, right, bottom), 16 * unit, 0.07, 18 * unit, 8 * unit, look.ink)
    canvas.rectangle((left, top, right, bottom), look.paper, 18 * unit)
    canvas.text((left + 30 * unit, top + 50 * unit), title, 26 * unit, look.ink, "ls", 0.015)


def _day(canvas: Canvas, unit: float, look: Look, random: Random) -> None:
    ink, pale = look.ink, mix(look.ink, look.paper, 0.45)
    _card(canvas, unit, look, (318, 366, 1242, 806), "Today")
    floor, left, right = 746 * unit, 362 * unit, 1206 * unit
    for step in range(5):
        y = floor - step * 68 * unit
        canvas.line([(left, y), (right, y)], mix(look.paper, ink, 0.1), 1.5 * unit)
        canvas.text((left - 12 * unit, y), str(step * 4), 14 * unit, pale, "rm")
    layers = ((1.0, look.second, 0.0), (0.62, look.accent, 1.4))
    for scale, colour, shift in layers:
        rough = ridge(random, 49, 0.6, 6)
        points = []
        for x in range(49):
            sun = math.exp(-(((x - 24 - shift * 4) / 10.5) ** 2))
            points.append(
                (left + (right - left) * x / 48, floor - (0.14 + 0.66 * sun + 0.16 * rough[x]) * scale * 290 * unit)
            )
        curve = smooth(points, 5)
        canvas.polygon([*curve, (right, floor), (left, floor)], fade(colour, 0.5))
        canvas.line(curve, mix(colour, ink, 0.2), 4 * unit)
    for step in range(7):
        canvas.text((left + (right - left) * step / 6, floor + 34 * unit), f"{step * 4:02}:00", 15 * unit, pale, "ms")
    canvas.disc(points[30], 10 * unit, look.paper)
    canvas.disc(points[30], 6.5 * unit, ink)


def _sources(canvas: Canvas, unit: float, look: Look) -> None:
    ink, pale = look.ink, mix(look.ink, look.paper, 0.45)
    _card(canvas, unit, look, (1266, 366, 1558, 806), "Sources")
    heart, start = (1412 * unit, 566 * unit), -90.0
    shares = (
        (0.46, look.accent, "Wind"),
        (0.31, look.second, "Sun"),
        (0.15, mix(look.accent, ink, 0.5), "River"),
        (0.08, mix(look.paper, ink, 0.2), "Grid"),
    )
    for share, colour, _ in shares:
        canvas.arc(heart, 100 * unit, start + 2, start + share * 360 - 2, colour, 32 * unit)
        start += share * 360
    canvas.text((heart[0], heart[1] + 12 * unit), "92%", 44 * unit, ink, "ms", 0.015)
    canvas.text((heart[0], heart[1] + 38 * unit), "renewable", 16 * unit, pale, "ms")
    for index, (_, colour, name) in enumerate(shares):
        x, y = (1302 + index % 2 * 126) * unit, (718 + index // 2 * 38) * unit
        canvas.disc((x, y - 6 * unit), 8 * unit, colour)
        canvas.text((x + 18 * unit, y), name, 18 * unit, ink)


def _members(canvas: Canvas, unit: float, look: Look) -> None:
    ink = look.ink
    _card(canvas, unit, look, (318, 836, 1558, 1168), "Members")
    rows = (
        ("Mill Lane school", 0.82),
        ("Tannery Park flats", 0.64),
        ("Weir pumping station", 0.93),
        ("Old Brewery workshops", 0.41),
    )
    for index, (name, share) in enumerate(rows):
        y = (932 + index * 58) * unit
        canvas.disc((372 * unit, y), 18 * unit, mix(look.paper, (look.accent, look.second)[index % 2], 0.55))
        canvas.text((372 * unit, y), name[0], 18 * unit, ink, "mm", 0.02)
        canvas.text((408 * unit, y + 7 * unit), name, 20 * unit, ink)
        canvas.rectangle((760 * unit, y - 6 * unit, 1380 * unit, y + 6 * unit), mix(look.paper, ink, 0.08), 6 * unit)
        canvas.rectangle((760 * unit, y - 6 * unit, (760 + 620 * share) * unit, y + 6 * unit), look.accent, 6 * unit)
        canvas.text((1510 * unit, y + 7 * unit), f"{round(share * 100)}%", 20 * unit, ink, "rs", 0.015)


def ledger(
    size: Size, seed: str, look: Look, title: str, note: str, budget: Sequence[tuple[str, int, str]]
) -> Image.Image:
    """Draw a city's budget as streams, from one bar to its parts; each part is a name, millions and a colour."""
    width, height = size
    canvas = Canvas(size, look.paper)
    unit = width / 1600
    canvas.text((90 * unit, 130 * unit), title, 62 * unit, look.ink, "ls", 0.016)
    canvas.text((90 * unit, 178 * unit), note, 25 * unit, mix(look.ink, look.paper, 0.35))
    total = sum(amount for _, amount, _ in budget)
    top, bottom = 260 * unit, height - 90 * unit
    gap = 20 * unit
    scale = (bottom - top - gap * (len(budget) - 1)) / total
    source_top = top + gap * (len(budget) - 1) / 2
    x0, x1, x2 = 90 * unit, 150 * unit, 1130 * unit
    canvas.rectangle((x0, source_top, x1 - 8 * unit, source_top + total * scale), look.ink, 4 * unit)
    y0, y1 = source_top, top
    for name, amount, colour in budget:
        tall = amount * scale
        upper = [_flow((x1, y0), (x2, y1), step / 40) for step in range(41)]
        canvas.polygon(
            [
                *upper,
                *(
                    (x, _flow((x1, y0 + tall), (x2, y1 + tall), step / 40)[1])
                    for step, (x, _) in reversed(list(enumerate(upper)))
                ),
            ],
            fade(colour, 0.72),
        )
        canvas.rectangle((x2 + 8 * unit, y1, x2 + 40 * unit, y1 + tall), colour, 4 * unit)
        canvas.text(
            (x2 + 66 * unit, y1 + tall / 2 - (13 * unit if tall > 44 * unit else 0)),
            name,
            25 * unit,
            look.ink,
            "lm",
            0.015,
        )
        where, anchor = (
            ((x2 + 66 * unit, y1 + tall / 2 + 18 * unit), "lm")
            if tall > 44 * unit
            else ((width - 70 * unit, y1 + tall / 2), "rm")
        )
        canvas.text(where, f"{amount} M", 20 * unit, mix(look.ink, look.paper, 0.4), anchor)
        y0 += tall
        y1 += tall + gap
    return canvas.finish(seed, 4)


def _flow(start: Point, end: Point, t: float) -> Point:
    ease = t * t * (3 - 2 * t)
    return start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * ease


def network(size: Size, ground: str, ink: str, lines: Sequence[str], water: str) -> Image.Image:
    """Draw the map of a transit network."""
    canvas = Canvas(size, ground)
    unit = size[0] / 1600

    def at(x: float, y: float) -> Point:
        return x * 100 * unit, y * 100 * unit

    bank = smooth(
        [at(*point) for point in ((-1, 7.7), (2.4, 6.9), (5, 7.6), (8.4, 6.1), (11, 6.7), (13.6, 5), (17, 5.3))]
    )
    tide = 46 * unit
    canvas.polygon([*((x, y - tide) for x, y in bank), *((x, y + tide) for x, y in reversed(bank))], water)
    routes: list[list[Point]] = [
        [(1, 2), (4, 2), (7, 5), (12, 5), (14, 7), (15, 7)],
        [(2, 9), (2, 6), (5, 3), (11, 3), (13, 1), (15, 1)],
        [(7, 1), (7, 7), (9, 9), (13, 9)],
        [(1, 8), (5, 8), (10, 3), (10, 1)],
        [(13, 2), (13, 4), (10, 7), (4, 7)],
    ]
    for route, colour in zip(routes, lines, strict=True):
        canvas.line([at(x, y) for x, y in route], colour, 16 * unit)
    for route, colour in zip(routes, lines, strict=True):
        for (x0, y0), (x1, y1) in pairwise(route):
            count = round(max(abs(x1 - x0), abs(y1 - y0)))
            for step in range(count + 1):
                stop = at(x0 + (x1 - x0) * step / count, y0 + (y1 - y0) * step / count)
                canvas.disc(stop, 13 * unit, colour)
                canvas.disc(stop, 8.5 * unit, ground)
    changes = {
        (5, 3): ("Botanic", "ls", 30, -28), (7, 3): ("Foundry", "ls", 30, -28), (10, 3): ("Mill Lane", "rs", -30, -28),
        (7, 5): ("Central", "rs", -30, 46), (8, 5): ("Glassworks", "ls", 22, 50), (12, 5): ("Docks", "rs", -30, -28),
        (7, 6): ("Quayside", "ls", 36, 18), (7, 7): ("Hallam", "rs", -16, 54), (6, 7): ("", "ls", 0, 0),
        (2, 8): ("Weir", "ls", 30, -28), (10, 7): ("Locks", "ls", 34, 30),
    }  # fmt: skip
    for point, (name, anchor, dx, dy) in changes.items():
        here = at(*point)
        canvas.disc(here, 24 * unit, ink)
        canvas.disc(here, 15 * unit, ground)
        canvas.text((here[0] + dx * unit, here[1] + dy * unit), name, 26 * unit, ink, anchor, 0.018)
    for number, (route, colour) in enumerate(zip(routes, lines, strict=True), 1):
        x, y = at(*route[0])
        canvas.rectangle((x - 28 * unit, y - 28 * unit, x + 28 * unit, y + 28 * unit), colour, 12 * unit)
        canvas.text((x, y), str(number), 34 * unit, ground, "mm", 0.02)
    for point, name in (((15, 7), "Airport"), ((15, 1), "Northgate"), ((13, 9), "Saltmarsh")):
        x, y = at(*point)
        canvas.text((x, y + 50 * unit), name, 26 * unit, ink, "ms", 0.018)
    return canvas.finish()
