"""How texts are compared in searches."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folio.api.folding import LONGEST_WORD, fold, is_near, words_of_query, words_of_text

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
SCRIPTS = st.text(
    st.sampled_from(
        "aAéÉßẞﬁİıσςΣдЁёيىیكکةهۀ۱١१1０Ａ-‐\u200c\u00ad\u0301 ,.!'’_%#+/한국日本語ไทยहिन्दी🎨\ufe0f\n\u00a0ﷺ"
    ),
    max_size=24,
)


@given(TEXTS | SCRIPTS)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXTS | SCRIPTS)
def test_no_form_of_unicode_folds_otherwise(text: str) -> None:
    assert len({fold(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}) == 1


@given(TEXTS | SCRIPTS)
def test_letter_case_folds_alike(text: str) -> None:
    assert fold(text.lower().upper()) == fold(text)


@given(TEXTS | SCRIPTS)
def test_a_query_finds_the_text_that_it_is(text: str) -> None:
    assert set(words_of_query(text)) <= set(words_of_text(text))


@given(TEXTS | SCRIPTS)
def test_a_folded_query_asks_for_the_same(text: str) -> None:
    assert words_of_query(fold(text)) == words_of_query(text)


@given(TEXTS | SCRIPTS, TEXTS | SCRIPTS)
def test_texts_beside_each_other_fold_by_themselves(one: str, other: str) -> None:
    assert fold(f"{one} {other}") == f"{fold(one)} {fold(other)}"


@given(TEXTS | SCRIPTS)
def test_no_word_is_long_or_holds_a_space(text: str) -> None:
    assert all(0 < len(word) <= LONGEST_WORD and not word.split()[1:] for word in words_of_text(text))


@pytest.mark.parametrize(
    ("texts", "folded"),
    [
        (["Straße", "STRASSE", "straẞe"], "STRASSE"),
        (["école", "ÉCOLE", "e\u0301cole"], "ECOLE"),
        (["Ａ１", "a1", "Å①"], "A1"),
        (["كتاب", "کتاب"], "کتاب"),
        (["علي", "على", "علی"], "علی"),
        (["خانة", "خانه", "خانۀ"], "خانه"),
        (["می‌روم", "میروم", "مــیروم"], "میروم"),
        (["۱۴۰۳", "١٤٠٣", "१४०३", "1403"], "1403"),
        (["e-mail", "e‐mail", "e\u00admail", "email"], "EMAIL"),
        (["l’eau", "l'eau"], "L'EAU"),
        (["❤️", "❤"], "❤"),
    ],
)
def test_folds_what_is_written_differently_alike(texts: list[str], folded: str) -> None:
    assert {fold(text) for text in texts} == {folded}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("well-known", {"WELLKNOWN", "WELL", "KNOWN"}),
        ("دیجی‌کالا", {"دیجیکالا", "دیجی", "کالا"}),
        ("(Harbour),", {"HARBOUR"}),
        ("C++ 100% #1", {"C++", "C", "100%", "100", "#1", "1"}),
        ("a_b", {"A_B", "A", "B"}),
        ("网站", {"网站", "站"}),
        ("a - b", {"A", "B"}),
        ("हिन्दी", {fold("हिन्दी")}),
    ],
)
def test_takes_words_whole_and_to_their_parts(text: str, words: set[str]) -> None:
    assert set(words_of_text(text)) == words


@given(st.text("abc", min_size=5, max_size=7), st.text("abc", max_size=9))
def test_is_near_what_one_error_makes_of_it(query: str, word: str) -> None:
    made = {query}
    for place in range(len(query) + 1):
        before, rest = query[:place], query[place:]
        made |= {before + letter + rest for letter in "abc"} | {before + letter + rest[1:] for letter in "abc"}
        made |= {before + rest[1:], before + rest[1:2] + rest[:1] + rest[2:]}

    assert is_near(query, word) == any(word.startswith(each) for each in made)
