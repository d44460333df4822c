"""Telephones, with a screen each."""

import math
from collections.abc import Callable, Sequence
from random import Random

from PIL import Image

from .browser import Look, crop
from .canvas import Box, Canvas, Size, dice, fade, mesh, mix, readable, ridge, smooth

Screen = Callable[[Canvas, Box, float, Look, Random], None]


def phones(size: Size, seed: str, look: Look, screens: Sequence[Screen]) -> Image.Image:
    """Draw telephones side by side, each with a screen of its own."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, mesh(size, [look.backdrop[:2], look.backdrop[-2:]]))
    tall = height * (0.8 if len(screens) > 1 or width > height else 0.84)
    wide = tall * 0.487
    gap = wide * 0.2
    if width < (wide + gap) * len(screens):
        wide = width / (len(screens) * 1.2 + 0.1)
        gap, tall = wide * 0.16, wide / 0.487
    left = (width - wide * len(screens) - gap * (len(screens) - 1)) / 2
    for index, screen in enumerate(screens):
        x = left + index * (wide + gap)
        y = (height - tall) / 2 + (0.03 * height if len(screens) > 1 else 0) * (1 if index % 2 else -1)
        unit = wide / 390
        canvas.shadow(
            (x, y, x + wide, y + tall), 44 * unit, 0.45, 60 * unit, 30 * unit, mix(look.backdrop[-1], "#000000", 0.75)
        )
        canvas.rectangle((x, y, x + wide, y + tall), "#15161b", 60 * unit)
        canvas.frame((x + 1, y + 1, x + wide - 2, y + tall - 2), "#3b3d46", 2.5 * unit, 59 * unit)
        inner = (x + 12 * unit, y + 12 * unit, x + wide - 12 * unit, y + tall - 12 * unit)
        # A screen is a canvas of its own, so that what leaves it is cut off at its rounded corners.
        glass = Canvas((round(inner[2] - inner[0]), round(inner[3] - inner[1])), look.paper)
        screen(glass, (0, 0, glass.width, glass.height), glass.width / 366, look, random)
        ink = readable(_colour_at(glass, (glass.width // 2, 6)), "#15161b", "#ffffff")
        glass.text((34 * glass.width / 366, 40 * glass.width / 366), "9:41", 16 * unit, ink, "ls", 0.02)
        glass.rectangle((glass.width - 62 * unit, 28 * unit, glass.width - 36 * unit, 40 * unit), ink, 3.5 * unit)
        canvas.place(glass.finish(), inner, 48 * unit)
        canvas.rectangle(
            (x + wide / 2 - 52 * unit, y + 28 * unit, x + wide / 2 + 52 * unit, y + 56 * unit), "#15161b", 14 * unit
        )
    return canvas.finish(seed, 5)


def _colour_at(canvas: Canvas, at: tuple[int, int]) -> str:
    red, green, blue = canvas.image.getpixel((at[0] * canvas.fine, at[1] * canvas.fine))[:3]  # type: ignore[index]
    return f"#{red:02x}{green:02x}{blue:02x}"


def opening(art: Image.Image, title: Sequence[str], action: str) -> Screen:
    """Return a screen that is one picture, with a title and a button."""

    def draw(canvas: Canvas, box: Box, unit: float, look: Look, random: Random) -> None:
        left, top, right, bottom = box
        canvas.place(crop(art, (right - left) / (bottom - top)), box)
        for index, line in enumerate(title):
            canvas.text((left + 34 * unit, top + (150 + index * 52) * unit), line, 46 * unit, "#ffffff", "ls", 0.014)
        canvas.rectangle(
            (left + 34 * unit, bottom - 120 * unit, right - 34 * unit, bottom - 60 * unit), look.paper, 30 * unit
        )
        canvas.text(((left + right) / 2, bottom - 90 * unit), action, 20 * unit, look.ink, "mm", 0.018)

    return draw


def listing(title: str, rows: Sequence[tuple[str, str]], colours: Sequence[str]) -> Screen:
    """Return a screen that lists things, each with a little picture; each row is a name and a note."""

    def draw(canvas: Canvas, box: Box, unit: float, look: Look, random: Random) -> None:
        left, top, right, _ = box
        canvas.text((left + 28 * unit, top + 118 * unit), title, 36 * unit, look.ink, "ls", 0.018)
        canvas.rectangle(
            (left + 28 * unit, top + 142 * unit, right - 28 * unit, top + 188 * unit),
            mix(look.paper, look.ink, 0.06),
            23 * unit,
        )
        canvas.text((left + 50 * unit, top + 165 * unit), "Search", 17 * unit, mix(look.ink, look.paper, 0.5), "lm")
        for index, (name, note) in enumerate(rows):
            y = top + (214 + index * 104) * unit
            colour = colours[index % len(colours)]
            canvas.rectangle((left + 28 * unit, y, left + 112 * unit, y + 84 * unit), colour, 18 * unit)
            at = (left + 70 * unit, y + 42 * unit)
            pale = mix(colour, "#ffffff", 0.75)
            if index % 3 == 0:
                canvas.disc(at, 24 * unit, pale)
                canvas.slice(at, 24 * unit, 30, 210, mix(colour, look.ink, 0.4))
            elif index % 3 == 1:
                canvas.polygon(
                    [
                        (at[0] - 28 * unit, at[1] + 22 * unit),
                        (at[0], at[1] - 24 * unit),
                        (at[0] + 28 * unit, at[1] + 22 * unit),
                    ],
                    pale,
                )
            else:
                for step in range(3):
                    canvas.slice(
                        (at[0], at[1] + 20 * unit),
                        (34 - step * 11) * unit,
                        180,
                        360,
                        (pale, mix(colour, look.ink, 0.4))[step % 2],
                    )
            canvas.text((left + 132 * unit, y + 38 * unit), name, 21 * unit, look.ink, "ls", 0.018)
            canvas.text((left + 132 * unit, y + 64 * unit), note, 16 * unit, mix(look.ink, look.paper, 0.45))
        _tabs(canvas, box, unit, look, 0)

    return draw


def tally(title: str, figure: str, note: str, labels: Sequence[str]) -> Screen:
    """Return a screen with one large figure, a ring and a week of bars."""

    def draw(canvas: Canvas, box: Box, unit: float, look: Look, random: Random) -> None:
        left, top, right, _ = box
        middle = (left + right) / 2
        canvas.text((left + 28 * unit, top + 118 * unit), title, 36 * unit, look.ink, "ls", 0.018)
        heart = (middle, top + 290 * unit)
        canvas.ring(heart, 128 * unit, mix(look.paper, look.ink, 0.08), 26 * unit)
        canvas.arc(heart, 128 * unit, -90, 168, look.accent, 26 * unit)
        for degree in (-90, 168):
            turn = math.radians(degree)
            canvas.disc(
                (heart[0] + math.cos(turn) * 115 * unit, heart[1] + math.sin(turn) * 115 * unit), 13 * unit, look.accent
            )
        canvas.text((middle, heart[1] + 12 * unit), figure, 64 * unit, look.ink, "ms", 0.018)
        canvas.text((middle, heart[1] + 44 * unit), note, 18 * unit, mix(look.ink, look.paper, 0.4), "ms")
        floor = top + 640 * unit
        canvas.rectangle(
            (left + 24 * unit, top + 450 * unit, right - 24 * unit, floor + 48 * unit),
            mix(look.paper, look.ink, 0.045),
            22 * unit,
        )
        for index, label in enumerate(labels):
            x = left + (54 + index * 43) * unit
            high = random.uniform(50, 140) * unit
            canvas.rectangle(
                (x - 11 * unit, floor - high, x + 11 * unit, floor),
                look.accent if index == 4 else look.second,
                8 * unit,
            )
            canvas.text((x, floor + 28 * unit), label, 16 * unit, mix(look.ink, look.paper, 0.45), "ms")
        _tabs(canvas, box, unit, look, 2)

    return draw


def trail(title: str, figures: Sequence[tuple[str, str]], seed: str) -> Screen:
    """Return a screen with a map: contour lines, a way across them, and its figures below."""

    def draw(canvas: Canvas, box: Box, unit: float, look: Look, random: Random) -> None:
        left, top, right, bottom = box
        canvas.rectangle(box, mix(look.second, "#ffffff", 0.55))
        for peak in ((0.28, 0.3, 9), (0.8, 0.52, 7)):
            heart = (left + (right - left) * peak[0], top + (bottom - top) * peak[1])
            wobble = ridge(dice(seed + str(peak)), 24, 0.5, 4)
            for level in range(int(peak[2]), 0, -1):
                points = []
                for step in range(25):
                    turn, reach = (
                        step % 24 * math.tau / 24,
                        (26 * level)
                        * unit
                        * (0.8 + 0.45 * abs(math.sin(step % 24 * math.pi / 24)) * wobble[step % 24]),
                    )
                    points.append((heart[0] + math.cos(turn) * reach * 1.1, heart[1] + math.sin(turn) * reach))
                canvas.polygon(smooth(points, 4), mix(look.second, "#ffffff", 0.18 + 0.045 * level))
                canvas.line(smooth(points, 4), fade(look.ink, 0.13), 1.4 * unit)
        way = smooth(
            [
                (left + (right - left) * x, top + (bottom - top) * y)
                for x, y in (
                    (0.16, 0.64),
                    (0.3, 0.52),
                    (0.24, 0.4),
                    (0.44, 0.33),
                    (0.56, 0.42),
                    (0.7, 0.36),
                    (0.82, 0.22),
                )
            ]
        )
        canvas.line(way, "#ffffff", 11 * unit)
        canvas.line(way, look.accent, 7 * unit)
        for end, colour in ((way[0], look.ink), (way[-1], look.accent)):
            canvas.disc(end, 15 * unit, "#ffffff")
            canvas.disc(end, 10 * unit, colour)
        sheet = bottom - 262 * unit
        canvas.rectangle((left, sheet, right, bottom + 40 * unit), look.paper, 30 * unit)
        canvas.rectangle(
            (left + 158 * unit, sheet + 12 * unit, right - 158 * unit, sheet + 17 * unit),
            mix(look.paper, look.ink, 0.2),
            3 * unit,
        )
        canvas.text((left + 28 * unit, sheet + 66 * unit), title, 30 * unit, look.ink, "ls", 0.018)
        for index, (value, label) in enumerate(figures):
            x = left + (28 + index * 112) * unit
            canvas.text((x, sheet + 118 * unit), value, 24 * unit, look.ink, "ls", 0.015)
            canvas.text((x, sheet + 142 * unit), label, 15 * unit, mix(look.ink, look.paper, 0.45))
        canvas.rectangle(
            (left + 28 * unit, sheet + 166 * unit, right - 28 * unit, sheet + 222 * unit), look.accent, 28 * unit
        )
        canvas.text(
            ((left + right) / 2, sheet + 194 * unit),
            "Start walking",
            19 * unit,
            readable(look.accent, look.ink, look.paper),
            "mm",
            0.018,
        )

    return draw


def _tabs(canvas: Canvas, box: Box, unit: float, look: Look, current: int) -> None:
    left, _, right, bottom = box
    canvas.rectangle((left, bottom - 84 * unit, right, bottom), look.paper)
    canvas.rectangle((left, bottom - 84 * unit, right, bottom - 83 * unit), mix(look.paper, look.ink, 0.12))
    for index in range(4):
        at = (left + (right - left) * (index + 0.5) / 4, bottom - 52 * unit)
        colour = look.accent if index == current else mix(look.paper, look.ink, 0.35)
        if index == 0:
            canvas.polygon(
                [
                    (at[0] - 12 * unit, at[1]),
                    (at[0], at[1] - 12 * unit),
                    (at[0] + 12 * unit, at[1]),
                    (at[0] + 12 * unit, at[1] + 11 * unit),
                    (at[0] - 12 * unit, at[1] + 11 * unit),
                ],
                colour,
            )
        elif index == 1:
            canvas.ring((at[0] - 2 * unit, at[1] - 2 * unit), 9 * unit, colour, 3.5 * unit)
            canvas.line(
                [(at[0] + 5 * unit, at[1] + 5 * unit), (at[0] + 11 * unit, at[1] + 11 * unit)], colour, 3.5 * unit
            )
        elif index == 2:
            canvas.rectangle(
                (at[0] - 10 * unit, at[1] - 11 * unit, at[0] + 10 * unit, at[1] + 11 * unit), colour, 4 * unit
            )
        else:
            canvas.disc((at[0], at[1] - 5 * unit), 6 * unit, colour)
            canvas.slice((at[0], at[1] + 12 * unit), 11 * unit, 180, 360, colour)
    canvas.rectangle((left + 120 * unit, bottom - 12 * unit, right - 120 * unit, bottom - 7 * unit), look.ink, 3 * unit)
