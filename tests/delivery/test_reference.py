"""`docs/reference/delivery.md` tells of every parameter and key, and of no other."""

import re

from folio.delivery.documents import Entry, Image
from folio.delivery.filters import PortfolioFilterSet
from folio.delivery.parts import OPTIONAL
from tests.contract.test_documented import section


def first_cells(text: str) -> set[str]:
    """Return what stands as code in the first cells of the tables."""
    cells = re.findall(r"^\| (`[^|]+`) \|", text, flags=re.MULTILINE)
    return {name for cell in cells for name in re.findall("`([^`]+)`", cell)}


def test_every_parameter_of_the_list() -> None:
    assert first_cells(section("delivery.md", "The list")) == set(PortfolioFilterSet.base_filters)


def test_every_key_of_an_entry() -> None:
    assert first_cells(section("delivery.md", "Shapes")) == set(Entry.__struct_fields__)


def test_every_key_of_an_image_in_its_order() -> None:
    (example,) = re.findall(r"```json\n(\{.*?\n\})\n```", section("delivery.md", "Shapes"), flags=re.DOTALL)

    assert re.findall(r'^  "(\w+)":', example, flags=re.MULTILINE) == list(Image.__struct_fields__)


def test_every_name_to_include_and_to_order_by() -> None:
    rows = {row.split("`")[1]: row for row in section("delivery.md", "The list").splitlines() if row.startswith("| `")}

    assert set(re.findall("`([^`]+)`", rows["include"])) == {"include", *OPTIONAL}
    names = {*PortfolioFilterSet.base_filters["ordering"].paths}
    assert names <= set(re.findall("`([^`]+)`", rows["ordering"]))
