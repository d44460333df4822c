"""The threat model names, for each threat, tests that exist and are run; for each risk that is left, what one does."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.environment import ROOT, variables_read

PAGE = ROOT / "docs" / "threat-model.md"
ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py(?:::\w+)+)`")
NUMBERED = re.compile(r"([A-Z])(\d+)")
REMAINS = "R"  # begins the number of what is not stopped


def rows() -> dict[str, list[str]]:
    found = [(name, re.split(r" \| ", cells)) for name, cells in ROW.findall(PAGE.read_text())]
    assert len({name for name, _ in found}) == len(found), "A number stands there twice."
    return dict(found)


THREATS = {name: cells for name, cells in rows().items() if not name.startswith(REMAINS)}
RISKS = {name: cells for name, cells in rows().items() if name.startswith(REMAINS)}


@cache
def found_in(path: str) -> dict[str, ast.FunctionDef]:
    """Return the tests that pytest finds in a file, by their names within it."""
    found = {}
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found[node.name] = node
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            within = (each for each in node.body if isinstance(each, ast.FunctionDef))
            found |= {f"{node.name}::{each.name}": each for each in within if each.name.startswith("test_")}
    return found


def is_skipped(test: ast.FunctionDef) -> bool:
    return any(re.search(r"mark\.(skip|xfail)\b", ast.unparse(each)) for each in test.decorator_list)


@pytest.mark.parametrize("name", THREATS)
def test_each_threat_names_what_stops_it_and_a_test_that_is_run(name: str) -> None:
    what, stops, shown = THREATS[name]
    named = TEST.findall(shown)

    assert what.strip()
    assert stops.strip()
    assert named
    assert not TEST.sub("", shown).strip(" ,"), "There is something that is not the name of a test."
    for each in named:
        path, _, test = each.partition("::")
        assert Path(path).name.startswith("test_")
        assert test in found_in(path), each
        assert not is_skipped(found_in(path)[test]), each


@pytest.mark.parametrize("name", RISKS)
def test_each_risk_that_is_left_says_what_the_operator_does(name: str) -> None:
    risk, does = RISKS[name]

    assert len(risk) > 20
    assert len(does) > 20


def test_no_number_is_left_out() -> None:
    numbers: dict[str, list[int]] = {}
    for name in rows():
        [(letter, number)] = NUMBERED.findall(name)
        numbers.setdefault(letter, []).append(int(number))

    assert len(THREATS) > 70
    assert len(RISKS) > 10
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"\bFOLIO_[A-Z_]+", PAGE.read_text()))

    assert len(named) > 10
    assert named <= variables_read()
