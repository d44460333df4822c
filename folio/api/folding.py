"""What a search compares: texts without what writers and keyboards do differently.

That is letter case, accents, width, variants of letters, half-spaces, hyphens, and the script of digits.

Both sides of every comparison are folded here, in Python, on both databases: the tables of PostgreSQL, of ICU and of
Python need not agree on anything then. Stored texts are folded when they are stored, queries when they are asked.

A character is folded by itself, whatever stands beside it, so that a part of a text folds to a part of the folded text.
"""

import unicodedata
from collections.abc import Iterable, Iterator

LONGEST_WORD = 40  # letters; of a longer word, in a text as in a query, the first ones count
KEPT = 20_000  # characters whose folding is remembered

# Unicode's property Hyphen without the dots of Katakana; the wide and small ones decompose to these.
HYPHENS = "-\u00ad\u058a\u1806\u2010\u2011"
HALF_SPACE = "\u200c"
JOINT = "\0"  # stands for a hyphen or half-space until a word is taken to its parts; no folded text holds it

# Letters of one sound that keyboards of different countries write differently, and apostrophes.
VARIANTS = {
    **dict.fromkeys("\u064a\u0649", "\u06cc"),  # ي ى to ی
    **dict.fromkeys("\u0643\u06aa", "\u06a9"),  # ك ڪ to ک
    **dict.fromkeys("\u0629\u06d5\u06be\u06c1\u06c3", "\u0647"),  # ة ە ھ ہ ۃ to ه; ۀ is ە with a mark
    "\u0640": "",  # the stroke that stretches a word
    **dict.fromkeys("\u2018\u2019\u02bc", "'"),
}
IGNORED = {"\u034f", *map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}  # they choose a look
IGNORED.add("\U0010ffff")  # no character, but what words are compared with that come last

# What stands around a word in a sentence. Other signs belong to it: `c++`, `#1`, `100%`.
AROUND = ".,:;!?'\"()[]{}<>…‥«»‹›“”„‚¡¿،؛؟۔。、，「」『』【】《》〈〉·"

# Scripts that write no spaces, by their letters' first and last; any letter may begin a word there.
UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # Thai and Lao, Burmese, Khmer
    *((0x3005, 0x3007), (0x3040, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF)),  # kana and ideographs
    *((0xF900, 0xFAFF), (0x20000, 0x3FFFF)),
)


class Characters(dict[int, str]):
    """A table for `str.translate()` that finds out what becomes of a character when it first meets it."""

    def __missing__(self, code: int) -> str:
        made = self.made(chr(code))
        if len(self) < KEPT:
            self[code] = made
        return made

    def made(self, character: str) -> str:
        raise NotImplementedError


class Joined(Characters):
    """The folding, with hyphens and half-spaces kept as JOINT."""

    def made(self, character: str) -> str:
        if character == HALF_SPACE:
            return JOINT
        bare = without_marks(unicodedata.normalize("NFKD", character))
        cased = unicodedata.normalize("NFKD", bare.lower().upper())
        return "".join(one_of(each) for each in without_marks(cased))


class WordLetters(Characters):
    """Letters, digits and their marks; a space for all else."""

    def made(self, character: str) -> str:
        return character if unicodedata.category(character)[0] in "LMN" else " "


def without_marks(text: str) -> str:
    return "".join(each for each in text if not unicodedata.combining(each))


def one_of(character: str) -> str:
    """Return what stands for a character that has neither case nor accent left."""
    if character in HYPHENS:
        return JOINT
    if character.isspace():
        return " "
    if character in IGNORED or unicodedata.category(character) in {"Cc", "Cf", "Cs"}:
        return ""
    digit = unicodedata.decimal(character, None)
    return str(digit) if digit is not None else VARIANTS.get(character, character)


joined = Joined()
letters = WordLetters()


def joint(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(joined))


def fold(text: str) -> str:
    """Return `text` as searches compare it; any white space is a space in it."""
    folded = joint(text)
    return unicodedata.normalize("NFC", folded.replace(JOINT, "")) if JOINT in folded else folded


def words_of_query(text: str) -> list[str]:
    """Return the words that a query asks for, folded, each once; it is split at white space only."""
    return list(dict.fromkeys(filter(None, map(bare, fold(text).split()))))


def words_of_text(text: str) -> Iterator[str]:
    """Yield what a text can be found by the beginnings of, folded.

    That is all between two spaces, without what stands around it in a sentence, and its parts: what hyphens,
    half-spaces and other signs keep apart; where no spaces are written, what begins at any letter.
    """
    for chunk in joint(text).split():
        if chunk.isalnum() and chunk.isascii():
            yield chunk[:LONGEST_WORD]
            continue
        whole = bare(chunk if JOINT not in chunk else unicodedata.normalize("NFC", chunk.replace(JOINT, "")))
        if whole:
            yield whole
        for part in map(str, chunk.translate(letters).split()):
            if part != whole:
                yield part[:LONGEST_WORD]
            yield from inner_words(part)


def inner_words(part: str) -> Iterator[str]:
    if not part.isascii():
        for start in range(1, len(part)):
            if is_unspaced(part[start]):
                yield part[start : start + LONGEST_WORD]


def is_unspaced(character: str) -> bool:
    """Tell whether the character is a letter of a script that is written without spaces between words."""
    code = ord(character)
    return code >= UNSPACED[0][0] and any(first <= code <= last for first, last in UNSPACED) and character.isalpha()


def bare(chunk: str) -> str:
    """Return a folded word without what stands around it in a sentence; signs alone stay."""
    return (chunk.strip(AROUND) or chunk)[:LONGEST_WORD]


def forgivable(words: Iterable[str]) -> set[str]:
    """Return the words that one error may be forgiven for: those of scripts with spaces."""
    return {word for word in words if word.isascii() or not any(map(is_unspaced, word))}


def is_near(query: str, word: str) -> bool:
    """Tell whether the query is the beginning of the word but for one letter too many, too few, wrong or exchanged."""
    same = 0
    while same < len(query) and same < len(word) and query[same] == word[same]:
        same += 1
    rest = query[same + 1 :]
    if len(query) - same <= 1:  # all of it, or all but its last letter
        return True
    return (
        word[same:].startswith(rest)
        or word[same + 1 :].startswith(query[same:])
        or (same < len(word) and word[same + 1 :].startswith(rest))
        or (word[same : same + 2] == query[same + 1] + query[same] and word[same + 2 :].startswith(query[same + 2 :]))
    )
