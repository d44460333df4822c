"""docs/guides/one-machine.md, followed to the letter below a folder: by a test, and by who measures its time."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from . import stand_ins
from .environment import ROOT
from .papers import PATIENCE, Block, Terminal, blocks_of, terminal
from .postgresql import free_port

GUIDE = ROOT / "docs" / "guides" / "one-machine.md"
SOURCES = ("folio", "deploy", "site", "requirements", "docs", "Makefile", "pyproject.toml", "README.md", "LICENSE")
LEFT_OUT = shutil.ignore_patterns("node_modules", "_site", ".cache", "__pycache__", "images")
# That belong to one command: the lines of a text that it is given, and what ends a loop.
HERE_DOCUMENT = re.compile(r"<<'(\w+)'.*?^\1$", re.MULTILINE | re.DOTALL)


def commands_of(page: str) -> list[str]:
    """Return the commands of a page that are to be typed or pasted, each as its line."""
    blocks = (HERE_DOCUMENT.sub("", block.text) for block in blocks_of(page) if block.kind == "bash")
    return [line for text in blocks for line in text.splitlines() if line.strip()]


def files_of(page: str) -> list[str]:
    return [block.file for block in blocks_of(page) if block.file]


@dataclass
class Step:
    """A block of commands that was run: what it printed, and the seconds that it took."""

    block: Block
    printed: str
    seconds: float


@dataclass
class Walk:
    """A reader with a page before them and a machine, which is a folder."""

    root: Path
    port: int
    page: str
    opened: Terminal
    variables: dict[str, str]
    steps: list[Step] = field(default_factory=list)

    def here(self, text: str) -> str:
        """Return a text of the page with this machine's names and places."""
        for name, own in ("api.studio.example", "localhost"), ("studio.example", "127.0.0.1"):
            text = text.replace(f"https://{name}", f"https://{own}:{self.port}")
            text = re.sub(rf"(?<![@\w]){re.escape(name)}", own, text)
        text = text.replace("REPOSITORY", str(self.root / "repository"))
        return stand_ins.here(text, self.root)

    def follow(self) -> Iterator[Step]:
        """Save each file and run each block of commands, in the order of the page; yield what was run."""
        for block in blocks_of(self.page):
            if block.file:
                path = Path(self.here(block.file))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.here(block.text))
            elif block.kind == "bash":
                begun = time.monotonic()
                printed = self.opened.run(self.here(block.text))
                self.steps.append(Step(block, printed, time.monotonic() - begun))
                yield self.steps[-1]

    def step(self, word: str) -> Step:
        """Return the one step whose commands have that word."""
        [found] = [step for step in self.steps if word in step.block.text]
        return found

    def called(self) -> str:
        return (self.root / "called").read_text()

    def log(self, name: str) -> str:
        return (self.root / f"{name}.log").read_text()


@contextmanager
def a_machine(*, from_index: bool = False, patience: float = PATIENCE) -> Iterator[Walk]:
    """Yield a walk that has not begun. With `from_index` packages are installed as they would be there."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory(prefix="folio-one-", ignore_cleanup_errors=True)))
        port, plain_port = free_port(), free_port()
        variables = stand_ins.lay(root, port, plain_port, from_index=from_index)
        make_repository(root / "repository")
        stack.callback(stand_ins.stop_all, root)
        with terminal(root, Path("/nowhere"), "http://nowhere", variables) as opened:
            opened.patience = patience
            try:
                yield Walk(root, port, GUIDE.read_text(), opened, variables)
            finally:
                os.killpg(opened.shell.pid, signal.SIGKILL)


def make_repository(folder: Path) -> None:
    """Make a repository of the sources as they lie here, committed or not."""
    folder.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=LEFT_OUT)
        else:
            shutil.copy(source, folder)
    own = ["-c", "user.name=a-test", "-c", "user.email=a-test@example.com", "-c", "commit.gpgsign=false"]
    for command in ["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "The sources"]:
        subprocess.run(["git", *own, *command], cwd=folder, check=True, timeout=60, capture_output=True)
