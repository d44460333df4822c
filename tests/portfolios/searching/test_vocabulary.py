"""What a beginning stands for: the words that the index has, where they are few, and itself where they are many."""

import pytest

from folio.portfolios.searching import due, find, finding, vocabulary, walking
from folio.portfolios.searching.finding import alternatives
from folio.portfolios.searching.stores import Whole
from tests.factories import make_portfolio

from .found import found

pytestmark = pytest.mark.django_db


def asked(text: str) -> list[tuple[str, ...]]:
    """Return what the index is asked for; whole words are marked."""
    return [
        tuple(f"={each}" if isinstance(each, Whole) else each for each in words)
        for words in alternatives(find(text).words)
    ]


def test_a_beginning_stands_for_the_words_that_begin_so() -> None:
    make_portfolio(slug="one", title="Harbour")
    make_portfolio(slug="two", title="Harbours, harbourside and har")
    due.fold_all()

    assert asked("harbour") == [("=HARBOUR", "=HARBOURS", "=HARBOURSIDE")]
    assert asked("harbours") == [("=HARBOURS", "=HARBOURSIDE")]
    assert asked("har") == [("=HAR", "=HARBOUR", "=HARBOURS", "=HARBOURSIDE")]
    assert sorted(found("harbour")) == sorted(found("har")) == ["one", "two"]
    assert found("harbours") == ["two"]


@pytest.mark.parametrize("text", ["ha", "h", "東京都", "har東"])
def test_short_ones_and_scripts_without_spaces_stand_for_themselves(text: str) -> None:
    make_portfolio(slug="match", title="Harbour 東京都 har東")
    due.fold_all()

    assert asked(text) == [(text.upper(),)]
    assert found(text) == ["match"]


def test_many_words_are_asked_for_by_their_beginning() -> None:
    for number in range(vocabulary.MOST):
        make_portfolio(slug=f"harbour-{number}", title=f"Harbour{number}")
    due.fold_all()
    assert len(asked("harbour")[0]) == vocabulary.MOST
    make_portfolio(slug="one-more", title="Harbourmaster")
    due.fold_all()

    assert asked("harbour") == [("HARBOUR",)]
    assert len(found("harbour")) == vocabulary.MOST + 1


@pytest.mark.parametrize("text", ["har", "harb", "harbour"])
def test_knows_words_that_go_on_in_another_script(text: str) -> None:
    make_portfolio(slug="match", title="Harbour東京")
    make_portfolio(slug="short", title="Har東京")
    due.fold_all()

    assert sorted(found(text)) == (["match", "short"] if text == "har" else ["match"])
    assert found("harbuor") == []  # errors are forgiven among words of one script


def test_words_that_are_gone_find_nothing_and_hinder_nothing() -> None:
    portfolio = make_portfolio(slug="match", title="Inns")
    due.fold_all()
    portfolio.title = "Inn"
    portfolio.save()
    due.fold_all()

    assert asked("inn") == [("=INN", "=INNS")]
    assert found("inns") == []
    assert found("inn") == ["match"]


def test_what_is_due_is_found_by_words_that_are_not_known_yet() -> None:
    make_portfolio(slug="match", title="Quay")
    due.fold_all()
    make_portfolio(slug="due", title="Quayside")

    assert asked("quay") == [("=QUAY",)]
    assert sorted(found("quay")) == ["due", "match"]


def test_what_is_folded_while_it_is_searched_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task may fold what another program wrote just before the search looks at what is due, or just after."""

    def folded_before() -> due.Due:
        due.fold_all()
        return due.due_now()

    def folded_after() -> due.Due:
        stale = due.due_now()
        due.fold_all()
        return stale

    for number, look in enumerate((folded_before, folded_after)):
        make_portfolio(slug=f"due-{number}", title=f"Qua{number}side")
        monkeypatch.setattr(finding, "due_now", look)
        assert found(f"qua{number}") == [f"due-{number}"]
        assert not due.is_anything_due()


def test_a_few_are_scored_as_many_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best word of each counts, wherever it stands."""
    make_portfolio(slug="excerpt", title="A", excerpt="harbours lamp")
    make_portfolio(slug="title", title="Harbourside", excerpt="lamp harbour")
    make_portfolio(slug="body", title="B", description="harbour lamp")
    due.fold_all()

    def ranked() -> list[int]:
        return find("harbour lamp", in_order=True).part(0, 9)

    looked_at = ranked()
    monkeypatch.setattr(walking, "LOOKED_AT", 0)

    assert ranked() == looked_at
    assert len(looked_at) == 3
