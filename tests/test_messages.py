"""The catalogue of the admin site's words in Persian."""

import re
from collections import Counter

import polib
import pytest
from django.apps import apps
from django.utils.translation import gettext, override

from .messages import PO, in_models, wanted

PLACEHOLDER = re.compile(r"%\(\w+\)[sdr]|%[sd%]|\{\w*\}|<[^>]+>")


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(str(PO))


def test_has_every_word_that_is_needed_and_no_other(catalogue: polib.POFile) -> None:
    assert {(entry.msgctxt, entry.msgid) for entry in catalogue} == set(wanted()), "make messages"


def test_says_each_of_them_in_persian(catalogue: polib.POFile) -> None:
    assert not [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy]


def test_keeps_what_is_filled_in_later(catalogue: polib.POFile) -> None:
    for entry in catalogue:
        sources = [Counter(PLACEHOLDER.findall(text)) for text in (entry.msgid, entry.msgid_plural) if text]
        for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
            assert Counter(PLACEHOLDER.findall(text)) in sources, entry.msgid


def test_is_compiled_as_it_stands(catalogue: polib.POFile) -> None:
    compiled = {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in polib.mofile(str(PO.with_suffix(".mo")))}

    assert compiled == {entry.msgid: (entry.msgstr, entry.msgstr_plural) for entry in catalogue}, "make messages"


def test_uses_the_letters_of_persian(catalogue: polib.POFile) -> None:
    arabic = [entry.msgid for entry in catalogue if re.search("[يكة]", entry.msgstr)]

    assert not arabic


def test_names_every_model_and_column() -> None:
    names = {message.text for message in in_models()}

    assert {"API key", "portfolios", "gallery images", "completed at"} <= names
    with override("fa"):
        assert {name for name in names if gettext(name) == name} == {"SHA-256"}
        assert str(apps.get_model("portfolios.Portfolio")._meta.verbose_name) == "نمونه‌کار"
        assert str(apps.get_model("portfolios.Portfolio")._meta.get_field("title").verbose_name) == "عنوان"
