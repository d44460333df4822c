"""What differs between two values, as HTML in which everything is escaped. No database here."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SHORT = 400  # characters up to which a text is compared word by word
LONGEST = 50_000  # characters from which on texts are not compared, only shown
SHOWN = 300  # characters of a text that is shown without being asked for
AROUND = 1  # lines that are shown before and after those that differ
WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def removed(content: str) -> SafeString:
    return format_html('<del dir="auto"><bdi class="folio-hidden-visually">{} </bdi>{}</del>', _("Removed:"), content)


def inserted(content: str) -> SafeString:
    return format_html('<ins dir="auto"><bdi class="folio-hidden-visually">{} </bdi>{}</ins>', _("New:"), content)


def replaced(old: str, new: str) -> SafeString:
    """Return two values side by side, each as it is shown alone."""
    return format_html(
        '{} <span class="folio-difference-to" aria-hidden="true">→</span> {}', removed(old), inserted(new)
    )


def empty() -> SafeString:
    return format_html('<span class="folio-difference-empty">{}</span>', _("empty"))


def shown_text(text: str) -> SafeString:
    """Return a text with its lines, all but its beginning folded away where it is long."""
    if not text:
        return empty()
    if len(text) <= SHOWN:
        return format_html('<span class="folio-difference-text" dir="auto">{}</span>', text)
    return format_html(
        '<details class="folio-difference-folded"><summary><span class="folio-difference-text" dir="auto">{}</span> '
        '<span class="folio-difference-more">{}</span><span class="folio-difference-less">{}</span></summary>'
        '<div class="folio-difference-text" dir="auto">{}</div></details>',
        Truncator(text).chars(SHOWN),
        _("Show all"),
        _("Show less"),
        text,
    )


def text_difference(old: str, new: str) -> SafeString:
    """Return what differs between two texts: by words where they are short, else by lines."""
    if not old or not new or len(old) + len(new) > LONGEST:
        return replaced(shown_text(old), shown_text(new))
    if len(old) <= SHORT and len(new) <= SHORT:
        return format_html('<span class="folio-difference-text" dir="auto">{}</span>', by_words(old, new))
    return by_lines(old.splitlines(), new.splitlines())


def by_words(old: str, new: str) -> SafeString:
    """Return the new text with what was taken out and put in; texts with little in common stand one after the other."""
    before, after = WORDS.findall(old), WORDS.findall(new)
    matcher = SequenceMatcher(None, before, after)
    if matcher.ratio() < 0.4:
        return replaced(old, new)
    parts = []
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            parts.append(format_html("{}", "".join(after[start:end])))
            continue
        if first < last:
            parts.append(removed("".join(before[first:last])))
        if start < end:
            parts.append(inserted("".join(after[start:end])))
    return mark_safe("".join(parts))  # noqa: S308 - each part is escaped


def by_lines(old: Sequence[str], new: Sequence[str]) -> SafeString:
    """Return the lines that differ, with some around them."""
    rows: list[SafeString] = []
    for tag, first, last, start, end in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            rows += around(new[start:end], is_first=start == 0, is_last=end == len(new))
        elif tag == "replace" and last - first == end - start:
            rows += (line(compared(a, b)) for a, b in zip(old[first:last], new[start:end], strict=True))
        else:
            rows += (line(removed(text)) for text in old[first:last])
            rows += (line(inserted(text)) for text in new[start:end])
    return format_html("<div>{}</div>", joined(rows))


def compared(old: str, new: str) -> SafeString:
    """Return what differs within a line."""
    if old and new and len(old) + len(new) <= 10 * SHORT:
        return by_words(old, new)
    return replaced(old, new)


def around(lines: Sequence[str], *, is_first: bool, is_last: bool) -> list[SafeString]:
    """Return equal lines, without those that are far from any that differs."""
    before, after = 0 if is_first else AROUND, 0 if is_last else AROUND
    left_out = len(lines) - before - after
    if left_out <= 1:
        return [line(text) for text in lines]
    gap = ngettext("%(count)s line as before", "%(count)s lines as before", left_out) % {"count": left_out}
    return [
        *(line(text) for text in lines[:before]),
        format_html('<div class="folio-difference-gap">{}</div>', gap),
        *(line(text) for text in lines[len(lines) - after :]),
    ]


def line(content: str) -> SafeString:
    return format_html('<div class="folio-difference-line" dir="auto">{}</div>', content)


def joined(parts: Iterable[SafeString], separator: str = "") -> SafeString:
    return format_html_join(separator, "{}", ((part,) for part in parts))
