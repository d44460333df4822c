"""From when on and up to when visitors may read a project, as its folder says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from folio.portfolios.models import Portfolio

from .folders import exported, imported, project, put, run

pytestmark = pytest.mark.django_db

BEGIN, END = datetime(2031, 3, 1, 7, 30, tzinfo=UTC), datetime(2031, 4, 1, tzinfo=UTC)
BOTH = "publish_at: 2031-03-01T08:30:00+01:00\nunpublish_at: 2031-04-01"
TOO_EARLY = "This is not after publish_at, 2031-03-01T00:00:00Z. Enter a later moment, or null for no end."
WRONG = "Enter a date or datetime such as 2024-12-12 or 2024-12-12T08:30:00Z."


def schedule() -> tuple[datetime | None, datetime | None]:
    return Portfolio.objects.values_list("publish_at", "unpublish_at").get(slug="a")


def test_what_is_left_out_stays_and_null_takes_away(work: Path) -> None:
    put(work, {"a/index.md": project(BOTH)})
    imported(work)
    assert schedule() == (BEGIN, END)

    put(work, {"a/index.md": project()})
    assert imported(work).startswith("Nothing differs")
    assert schedule() == (BEGIN, END)

    put(work, {"a/index.md": project("publish_at: ~\nunpublish_at: null")})
    assert imported(work).startswith("changed a: a (publish_at, unpublish_at)")
    assert schedule() == (None, None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ("publish_at: soon", f"4: publish_at: {WRONG}"),
        ("order: 1\nunpublish_at: [2031-01-01]", f"5: unpublish_at: {WRONG}"),
        (
            "publish_at: 2031-03-01\nunpublish_at: 2031-03-01",
            f"5: unpublish_at: {TOO_EARLY}",
        ),
    ],
)
def test_what_is_no_schedule_is_refused_with_its_line(work: Path, fields: str, reason: str) -> None:
    put(work, {"a/index.md": project(fields)})

    _output, errors, failure = run("import", work)

    assert failure
    assert errors == f"a/index.md:{reason}\n"
    assert not Portfolio.objects.exists()


def test_a_beginning_that_clashes_with_the_stored_end_is_refused_with_its_line(work: Path) -> None:
    put(work, {"a/index.md": project(BOTH)})
    imported(work)
    put(work, {"a/index.md": project("publish_at: 2031-04-01")})

    _output, errors, failure = run("import", work)

    assert failure
    assert errors == (
        "a/index.md:4: publish_at: This is not before unpublish_at, 2031-04-01T00:00:00Z. Enter an earlier moment, or "
        "send unpublish_at too.\n"
    )
    assert schedule() == (BEGIN, END)


def test_a_name_like_it_is_told_the_right_one(work: Path) -> None:
    put(work, {"a/index.md": project("publish_date: 2031-03-01")})

    _output, errors, _failure = run("import", work)

    assert errors.startswith("a/index.md:4: publish_date: Unknown field. Did you mean publish_at? Allowed: ")


def test_an_export_says_it_also_where_there_is_none(work: Path, tmp_path: Path) -> None:
    put(work, {"a/index.md": project(BOTH), "b/index.md": project(title="Other")})
    imported(work)

    exported(tmp_path / "out")

    first, second = ((tmp_path / "out" / name / "index.md").read_text() for name in ("01-a", "02-b"))
    assert "\npublish_at: 2031-03-01T07:30:00Z\nunpublish_at: 2031-04-01\n" in first
    assert "\npublish_at: null\nunpublish_at: null\n" in second
