"""What is wrong with a folder, so that whoever wrote it finds the place."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """A reason why a project is not imported, with the file and, where there is one, the line."""

    file: str
    reason: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.reason}"


class Refused(Exception):
    """A project, employer or tag that can't be imported as it is written."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


def refused(file: str, reason: str, line: int | None = None) -> Refused:
    return Refused([Problem(file, reason, line)])
