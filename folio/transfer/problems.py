"""What is wrong with a folder, so that whoever wrote it finds the place."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

JOINERS = "\u200c\u200d"  # without which Persian and some Indic words are spelt wrong


@dataclass(frozen=True)
class Problem:
    """A reason why a project is not imported, with the file and, where there is one, the line."""

    file: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return shown(f"{place}: {self.reason}")


class Refused(Exception):
    """A project, employer or tag that can't be imported as it is written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def shown(text: str) -> str:
    """Return a text as a terminal may get it: with escapes for what is no text, or would move the cursor."""
    return "".join(
        repr(character)[1:-1] if unicodedata.category(character)[0] == "C" and character not in JOINERS else character
        for character in text
    )


def refused(file: str, reason: str, line: int | None = None) -> Refused:
    return Refused([Problem(file, reason, line)])
