"""The sentence that shows why a portfolio was found."""

import random
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from folio import snapshots
from folio.api.folding import fold
from folio.portfolios.searching import find
from folio.portfolios.searching.finding import Word
from folio.portfolios.searching.highlighting import Glance
from folio.snapshots.caches import SnapshotCache
from tests.factories import make_employer, make_meta, make_portfolio, make_tag

from .found import shown

pytestmark = pytest.mark.django_db


def test_shows_the_sentence_that_matches() -> None:
    make_portfolio(excerpt="First one. The harbour at night! And a third.")

    assert shown("harb") == ["The <mark>harbour</mark> at night!"]


def test_escapes_all_but_its_own_marks() -> None:
    make_portfolio(excerpt='An <script>alert("x")</script> & a <mark>trap</mark>.')

    assert shown("alert") == [
        "An &lt;script&gt;<mark>alert</mark>(&quot;x&quot;)&lt;/script&gt; &amp; a &lt;mark&gt;trap&lt;/mark&gt;."
    ]
    assert shown("<script>alert") == [
        "An &lt;<mark>script</mark>&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; a &lt;mark&gt;trap&lt;/mark&gt;."
    ] or "<script" not in str(shown("<script>alert"))


def test_shows_the_rendered_text_of_a_description() -> None:
    make_portfolio(
        description="# Head\n\nA **bold** [harbour](https://example.com/secret) `view`.\n\n* item", excerpt="x"
    )

    assert shown("harbour") == ["A bold <mark>harbour</mark> view."]
    assert shown("secret") == []


def test_is_null_where_only_tags_or_the_employer_match() -> None:
    make_portfolio(tags=[make_tag(name="Needle")])
    make_portfolio(employer=make_employer(name="Needle"))

    assert shown("needle") == [None, None]


def test_shows_meta_and_last_of_all_the_title() -> None:
    make_meta(make_portfolio(title="Needle one"), key="k", value_text="A needle.")
    make_portfolio(title="Needle two", excerpt="Hay.")

    assert shown("needle") == ["A <mark>needle</mark>.", "<mark>Needle</mark> two"]


def test_prefers_the_sentence_with_most_of_the_words() -> None:
    make_portfolio(excerpt="Only alpha. Only beta.", description="Here are beta and alpha.")

    assert shown("alpha beta") == ["Here are <mark>beta</mark> and <mark>alpha</mark>."]


def test_marks_what_was_forgiven_and_what_is_folded() -> None:
    make_portfolio(excerpt="Le Muséum d’été, دیجی‌کالا.")

    assert shown("musuem") == ["Le <mark>Muséum</mark> d’été, دیجی‌کالا."]
    assert shown("دیجیکالا") == ["Le Muséum d’été, <mark>دیجی‌کالا</mark>."]
    assert shown("ete") == ["Le Muséum d’<mark>été</mark>, دیجی‌کالا."]


def test_cuts_a_long_sentence_round_its_match() -> None:
    make_portfolio(excerpt=f"{'before ' * 60}needle {'after ' * 60}")

    [text] = shown("needle")

    assert text is not None
    assert "<mark>needle</mark>" in text
    assert text.startswith("…")
    assert text.endswith("…")
    assert len(text) < 400


def test_marks_no_more_than_the_match_where_no_spaces_are_written() -> None:
    make_portfolio(excerpt="我们的网站设计很好")

    assert shown("设计") == ["我们的网站<mark>设计</mark>很好"]


def test_is_bounded_for_a_word_of_any_length() -> None:
    make_portfolio(excerpt="needle" + "x" * 900)

    [text] = shown("needle")

    assert text is not None
    assert len(text) < 400


def test_texts_are_read_once_in_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "documents", SnapshotCache(1_000_000))
    monkeypatch.setattr(snapshots, "usable", lambda snapshot: snapshot)
    portfolio = make_portfolio(excerpt="At the harbour.")
    first = find("harb").highlights([portfolio.pk], 1)
    type(portfolio).objects.update(excerpt="The harbour by night.")
    search = find("har")

    with CaptureQueriesContext(connection) as captured:
        kept = search.highlights([portfolio.pk], 1)

    assert len(captured) == 0
    assert first == {portfolio.pk: "At the <mark>harbour</mark>."} == kept
    assert search.highlights([portfolio.pk], 2) == {portfolio.pk: "The <mark>harbour</mark> by night."}


@pytest.mark.parametrize("seed", range(20))
def test_marks_in_ascii_what_a_look_at_each_piece_finds(seed: int) -> None:
    chance = random.Random(seed)
    pieces = ["lamp", "Lamps", "lamp-post", "clamp", "(lamp)", "post", "a", "POSTER,", "-", "lamp_post", "o'lamp"]
    spaces = [" ", "  ", "\t", "\x1c", " - "]
    words = [Word(text, (text,)) for text in chance.sample(["LAMP", "POST", "A", "LAMP-"], 2)]
    glance = Glance(words)
    for _ in range(50):
        sentence = "".join(chance.choice(pieces) + chance.choice(spaces) for _ in range(chance.randrange(1, 8)))
        folded = fold(sentence)
        if len(folded) == len(sentence):
            looked_at = [
                chunk.span() for chunk in re.finditer(r"\S+", sentence) if glance(folded[chunk.start() : chunk.end()])
            ]
            assert glance.chunks(folded) == looked_at, sentence
