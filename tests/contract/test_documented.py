"""Every setting, command, code and filter stands in the reference."""

import re
from contextlib import suppress

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandParser

from folio.access.codes import CODES
from folio.access.views import TokenViewSet
from folio.api.filters import OrderingFilter, PageFilterSet
from folio.api.headers import TAKEN, TOLD
from folio.api.viewsets import ListingView
from folio.media.views import MediaViewSet
from folio.portfolios.views import EmployerViewSet, LinkViewSet, MetaEntryViewSet, PortfolioViewSet, TagViewSet
from tests.environment import ROOT, variables_read

REFERENCE = ROOT / "docs" / "reference"
COMMANDS = sorted(name for name, app in get_commands().items() if app.startswith("folio"))
LISTS: dict[str, type[ListingView]] = {
    "Portfolios": PortfolioViewSet,
    "Employers": EmployerViewSet,
    "Tags": TagViewSet,
    "Links": LinkViewSet,
    "Meta": MetaEntryViewSet,
    "Media": MediaViewSet,
}


def page(name: str) -> str:
    return (REFERENCE / name).read_text()


def section(name: str, heading: str) -> str:
    """Return what stands under a page's heading, up to the next one of its level."""
    parts = re.split(rf"^## {re.escape(heading)}$", page(name), flags=re.MULTILINE)
    assert len(parts) == 2, f"{name} has no heading '## {heading}'"
    return re.split(r"^## ", parts[1], flags=re.MULTILINE)[0]


def first_column(text: str) -> set[str]:
    """Return the code-formatted first cells of the tables."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, flags=re.MULTILINE))


def test_every_setting_and_no_other() -> None:
    assert first_column(page("settings.md")) == variables_read()


def test_every_code_with_its_permission_and_no_other() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (\w+) \| `([\w.]+)` \|$", page("codes.md"), flags=re.MULTILINE)

    assert rows == [(str(code.code), code.resource, code.action, code.permission) for code in CODES.values()]


def flags_of(parser: CommandParser) -> set[str]:
    return {action.option_strings[-1] for action in parser._actions if action.option_strings}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_with_its_flags(command: str) -> None:
    text = section("commands.md", f"`folio {command}`")
    parser = CommandParser()
    found = load_command_class(get_commands()[command], command)
    assert isinstance(found, BaseCommand)
    found.add_arguments(parser)
    djangos = CommandParser()
    with suppress(ModuleNotFoundError):  # of one that does more than Django's of that name, what it adds
        load_command_class("django.core", command).add_arguments(djangos)

    assert first_column(text) == flags_of(parser) - flags_of(djangos)


def test_no_command_that_does_not_exist() -> None:
    named = set(re.findall(r"^## `folio (\w+)`$", page("commands.md"), flags=re.MULTILINE))

    assert named == set(COMMANDS)


@pytest.mark.parametrize("heading", LISTS)
def test_every_filter_and_no_other(heading: str) -> None:
    documented = first_column(section("filters.md", heading)) | first_column(section("filters.md", "Every list"))

    assert documented == set(LISTS[heading].filterset_class.base_filters)


@pytest.mark.parametrize("heading", LISTS)
def test_every_name_to_order_by(heading: str) -> None:
    ordering = LISTS[heading].filterset_class.base_filters["ordering"]
    assert isinstance(ordering, OrderingFilter)
    text = section("filters.md", heading)
    names = re.search(r"`ordering` knows ((?:`\w+`,?\s*)+)", text)

    assert names is not None
    assert set(re.findall(r"`(\w+)`", names[1])) == set(ordering.paths)


def test_the_keys_list_has_no_filters_of_its_own() -> None:
    assert set(TokenViewSet.filterset_class.base_filters) == set(PageFilterSet.base_filters) == {"limit", "offset"}
    assert {"limit", "offset"} <= first_column(section("filters.md", "Every list"))


def test_every_list_has_its_section() -> None:
    headings = set(re.findall(r"^## (.+)$", page("filters.md"), flags=re.MULTILINE))

    assert set(LISTS) <= headings


def test_every_header_that_a_request_may_have() -> None:
    assert {name for name in TAKEN if f"| `{name}` |" in page("conditions.md")} == set(TAKEN)
    assert [name for name in TOLD if f"`{name}" not in page("conditions.md")] == []
