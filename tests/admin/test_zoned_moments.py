"""Moments that are typed in the time zone of a browser, and moments in words."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.utils.translation import override

from folio.admin.moments import in_history, shown
from folio.admin.zoned import ZonedMomentField

BERLIN = "Europe/Berlin"


class Form(forms.Form):
    at = ZonedMomentField()


def sent(day: str = "", hour: str = "", zone: str = "") -> dict[str, str]:
    return {"at_0": day, "at_1": hour, "at_2": zone}


def read(*parts: str) -> Any:
    form = Form(sent(*parts))
    assert form.is_valid(), form.errors
    return form.cleaned_data["at"]


def said(*parts: str) -> list[str]:
    return list(Form(sent(*parts)).errors["at"])


@pytest.mark.parametrize(
    ("parts", "moment"),
    [
        (("2026-12-04", "09:00", BERLIN), datetime(2026, 12, 4, 8, tzinfo=UTC)),
        (("2026-07-04", "09:00", BERLIN), datetime(2026, 7, 4, 7, tzinfo=UTC)),
        (("2026-12-04", "09:00:07", "Asia/Tehran"), datetime(2026, 12, 4, 5, 30, 7, tzinfo=UTC)),
        (("2026-12-04", "", "Asia/Tokyo"), datetime(2026, 12, 3, 15, tzinfo=UTC)),
        (("2026-12-04", "09:00", ""), datetime(2026, 12, 4, 9, tzinfo=UTC)),
        (("2026-12-04", "09:00", "Asia/Calcutta"), datetime(2026, 12, 4, 3, 30, tzinfo=UTC)),  # as Chromium calls it
        (("", "", BERLIN), None),
    ],
)
def test_a_moment_is_read_in_the_zone_that_comes_with_it(parts: tuple[str, ...], moment: datetime | None) -> None:
    assert read(*parts) == moment


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert read("2026-10-25", "02:30", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_that_is_skipped_is_refused_with_one_that_is_not() -> None:
    assert said("2026-03-29", "02:30", BERLIN) == [
        "At that time the clocks of Europe/Berlin are put forward, and skip it. Enter 03:30, say."
    ]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (("4.12.2026x", "09:00", ""), "Enter a date such as 2026-12-04."),
        (("2026-02-30", "09:00", ""), "Enter a date such as 2026-12-04."),
        (("2026-12-04", "nine", ""), "Enter a time such as 09:00."),
        (("", "09:00", BERLIN), "A time alone is not enough: enter its date too, such as 2026-12-04."),
        (("9999-12-31", "23:00", "America/New_York"), "Enter a date that is nearer, such as 2026-12-04."),
        (("0001-01-01", "00:00", "Asia/Tokyo"), "Enter a date that is nearer, such as 2026-12-04."),
    ],
)
def test_what_is_no_moment_is_refused_in_words(parts: tuple[str, ...], sentence: str) -> None:
    assert said(*parts) == [sentence]


@pytest.mark.parametrize(
    "zone", ["Mars/Base", "../../etc/passwd", "/etc/passwd", "Europe", "a\0b", "x" * 5000, "berlin"]
)
def test_an_unknown_zone_is_refused_and_the_next_answer_asked_for_in_utc(zone: str) -> None:
    form = Form(sent("2026-12-04", "09:00", zone))

    assert "is not known here. Enter the date and time in UTC, as they are asked now." in form.errors["at"][0]
    html = str(form["at"])
    assert 'value="2026-12-04"' in html
    assert "data-zoned" not in html
    assert zone[:9] not in html


def test_boxes_begin_in_utc_and_say_so() -> None:
    html = str(Form(initial={"at": datetime(2026, 12, 4, 8, 0, 7, 5, tzinfo=UTC)})["at"])

    for part in ('value="2026-12-04"', 'value="08:00:07"', 'aria-label="Time (UTC)"', "In UTC.", "data-zoned"):
        assert part in html


def test_shows_again_what_was_typed_with_its_zone() -> None:
    html = str(Form(sent("2026-12-04", "25:00", BERLIN))["at"])

    assert 'value="2026-12-04"' in html
    assert f'value="{BERLIN}"' in html


@pytest.mark.parametrize("text", ["2026-12-04", "<b>", ""])
def test_shows_no_text_of_an_address(text: str) -> None:
    html = str(Form(initial={"at": text})["at"])

    assert "value" not in html


@pytest.mark.parametrize(
    ("parts", "has_changed"),
    [
        (("2026-12-04", "09:00", BERLIN), False),
        (("2026-12-04", "08:00", ""), False),
        (("2026-12-04", "08:00", BERLIN), True),
        (("", "", BERLIN), True),
        (("x", "", BERLIN), True),
    ],
)
def test_the_same_moment_in_another_zone_is_no_change(parts: tuple[str, ...], has_changed: bool) -> None:
    form = Form(sent(*parts), initial={"at": datetime(2026, 12, 4, 8, 0, 0, 5, tzinfo=UTC)})

    assert form.has_changed() is has_changed


def test_moments_are_told_in_utc_and_marked_for_the_script() -> None:
    moment = datetime(2026, 12, 4, 8, tzinfo=UTC)

    assert shown(moment) == (
        '<time datetime="2026-12-04T08:00:00Z" data-moment="long">Friday, 4 December 2026, 08:00 (UTC)</time>'
    )
    assert shown(moment, is_short=True) == (
        '<time datetime="2026-12-04T08:00:00Z" data-moment="short">4 Dec 2026, 08:00 UTC</time>'
    )


@pytest.mark.parametrize("value", ["2026-12-04T08:00:00Z", datetime(2026, 12, 4, 8, tzinfo=UTC)])
def test_the_history_tells_moments_alike(value: Any) -> None:
    assert "Friday, 4 December 2026, 08:00 (UTC)" in in_history(value)


@pytest.mark.parametrize("value", [None, "never"])
def test_the_history_tells_of_no_moment(value: Any) -> None:
    with override("en"):
        assert "empty" in in_history(value)
