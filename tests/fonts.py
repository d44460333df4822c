"""The fonts of the admin site, cut to what it shows: `make fonts` makes them anew out of unfold's, which are whole.

Icons are ligatures of Material Symbols, by name. Inter comes in a part for each group of scripts, of which a browser
loads what a page has letters of. Drawings have fonts of their own.
"""

import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .environment import ROOT

FOLDER = ROOT / "folio" / "admin" / "static" / "folio" / "admin" / "fonts"
VAZIRMATN = FOLDER.parent / "vendor" / "vazirmatn.woff2"
DRAWN = ROOT / "folio" / "media" / "svg" / "fonts"  # what the renderer of drawings reads, which knows no WOFF2
ICONS = FOLDER / "icons.woff2"
WEIGHTS = {"Regular": 400, "Medium": 500, "SemiBold": 600, "Bold": 700}
# As the large hosts of web fonts cut them.
PARTS = {
    "latin": "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+2000-206F, U+20AC, U+2122, "
    "U+2190-2199, U+2212, U+2215, U+FEFF, U+FFFD",
    "latin-ext": "U+0100-0130, U+0132-0151, U+0154-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, U+02DD-02FF, "
    "U+0304, U+0308, U+0329, U+1E00-1EFF, U+20A0-20AB, U+20AD-20C0, U+2113, U+2C60-2C7F, U+A720-A7FF",
    "cyrillic": "U+0301, U+0400-052F, U+1C80-1C88, U+2DE0-2DFF, U+A640-A69F, U+FE2E-FE2F",
    "greek": "U+0370-03FF, U+1F00-1FFF",
}
NAMED_BY = set("abcdefghijklmnopqrstuvwxyz0123456789_")
WORD = re.compile(r"[a-z][a-z0-9_]+")
QUOTED = re.compile(r"""["']([a-z][a-z0-9_]+)["']""")
ICON = re.compile(r"material-symbols-outlined[^<>]*(?:{[{%][^<>]*)*>(.*?)<", re.DOTALL)


def unfold() -> Path:
    found = find_spec("unfold")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def texts() -> Iterator[tuple[Path, str]]:
    """Yield everything that may name an icon: Folio's own files and unfold's templates and scripts."""
    for folder in (ROOT / "folio", unfold()):
        for path in folder.rglob("*"):
            is_vendored = "vendor" in path.parts or path.name in {"chart.js", "htmx.js"}
            if path.suffix in {".html", ".js", ".py", ".css"} and not is_vendored:
                yield path, path.read_text()


def named_icons(known: set[str]) -> dict[str, Path]:
    """Return the icons that are named anywhere, each with a file that does.

    In a template an icon's element holds its name; in a style, a script or a program, and as a template's argument, any
    word in quotes may be one. That takes in some that are none: a small price for not forgetting one.
    """
    found: dict[str, Path] = {}
    for path, text in texts():
        words = set(QUOTED.findall(text))
        if path.suffix == ".html":
            words |= {word for element in ICON.findall(text) for word in WORD.findall(element)}
        for word in words & known:
            found.setdefault(word, path)
    return found


def ligatures(font: Any) -> dict[str, str]:
    """Return the glyph of each icon by the icon's name."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    found: dict[str, str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, others in getattr(table, "ligatures", {}).items():
                for ligature in others:
                    name = "".join(letters.get(glyph, "?") for glyph in (first, *ligature.Component))
                    found[name] = ligature.LigGlyph
    return found


def icons_of(path: Path) -> dict[str, str]:
    from fontTools.ttLib import TTFont

    with TTFont(path) as font:
        return ligatures(font)


def all_icons() -> Path:
    return unfold() / "static" / "unfold" / "fonts" / "material-symbols" / "Material-Symbols-Outlined.woff2"


def cut_icons() -> None:
    from fontTools import subset

    options = subset.Options(flavor="woff2", layout_closure=False, layout_features=["liga", "rlig"], hinting=False)
    font = subset.load_font(str(all_icons()), options)
    glyphs = ligatures(font)
    letters = [glyph for code, glyph in font.getBestCmap().items() if chr(code) in NAMED_BY]
    cutter = subset.Subsetter(options)
    cutter.populate(glyphs=[*letters, *(glyphs[name] for name in named_icons(set(glyphs)))])
    cutter.subset(font)
    subset.save_font(font, str(ICONS), options)


def cut_inter() -> Iterator[str]:
    """Write the parts of Inter, and yield the rules of a style sheet that load them."""
    from fontTools import subset

    for name, weight in WEIGHTS.items():
        for part, ranges in PARTS.items():
            options = subset.Options(flavor="woff2", layout_features=["kern", "mark", "mkmk", "ccmp", "locl", "calt"])
            font = subset.load_font(str(unfold() / f"static/unfold/fonts/inter/Inter-{name}.woff2"), options)
            cutter = subset.Subsetter(options)
            cutter.populate(unicodes=subset.parse_unicodes(ranges.replace("U+", "")))
            cutter.subset(font)
            file = FOLDER / f"inter-{weight}-{part}.woff2"
            subset.save_font(font, str(file), options)
            yield (
                "@font-face {\n  font-display: swap;\n  font-family: Inter;\n"
                f'  font-weight: {weight};\n  src: url("{file.name}") format("woff2");\n'
                f"  unicode-range: {ranges};\n}}\n"
            )


def make_drawn() -> None:
    """Write the fonts of drawings: two weights of Inter with all scripts of its parts, and Vazirmatn."""
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib import instancer

    for name in ("Regular", "Bold"):
        options = subset.Options(layout_features=["kern", "mark", "mkmk", "ccmp", "locl", "liga"], hinting=False)
        font = subset.load_font(str(unfold() / f"static/unfold/fonts/inter/Inter-{name}.woff2"), options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=subset.parse_unicodes(",".join(PARTS.values()).replace("U+", "")))
        cutter.subset(font)
        font.flavor = None
        font.save(DRAWN / f"Inter-{name}.ttf")
    font = instancer.instantiateVariableFont(TTFont(VAZIRMATN), {"wght": 400})
    font.flavor = None
    font.save(DRAWN / "Vazirmatn-Regular.ttf")
    for license in (FOLDER / "inter.LICENSE", VAZIRMATN.with_suffix(".LICENSE")):
        (DRAWN / license.name).write_bytes(license.read_bytes())


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    cut_icons()
    make_drawn()
    rules = list(cut_inter())
    icons = (
        '@font-face {\n  font-display: block;\n  font-family: "Material Symbols Outlined";\n  font-weight: 400;\n'
        f'  src: url("{ICONS.name}") format("woff2");\n}}\n'
    )
    (FOLDER / "fonts.css").write_text(
        "/* Made by `make fonts`: edit tests/fonts.py. */\n\n" + "\n".join([icons, *rules])
    )
    for name, folder in (("inter", "inter"), ("icons", "material-symbols")):
        text = (unfold() / "static/unfold/fonts" / folder / "LICENSE").read_bytes()
        (FOLDER / f"{name}.LICENSE").write_bytes(text)
    sys.stdout.write("".join(f"{path.stat().st_size:>8,} {path.name}\n" for path in sorted(FOLDER.iterdir())))


if __name__ == "__main__":
    main()
