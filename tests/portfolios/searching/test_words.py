"""What visitors find by words, and in what order."""

from collections.abc import Callable
from typing import Any

import pytest

from folio.portfolios.searching.due import fold_all
from tests.factories import make_employer, make_meta, make_portfolio, make_tag

from .found import found, scored

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["due", "folded"], autouse=True)
def state(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each test run on what is due, and on what is folded."""
    if request.param == "folded":
        for name in ("found", "scored"):
            monkeypatch.setitem(globals(), name, folded(globals()[name]))


def folded(search: Callable[[str], Any]) -> Callable[[str], Any]:
    def search_what_is_folded(text: str) -> Any:
        fold_all()
        return search(text)

    return search_what_is_folded


def test_looks_into_title_excerpt_description_tags_employer_and_meta() -> None:
    make_portfolio(slug="title", title="A needle")
    make_portfolio(slug="tag", tags=[make_tag(name="Needle")])
    make_portfolio(slug="employer", employer=make_employer(name="Needle & Sons"))
    make_portfolio(slug="excerpt", excerpt="Hay, needle.")
    make_portfolio(slug="description", description="Hay and a **needle**.")
    make_meta(make_portfolio(slug="meta"), key="material", value_text="Needles")
    make_portfolio(slug="needle")

    assert scored("needle") == [
        ("title", 4),
        ("employer", 3),
        ("tag", 3),
        ("excerpt", 2),
        ("meta", 1),
        ("description", 1),
    ]


def test_never_looks_into_meta_whose_key_begins_with_an_underscore_nor_into_keys() -> None:
    portfolio = make_portfolio()
    make_meta(portfolio, key="_internal", value_text="needle")
    make_meta(portfolio, key="needle", value_text="hay")

    assert found("needle") == []


def test_sums_the_best_field_of_each_word() -> None:
    make_portfolio(slug="both", title="alpha", excerpt="beta beta alpha", order=2)
    make_portfolio(slug="title", title="alpha beta", order=3)
    make_portfolio(slug="last", title="gamma", description="alpha beta", order=1)

    assert scored("beta ALPHA") == [("title", 8), ("both", 6), ("last", 2)]


def test_equal_scores_come_in_the_default_order() -> None:
    for slug, order in (("third", 3), ("first", 1), ("second", 2)):
        make_portfolio(slug=slug, title=f"needle {slug}", order=order)

    assert found("needle") == ["first", "second", "third"]


def test_every_word_must_be_found_at_the_beginning_of_a_word() -> None:
    make_portfolio(slug="match", title="Harbour museum")

    assert found("muse har") == ["match"]
    assert found("har paper") == []
    assert found("seum") == []


def test_a_hyphenated_word_is_found_whole_and_in_parts() -> None:
    make_portfolio(slug="match", title="A well-known دیجی‌کالا e‐mail")

    for text in ("well-known", "wellknown", "known", "well", "کالا", "دیجی‌کالا", "دیجیکالا", "email", "e-mail"):
        assert found(text) == ["match"], text
    assert found("well known") == ["match"]
    assert found("llkn") == []


@pytest.mark.parametrize("typo", ["harbor", "harbouur", "harbiur", "harbuor", "arbour", "hharbour", "harboux"])
def test_a_long_word_that_finds_nothing_forgives_one_error(typo: str) -> None:
    make_portfolio(slug="match", title="Harbours")
    make_portfolio(slug="other", title="Museum")

    assert found(typo) == ["match"]
    assert found(f"{typo} museum") == []


@pytest.mark.parametrize("typo", ["harr", "hxrb", "harbxxr", "hrabuor", "xyharbour"])
def test_forgives_no_short_word_and_no_second_error(typo: str) -> None:
    make_portfolio(title="Harbours")

    assert found(typo) == []


def test_a_word_that_finds_something_forgives_nothing() -> None:
    make_portfolio(slug="right", title="Harbor")
    make_portfolio(slug="like", title="Harbour")

    assert found("harbor") == ["right"]
    assert found("harbour") == ["like"]


def test_a_word_that_only_a_draft_has_finds_what_is_like_it() -> None:
    make_portfolio(slug="draft", title="Harbor", is_active=False)
    make_portfolio(slug="published", title="Harbour")

    assert found("harbor") == ["published"]


def test_a_draft_gives_no_error_something_to_be_like() -> None:
    make_portfolio(slug="draft", title="Harbour", is_active=False)

    assert found("harbor") == []
    assert found("harbour") == []


def test_marks_are_letters_like_others() -> None:
    make_portfolio(slug="match", title='C++ 100% #1 a_b "quoted" * \' \\ ok')

    for text in ("c++", "100%", "#1", "a_b", "a_", "quoted", '"quoted"', "*", "\\", "'ok'"):
        assert found(text) == ["match"], text
    for text in ("c+++", "%", "_", "10_", "%b", "OR", "NOT ok", "NEAR(", "title:c++", "c*x"):
        assert found(text) == [], text


def test_words_beyond_the_most_do_not_count() -> None:
    make_portfolio(slug="match", title=" ".join(f"w{number}" for number in range(32)))

    assert found(" ".join(f"w{number}" for number in range(40))) == ["match"]


def test_a_text_without_words_finds_nothing() -> None:
    make_portfolio()

    assert found("- \u200c ‐") == []


def test_scripts_without_spaces_are_found_at_any_letter() -> None:
    make_portfolio(slug="match", title="网站设计 コーヒー ไทยแลนด์")

    for text in ("网站", "设计", "ヒー", "แลนด์"):
        assert found(text) == ["match"], text


def test_a_very_long_description_is_searched_as_far_as_it_is_bounded() -> None:
    make_portfolio(slug="match", title="long", description=" ".join(f"word{number}" for number in range(200_000)))

    assert found("word9999") == ["match"]
    assert found("long word10001") == ["match"]
