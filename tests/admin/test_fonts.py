"""The fonts of the admin site, which are cut: nothing that is shown may be missing."""

import re

import pytest

from tests.fonts import FOLDER, ICON, ICONS, PARTS, WEIGHTS, WORD, all_icons, icons_of, texts

# In a script or program: an icon by the name of what holds it. `tests/browser/` looks at what pages show besides.
IN_CODE = re.compile(r"""(?:icon|symbol|sign)\w*["']?\s*(?:=|:|\()\s*["']([a-z][a-z0-9_]+)["']""", re.IGNORECASE)
RENEW = "Renew the fonts by `make fonts`."


@pytest.fixture(scope="module")
def icons() -> set[str]:
    return set(icons_of(ICONS))


@pytest.fixture(scope="module")
def known() -> set[str]:
    return set(icons_of(all_icons()))


def test_holds_every_icon_that_a_template_shows(icons: set[str], known: set[str]) -> None:
    named = {
        word: str(path)
        for path, text in texts()
        if path.suffix == ".html"
        for element in ICON.findall(text)
        for word in WORD.findall(re.sub(r"{[{%#].*?[}%#]}", " ", element))
        if word in known
    }

    assert len(named) > 50
    assert not {word: path for word, path in named.items() if word not in icons}, RENEW


def test_holds_every_icon_that_a_script_or_a_setting_names(icons: set[str], known: set[str]) -> None:
    named = {
        word: str(path)
        for path, text in texts()
        if path.suffix != ".html"
        for word in IN_CODE.findall(text)
        if word in known
    }

    assert {"photo_library", "work"} <= set(named) | icons
    assert not {word: path for word, path in named.items() if word not in icons}, RENEW


def test_is_a_small_part_of_the_whole_font() -> None:
    assert ICONS.stat().st_size < 25_000 < all_icons().stat().st_size


def test_every_part_of_inter_is_there_with_its_letters() -> None:
    from fontTools.ttLib import TTFont

    samples = {"latin": "Aaß€–“…↗", "latin-ext": "ŁłŞşẽ", "cyrillic": "Жж", "greek": "Ωω"}
    for weight in WEIGHTS.values():
        for part in PARTS:
            with TTFont(FOLDER / f"inter-{weight}-{part}.woff2") as font:
                missing = [letter for letter in samples[part] if ord(letter) not in font.getBestCmap()]
            assert not missing, (weight, part)


def test_the_licences_lie_beside_them() -> None:
    for name in ("inter.LICENSE", "icons.LICENSE"):
        assert len((FOLDER / name).read_text()) > 1000
