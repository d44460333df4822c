"""The words of the admin site in Persian: what is to be translated, and the catalogue that says how.

`python -m tests.messages` brings `folio/locale/fa/` up to date with the code; `make messages` calls it. Other languages
come with Django; where a word is Django's own and Django has it in Persian, it is not repeated here.
"""

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import django
import polib
import unfold
from django.apps import apps
from django.db.models import Field
from django.utils.translation import override
from django.utils.translation.template import templatize

from .environment import ROOT

PO = ROOT / "folio/locale/fa/LC_MESSAGES/django.po"
DJANGO = Path(django.__file__).parent
UNFOLD = Path(unfold.__file__).parent
UNUSED = ("contrib/", "templates/unfold_crispy/", "templates/unfold/components/chart/")  # parts of unfold
USED = ("contrib/filters/",)
DJANGO_APPS = (DJANGO / "conf", *(DJANGO / "contrib" / app for app in ("admin", "auth", "contenttypes")))
FUNCTIONS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2}
IN_CONTEXT = {"pgettext": 1, "pgettext_lazy": 1, "npgettext": 2, "npgettext_lazy": 2}
CALL = re.compile(rf"\b({'|'.join(sorted([*FUNCTIONS, *IN_CONTEXT], key=len, reverse=True))})\(")
LITERAL = re.compile(r"""\s*u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*,?""", re.S)


class Message(NamedTuple):
    """What a translator is asked for."""

    context: str | None
    text: str
    plural: str | None


def message(function: str, words: list[str]) -> Message | None:
    context = words.pop(0) if function in IN_CONTEXT and words else None
    count = FUNCTIONS.get(function) or IN_CONTEXT[function]
    if len(words) < count or not words[0]:
        return None
    return Message(context, words[0], words[1] if count == 2 else None)


def in_python(path: Path) -> Iterator[Message]:
    """Yield what a module gives to gettext as it stands there."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        words = [part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if name in FUNCTIONS or name in IN_CONTEXT:
            found = message(name, words)
            if found:
                yield found


def in_template(path: Path) -> Iterator[Message]:
    """Yield what a template translates, by Django's own reading of it."""
    text = templatize(path.read_text())
    for call in CALL.finditer(text):
        words, end = [], call.end()
        while literal := LITERAL.match(text, end):
            words.append(ast.literal_eval(literal[1]))
            end = literal.end()
        found = message(call[1], words)
        if found:
            yield found


def sources() -> Iterator[Path]:
    for suffix in ("py", "html"):
        yield from sorted((ROOT / "folio").rglob(f"*.{suffix}"))
        for path in sorted(UNFOLD.rglob(f"*.{suffix}")):
            part = path.relative_to(UNFOLD).as_posix()
            if not part.startswith(UNUSED) or part.startswith(USED):
                yield path


def in_models() -> Iterator[Message]:
    """Yield what Folio's models and their columns are called, which stands nowhere as a text."""
    with override(None):
        for app in apps.get_app_configs():
            for model in app.get_models() if app.name.startswith("folio.") else ():
                if not model._meta.default_permissions:  # which nobody sees
                    continue
                columns = (field for field in model._meta.get_fields() if isinstance(field, Field))
                names = (column.verbose_name for column in columns if not column.auto_created)
                for name in (model._meta.verbose_name, model._meta.verbose_name_plural, *names):
                    yield Message(None, str(name), None)


def djangos(language: str) -> dict[tuple[str | None, str], polib.POEntry]:
    """Return the entries of Django's catalogues that the admin site speaks from."""
    entries: dict[tuple[str | None, str], polib.POEntry] = {}
    for app in DJANGO_APPS:
        for entry in polib.pofile(str(app / "locale" / language / "LC_MESSAGES/django.po")):
            entries[entry.msgctxt, entry.msgid] = entry
    return entries


def wanted() -> dict[tuple[str | None, str], Message]:
    """Return what Folio has to translate: its own and unfold's words, and Django's that Django lacks in Persian."""
    known = {key for key, entry in djangos("fa").items() if entry.translated()}
    found: dict[tuple[str | None, str], Message] = {}
    for path in sources():
        for message in in_python(path) if path.suffix == ".py" else in_template(path):
            found[message.context, message.text] = message
    for message in in_models():
        found.setdefault((None, message.text), message)
    for (context, text), entry in djangos("en").items():
        found.setdefault((context, text), Message(context, text, entry.msgid_plural or None))
    return {key: message for key, message in found.items() if key not in known}


def renew() -> int:
    """Add what is new to the catalogue and drop what nobody asks for; return how many words wait for a translator."""
    catalogue = polib.pofile(str(PO), wrapwidth=118)
    messages = wanted()
    for entry in list(catalogue):
        if (entry.msgctxt, entry.msgid) not in messages:
            catalogue.remove(entry)
    there = {(entry.msgctxt, entry.msgid) for entry in catalogue}
    for key, message in messages.items():
        if key not in there:
            entry = polib.POEntry(msgid=message.text, msgctxt=message.context)
            if message.plural:
                entry.msgid_plural = message.plural
                entry.msgstr_plural = {0: "", 1: ""}
            catalogue.append(entry)
    catalogue.sort(key=lambda entry: (entry.msgid.casefold(), entry.msgctxt or ""))
    catalogue.save()
    catalogue.save_as_mofile(str(PO.with_suffix(".mo")))
    return len(catalogue.untranslated_entries())


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    waiting = renew()
    sys.stdout.write(f"{PO.relative_to(ROOT)}: {waiting} to be translated.\n")
