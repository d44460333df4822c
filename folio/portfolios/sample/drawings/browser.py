"""Web sites in a browser's window."""

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from PIL import Image

from .canvas import Box, Canvas, Size, dice, mesh, mix, readable, sweep


class Look(NamedTuple):
    """The colours of a screen: behind it, its paper, its letters, its accent, and a second one."""

    backdrop: tuple[str, ...]
    paper: str
    ink: str
    accent: str
    second: str


def browser(
    size: Size, seed: str, look: Look, hero: Image.Image, name: str, menu: Sequence[str], headline: Sequence[str],
    cards: Sequence[tuple[str, str]], *, cover: bool = True,
) -> Image.Image:  # fmt: skip
    """Draw a site in a browser's window: a menu, a hero picture, cards of a title and a colour.

    With `cover` the headline lies on the hero, else beside it.
    """
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, mesh(size, [look.backdrop[:2], look.backdrop[-2:]]))
    left, top, right, bottom = width * 0.09, height * 0.1, width * 0.91, height * 1.02
    unit = (right - left) / 1312
    canvas.shadow(
        (left, top, right, bottom), 38 * unit, 0.42, 18 * unit, 26 * unit, mix(look.backdrop[-1], "#000000", 0.7)
    )
    canvas.rectangle((left, top, right, bottom), look.paper, 18 * unit)
    bar = top + 58 * unit
    chrome = mix(look.paper, look.ink, 0.07)
    canvas.rectangle((left, top, right, bar), chrome, 18 * unit)
    canvas.rectangle((left, bar - 18 * unit, right, bar), chrome)
    for index, colour in enumerate(("#ff6058", "#ffbd2e", "#28c840")):
        canvas.disc((left + (32 + index * 25) * unit, top + 29 * unit), 7.5 * unit, colour)
    canvas.rectangle(
        (left + 360 * unit, top + 13 * unit, right - 360 * unit, top + 45 * unit),
        mix(look.paper, look.ink, 0.015),
        16 * unit,
    )
    address = name.lower().replace(" ", "").replace("&", "") + ".example"
    canvas.text(((left + right) / 2, top + 30 * unit), address, 16 * unit, mix(look.ink, look.paper, 0.35), "mm")
    menu_line = bar + 58 * unit
    canvas.disc((left + 64 * unit, menu_line - 7 * unit), 15 * unit, look.accent)
    canvas.slice((left + 64 * unit, menu_line - 7 * unit), 15 * unit, 0, 90, look.second)
    canvas.text((left + 94 * unit, menu_line), name, 22 * unit, look.ink, "ls", 0.022)
    x = right - 52 * unit
    canvas.rectangle((x - 112 * unit, menu_line - 26 * unit, x, menu_line + 12 * unit), look.accent, 19 * unit)
    canvas.text(
        (x - 56 * unit, menu_line - 6 * unit),
        menu[-1],
        16 * unit,
        readable(look.accent, look.ink, look.paper),
        "mm",
        0.015,
    )
    x -= 150 * unit
    for entry in reversed(menu[:-1]):
        canvas.text((x, menu_line), entry, 17 * unit, look.ink, "rs")
        x -= (len(entry) * 9.2 + 34) * unit
    stage = (left + 40 * unit, bar + 96 * unit, right - 40 * unit, bar + 580 * unit)
    if cover:
        canvas.place(crop(hero, (stage[2] - stage[0]) / (stage[3] - stage[1])), stage, 14 * unit)
        for index, line in enumerate(headline):
            canvas.text(
                (stage[0] + 56 * unit, stage[1] + (112 + index * 78) * unit), line, 68 * unit, "#ffffff", "ls", 0.014
            )
        foot = stage[1] + (112 + len(headline) * 78) * unit
        canvas.rectangle(
            (stage[0] + 56 * unit, foot - 26 * unit, stage[0] + 236 * unit, foot + 28 * unit), look.paper, 27 * unit
        )
        canvas.text(
            (stage[0] + 146 * unit, foot + 1 * unit),
            "Plan a visit" if "Visit" in menu else "Read more",
            19 * unit,
            look.ink,
            "mm",
            0.015,
        )
    else:
        middle = (stage[0] + stage[2]) / 2 - 20 * unit
        art = (middle, stage[1], stage[2], stage[3])
        canvas.place(crop(hero, (art[2] - art[0]) / (art[3] - art[1])), art, 14 * unit)
        for index, line in enumerate(headline):
            canvas.text(
                (stage[0] + 12 * unit, stage[1] + (120 + index * 76) * unit), line, 66 * unit, look.ink, "ls", 0.014
            )
        foot = stage[1] + (120 + len(headline) * 76) * unit
        canvas.words(
            (stage[0] + 14 * unit, foot - 30 * unit), 430 * unit, 3, 9 * unit, mix(look.ink, look.paper, 0.7), random
        )
        canvas.rectangle(
            (stage[0] + 14 * unit, foot + 62 * unit, stage[0] + 194 * unit, foot + 116 * unit), look.ink, 27 * unit
        )
        canvas.text((stage[0] + 104 * unit, foot + 89 * unit), "Start here", 19 * unit, look.paper, "mm", 0.015)
    wide = (stage[2] - stage[0] - 28 * unit * (len(cards) - 1)) / len(cards)
    for index, (title, colour) in enumerate(cards):
        x = stage[0] + index * (wide + 28 * unit)
        y = stage[3] + 34 * unit
        _card(canvas, random, (x, y, x + wide, y + 190 * unit), colour, look, index, unit)
        canvas.text((x, y + 232 * unit), title, 24 * unit, look.ink, "ls", 0.018)
        canvas.words((x, y + 252 * unit), wide * 0.9, 2, 8 * unit, mix(look.ink, look.paper, 0.75), random)
    return canvas.finish(seed, 5)


