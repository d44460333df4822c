"""What differs between two values, as HTML in which everything is escaped. No database here."""

import re
from collections.abc import Iterable, Iterator, Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .comparing import Piece, Room, pieces

SHORT = 400  # characters up to which a text is compared word by word
LONGEST = 50_000  # characters from which on texts are not compared, only shown
SHOWN = 300  # characters of a text that is shown without being asked for
ALIKE = 0.4  # of two texts' words, the part that must be the same in both to be told of
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


def shown_text(text: str, room: Room) -> SafeString:
    """Return a text with its lines, all but its beginning folded away where it is long."""
    if not text:
        return empty()
    if len(text) <= SHOWN:
        return format_html('<span class="folio-difference-text" dir="auto">{}</span>', text)
    if not room.take(2, len(text)):
        beginning = Truncator(text).chars(SHOWN)
        return format_html('<span class="folio-difference-text" dir="auto">{}</span> {}', beginning, no_room())
    return format_html(
        '<details class="folio-difference-folded"><summary><span class="folio-difference-text" dir="auto">{}</span> '
        '<span class="folio-difference-more">{}</span><span class="folio-difference-less">{}</span></summary>'
        '<div class="folio-difference-text" dir="auto">{}</div></details>',
        Truncator(text).chars(SHOWN),
        _("Show all"),
        _("Show less"),
        text,
    )


def no_room() -> SafeString:
    return format_html(
        '<span class="folio-difference-empty">{}</span>', _("There is more than this page has room for.")
    )


def within(parts: Iterable[SafeString], room: Room) -> Iterator[SafeString]:
    """Yield parts for as long as there is room, and then say that there are more."""
    for part in parts:
        yield part
        if not room.take():
            yield no_room()
            return


def text_difference(old: str, new: str, room: Room) -> SafeString:
    """Return what differs between two texts: by words where they are short, else by lines."""
    if not old or not new or len(old) + len(new) > LONGEST:
        return replaced(shown_text(old, room), shown_text(new, room))
    if len(old) <= SHORT and len(new) <= SHORT:
        return format_html('<span class="folio-difference-text" dir="auto">{}</span>', by_words(old, new, room))
    return by_lines(old, new, room)


def by_words(old: str, new: str, room: Room) -> SafeString:
    """Return the new text with what was taken out and put in; texts with little in common stand one after the other."""
    before, after = WORDS.findall(old), WORDS.findall(new)
    found = pieces(before, after, room)
    same = sum(piece.last - piece.first for piece in found or () if piece.is_same)
    if found is None or 2 * same < ALIKE * (len(before) + len(after)):
        return in_full(old, new, room)
    if not room.take(2 * len(found), len(old) + len(new)):
        return in_full(old, new, room)
    parts = []
    for is_same, first, last, start, end in found:
        if is_same:
            parts.append(format_html("{}", "".join(after[start:end])))
            continue
        if first < last:
            parts.append(removed("".join(before[first:last])))
        if start < end:
            parts.append(inserted("".join(after[start:end])))
    return mark_safe("".join(parts))  # noqa: S308 - each part is escaped


def in_full(old: str, new: str, room: Room) -> SafeString:
    """Return two texts one after the other; of what there is no room for, the beginning."""
    if room.take(2, len(old) + len(new)):
        return replaced(old, new)
    return format_html("{} {}", replaced(*(Truncator(text).chars(SHOWN) for text in (old, new))), no_room())


def by_lines(old: str, new: str, room: Room) -> SafeString:
    """Return the lines that differ, with some around them."""
    before, after = old.splitlines(), new.splitlines()
    found = pieces(before, after, room)
    if found is None:
        return replaced(shown_text(old, room), shown_text(new, room))
    return format_html("<div>{}</div>", joined(within(lines_of(found, before, after, room), room)))


def lines_of(found: list[Piece], old: Sequence[str], new: Sequence[str], room: Room) -> Iterator[SafeString]:
    for is_same, first, last, start, end in found:
        if is_same:
            yield from around(new[start:end], room, is_first=start == 0, is_last=end == len(new))
        elif last - first == end - start:
            yield from (line(compared(a, b, room)) for a, b in zip(old[first:last], new[start:end], strict=True))
        else:
            yield from (line(removed(fitting(text, room))) for text in old[first:last])
            yield from (line(inserted(fitting(text, room))) for text in new[start:end])


def compared(old: str, new: str, room: Room) -> SafeString:
    """Return what differs within a line."""
    if old and new and len(old) + len(new) <= 10 * SHORT:
        return by_words(old, new, room)
    return in_full(old, new, room)


def fitting(text: str, room: Room) -> str:
    """Return a text, or its beginning where there is no room for more."""
    return text if room.take(0, len(text)) else str(Truncator(text).chars(SHOWN))


def around(lines: Sequence[str], room: Room, *, is_first: bool, is_last: bool) -> list[SafeString]:
    """Return equal lines, without those that are far from any that differs."""
    before, after = 0 if is_first else AROUND, 0 if is_last else AROUND
    left_out = len(lines) - before - after
    if left_out <= 1:
        return [line(fitting(text, room)) for text in lines]
    gap = ngettext("%(count)s line as before", "%(count)s lines as before", left_out) % {"count": left_out}
    return [
        *(line(fitting(text, room)) for text in lines[:before]),
        format_html('<div class="folio-difference-gap">{}</div>', gap),
        *(line(fitting(text, room)) for text in lines[len(lines) - after :]),
    ]


def line(content: str) -> SafeString:
    return format_html('<div class="folio-difference-line" dir="auto">{}</div>', content)


def joined(parts: Iterable[SafeString], separator: str = "") -> SafeString:
    return format_html_join(separator, "{}", ((part,) for part in parts))
