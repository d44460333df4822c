"""Patterns: tiles, a quilt, paper cut-outs."""

import math
from collections.abc import Sequence

from PIL import Image

from .canvas import Canvas, Point, Size, brightness, dice, fade, leaf, mix, polar, smooth


def girih(
    size: Size, seed: str, ground: str, star: str, cross: str, petal: str, line: str, *, cell: int = 200
) -> Image.Image:
    """Draw a wall of eight-pointed stars and crosses, as tile makers lay them, with a flower in each star."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, ground)
    outer = cell / 2

    def ring_of(centre: Point, long: float, short: float, points: int, turn: float = 0) -> list[Point]:
        return [
            (
                centre[0] + math.cos(turn + step * math.pi / points) * (short if step % 2 else long),
                centre[1] + math.sin(turn + step * math.pi / points) * (short if step % 2 else long),
            )
            for step in range(points * 2)
        ]

    inner = outer * 0.7654  # where two squares, one turned by 45 degrees, cross
    for row in range(-1, height // cell + 2):
        for column in range(-1, width // cell + 2):
            corner = (column * cell, row * cell)
            tone = mix(cross, ground, random.uniform(0, 0.25))
            canvas.polygon(ring_of(corner, outer * 0.86, outer * 0.3, 4), tone)
            canvas.polygon(ring_of(corner, outer * 0.5, outer * 0.2, 4), mix(tone, line, 0.28))
            canvas.disc(corner, outer * 0.1, petal)
    for row in range(-1, height // cell + 2):
        for column in range(-1, width // cell + 2):
            centre = ((column + 0.5) * cell, (row + 0.5) * cell)
            glaze = mix(star, "#000000" if random.random() < 0.5 else "#ffffff", random.uniform(0, 0.13))
            canvas.polygon(ring_of(centre, outer * 1.0, inner, 8), line)
            canvas.polygon(ring_of(centre, outer * 0.955, inner * 0.935, 8), glaze)
            canvas.polygon(ring_of(centre, outer * 0.74, inner * 0.71, 8, math.pi / 8), fade(line, 0.16))
            for step in range(8):
                angle = step * math.pi / 4
                tip = (centre[0] + math.cos(angle) * outer * 0.56, centre[1] + math.sin(angle) * outer * 0.56)
                canvas.polygon(leaf(centre, tip, 0.23), petal if step % 2 else mix(petal, line, 0.55))
            canvas.disc(centre, outer * 0.13, line)
            canvas.disc(centre, outer * 0.085, cross)
    return canvas.finish(seed, 6)


def tiles(size: Size, seed: str, colours: Sequence[str], *, count: int = 6) -> Image.Image:
    """Draw a quilt of quarter discs, leaves, stripes and dots."""
    random = dice(seed)
    canvas = Canvas(size, colours[0])
    edge = size[0] / count
    for row in range(round(size[1] / edge)):
        for column in range(count):
            x, y = column * edge, row * edge
            ground, figure, detail = random.sample(list(colours), 3)
            canvas.rectangle((x, y, x + edge, y + edge), ground)
            kind = random.randrange(6)
            corner = random.randrange(4)
            at = (x + edge * (corner in (1, 2)), y + edge * (corner > 1))
            start = (0, 90, 180, 270)[corner]
            if kind == 0:
                canvas.slice(at, edge, start, start + 90, figure)
                canvas.slice(at, edge * 0.5, start, start + 90, detail)
            elif kind == 1:
                canvas.disc((x + edge / 2, y + edge / 2), edge * 0.38, figure)
                canvas.slice((x + edge / 2, y + edge / 2), edge * 0.38, start, start + 180, detail)
            elif kind == 2:
                canvas.polygon(
                    leaf((x, y), (x + edge, y + edge), 0.3) if corner % 2 else leaf((x + edge, y), (x, y + edge), 0.3),
                    figure,
                )
            elif kind == 3:
                for stripe in range(4):
                    canvas.rectangle(
                        (x, y + edge * (stripe + 0.25) / 4, x + edge, y + edge * (stripe + 0.75) / 4), figure
                    )
            elif kind == 4:
                for dot in range(9):
                    canvas.disc(
                        (x + edge * (dot % 3 * 2 + 1) / 6, y + edge * (dot // 3 * 2 + 1) / 6), edge * 0.085, figure
                    )
            else:
                canvas.polygon(
                    [(x, y), (x + edge, y), (x, y + edge)]
                    if corner % 2
                    else [(x, y), (x + edge, y), (x + edge, y + edge)],
                    figure,
                )
    return canvas.finish()


def cutouts(size: Size, seed: str, papers: Sequence[str], leaves: Sequence[str]) -> Image.Image:
    """Draw twelve plants cut from coloured paper."""
    random = dice(seed)
    width, height = size
    canvas = Canvas(size, papers[0])
    columns, rows = 4, 3
    wide, tall = width / columns, height / rows
    squares = [(column, row) for row in range(rows) for column in range(columns)]
    # Six papers, shifted by two from row to row: none lies beside its like.
    grounds = [papers[(column + row * 2) % len(papers)] for column, row in squares]
    for (column, row), paper in zip(squares, grounds, strict=True):
        canvas.rectangle((column * wide, row * tall, (column + 1) * wide, (row + 1) * tall), paper)
    plants = (_hand, _fern, _seaweed, _agave)
    last = ""
    for (column, row), paper in zip(squares, grounds, strict=True):
        readable = [one for one in leaves if one != last and abs(brightness(one) - brightness(paper)) > 60]
        last = random.choice(readable)
        root = ((column + 0.5 + random.uniform(-0.04, 0.04)) * wide, (row + 0.96) * tall)
        plants[(column + (0, 2, 1)[row]) % 4](canvas, root, tall, last, random.uniform(-0.12, 0.12))
    return canvas.finish(seed, 5)


def _hand(canvas: Canvas, root: Point, tall: float, colour: str, lean: float) -> None:
    heart = (root[0], root[1] - tall * 0.24)
    for finger in range(7):
        tip = polar(heart, tall * (0.62 - 0.045 * abs(finger - 3)), -90 + (finger - 3) * 27 + lean * 60)
        canvas.polygon(leaf(heart, tip, 0.12), colour)
    canvas.line([root, heart], colour, tall * 0.022)


def _fern(canvas: Canvas, root: Point, tall: float, colour: str, lean: float) -> None:
    x, y = root
    stem = smooth([root, (x + lean * tall * 0.5, y - tall * 0.45), (x + lean * tall, y - tall * 0.88)], 10)
    canvas.line(stem, colour, tall * 0.018)
    for step in range(2, len(stem), 2):
        for side in (-1, 1):
            long = tall * 0.34 * (1.05 - step / len(stem))
            canvas.polygon(leaf(stem[step], (stem[step][0] + side * long, stem[step][1] - long * 0.55), 0.17), colour)


def _seaweed(canvas: Canvas, root: Point, tall: float, colour: str, lean: float) -> None:
    for step in range(5):
        for side in (-1, 1):
            at = (root[0] + side * tall * (0.15 - step * 0.012), root[1] - tall * (0.14 + step * 0.16))
            canvas.disc(at, tall * (0.115 - step * 0.012), colour)
    canvas.line([root, (root[0], root[1] - tall * 0.86)], colour, tall * 0.075)


def _agave(canvas: Canvas, root: Point, tall: float, colour: str, lean: float) -> None:
    for blade in range(9):
        tip = polar(root, tall * (0.8 - 0.06 * abs(blade - 4)), -90 + (blade - 4) * 19)
        canvas.polygon(leaf(root, tip, 0.07), colour)
