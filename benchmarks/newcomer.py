"""How long docs/guides/one-machine.md takes: `python -m benchmarks.newcomer`.

The page is followed below a new folder, as a test does, but with all packages of Python and Node truly installed, from
wherever pip and npm get theirs. Debian's own packages have to be there. Told are the seconds of each block, the number
of commands, and the seconds until the website is served. The exit status is 1 where a command failed.
"""

import sys

from tests.one_machine import GUIDE, a_machine, commands_of, files_of

from . import machine, report
from .report import Measure

PATIENCE = 900  # seconds that a block may take
SERVED = "folio-site.timer"  # is in the block at whose end the website is served


def main() -> int:
    about = machine.description()
    print(machine.summary(about))
    page = GUIDE.read_text()
    passed, served = 0.0, 0.0
    try:
        with a_machine(from_index=True, patience=PATIENCE) as walk:
            for step in walk.follow():
                passed += step.seconds
                print(f"{step.seconds:6.1f} s  {step.block.text.splitlines()[0]}", flush=True)
                if SERVED in step.block.text:
                    served = passed
    except AssertionError as error:
        print(error, file=sys.stderr)
        return 1
    figures = [
        Measure("commands", [len(commands_of(page))], ""),
        Measure("files to be saved", [len(files_of(page))], ""),
        Measure("seconds from a clean folder to a served website", [served], "s"),
        Measure("seconds for all of the page", [passed], "s"),
    ]
    text = report.table_of(figures, "one machine")
    report.write_figures("newcomer", text, figures, about)
    print(f"\n{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