def crop(picture: Image.Image, ratio: float) -> Image.Image:
    """Return the middle of `picture` with this ratio of width to height."""
    width, height = picture.size
    wide, tall = min(width, round(height * ratio)), min(height, round(width / ratio))
    left, top = (width - wide) // 2, (height - tall) // 2
    return picture.crop((left, top, left + wide, top + tall))


def _card(canvas: Canvas, random: Random, box: Box, colour: str, look: Look, kind: int, unit: float) -> None:
    left, top, right, bottom = box
    patch = Canvas(
        (round(right - left), round(bottom - top)),
        sweep((round(right - left), round(bottom - top)), mix(colour, "#ffffff", 0.2), colour),
    )
    wide, tall = patch.size
    kind %= 4
    if kind == 0:
        patch.disc((wide * 0.3, tall * 0.95), tall * 0.55, look.accent)
        patch.disc((wide * 0.62, tall * 0.5), tall * 0.3, look.paper)
        patch.slice((wide * 0.62, tall * 0.5), tall * 0.3, 90, 270, look.ink)
    elif kind == 1:
        for step in range(6):
            line = [
                (wide * x / 20, tall * (0.28 + step * 0.14) + math.sin(x * 0.75 + step) * tall * 0.05)
                for x in range(-1, 23)
            ]
            patch.line(line, (look.paper, look.accent)[step % 2], tall * 0.05)
    elif kind == 2:
        for step in range(5):
            patch.slice(
                (wide * 0.5, tall * 1.0), tall * (0.86 - step * 0.17), 180, 360, (look.second, look.paper)[step % 2]
            )
    else:
        for step in range(7):
            high = tall * random.uniform(0.25, 0.8)
            patch.rectangle(
                (wide * (0.1 + step * 0.115), tall - high, wide * (0.18 + step * 0.115), tall),
                (look.paper, look.accent)[step % 2],
                tall * 0.03,
            )
    canvas.place(patch.finish(), box, 12 * unit)
