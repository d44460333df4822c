"""The words that the index has: what a beginning of one may stand for, and what one with an error may have meant.

It may know words that the index has no more. It knows all from SHORTEST letters on that begin with letters of scripts
with spaces. Where few begin as is asked, the index is asked for these rather than for the beginning: for that, the
database puts all entries of all such words together first, however few of them have the other words of a search.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from folio.api.folding import LONGEST_WORD, forgivable

from .stores import LAST, VOCABULARY, Whole, listed, run

SHORTEST = 4  # letters of a word that is known: errors are forgiven from five on, one of which may be too many
ASKED = 3  # letters of a beginning for which its words are asked: it is one of them itself, if any is as short
MIXED = "\x9e"  # stands before a word that no error is forgiven for, as it goes on in such a script
MOST = 16  # words that a beginning stands for, rather than for itself


def of(words: Iterable[str]) -> set[str]:
    """Return those of the words that are to be known, as they are noted."""
    long = {word for word in words if len(word) >= SHORTEST}
    plain = forgivable(long)
    return plain | {MIXED + word for word in long - plain if forgivable([word[:ASKED]])}


def meanings(beginnings: Collection[str]) -> dict[str, tuple[Whole, ...]]:
    """Return for each beginning the words of the index that begin with it, in one query; without those of many."""
    asked = [each for each in beginnings if len(each) >= ASKED and forgivable([each])]
    if not asked:
        return {}
    known = f"SELECT word FROM {VOCABULARY} WHERE word >= %s AND word < %s ORDER BY word LIMIT {MOST + 1}"
    noted = [(each, kind + each) for each in asked for kind in ("", MIXED)]
    selects = [f"SELECT {place} AS place, word FROM ({known}) AS known_{place}" for place in range(len(noted))]
    bounds = [bound for _, first in noted for bound in (first, first + LAST)]
    words: dict[str, list[Whole]] = {each: [Whole(each)] if len(each) < SHORTEST else [] for each in asked}
    for place, word in run(" UNION ALL ".join(selects), bounds):
        words[noted[place][0]].append(Whole(word.removeprefix(MIXED)))
    return {each: tuple(found) or (Whole(each),) for each, found in words.items() if len(found) <= MOST}


def like(words: Sequence[str]) -> dict[str, list[str]]:
    """Return for each word the beginnings of known words that it is but for one error, in two queries.

    A letter that is wrong or missing may be any; those that come next in known words are skipped through by the
    vocabulary's order. `UNION` ends that, whatever the vocabulary has: no step is taken twice.
    """
    following: dict[str, set[str]] = defaultdict(set)
    sql, parameters = listed(sorted({word[:place] for word in words for place in range(len(word))}), "text")
    for start, letter in run(
        f"""WITH RECURSIVE starts AS ({sql}), steps (start, word) AS (
            SELECT value, (SELECT MIN(word) FROM {VOCABULARY} v WHERE v.word > value AND v.word < value || %s)
            FROM starts
            UNION
            SELECT start, (
                SELECT MIN(v.word) FROM {VOCABULARY} v
                WHERE v.word > start || SUBSTR(steps.word, LENGTH(start) + 1, 1) || %s AND v.word < start || %s
            ) FROM steps WHERE steps.word IS NOT NULL
        ) SELECT start, SUBSTR(word, LENGTH(start) + 1, 1) FROM steps WHERE word IS NOT NULL""",
        [*parameters, LAST, LAST, LAST],
    ):
        following[start].add(letter)
    wanted = {word: variants(word, following) for word in words}
    sql, parameters = listed(sorted(set().union(*wanted.values())), "text")
    known = {
        word
        for (word,) in run(
            f"SELECT value FROM ({sql}) AS wanted WHERE EXISTS (SELECT 1 FROM {VOCABULARY} v "
            "WHERE v.word >= value AND v.word < value || %s)",
            [*parameters, LAST],
        )
    }
    return {word: shortest(known & wanted[word]) for word in words}


def variants(word: str, following: dict[str, set[str]]) -> set[str]:
    """Return what the word is with one letter taken out, put in, replaced, or exchanged with its neighbour."""
    found: set[str] = set()
    for place in range(len(word)):
        before, rest = word[:place], word[place + 1 :]
        found.add(before + rest)
        found.add(before + rest[:1] + word[place] + rest[1:])
        for letter in following[before]:
            found |= {before + letter + rest, before + letter + word[place:]}
    return {each[:LONGEST_WORD] for each in found}


def shortest(beginnings: set[str]) -> list[str]:
    """Return beginnings of words, in order, without those that begin with another one."""
    kept: list[str] = []
    for each in sorted(beginnings):
        if not kept or not each.startswith(kept[-1]):
            kept.append(each)
    return kept
