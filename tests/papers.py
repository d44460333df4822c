"""Pages of the documentation that show commands and their answers: run as if pasted, compared, and renewed.

`make docs` (`python -m tests.papers`) serves a new installation with the sample content, runs the pages there, and
writes into them what was answered. The suite runs them in the same way and compares.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

from .contract.examples import settled
from .environment import ROOT, environment
from .live import running_server

FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAVED_AS = re.compile(r"[Ss]ave (?:this|it|the other one) as `([\w./-]+)`")
SHOWN_SERVER = "http://127.0.0.1:8000"
ANSWERS = {"json", "text", "html"}
WIDTH = 118
PATIENCE = 120  # seconds that a block of commands may take on a machine that does much else
INTERPRETERS = {"python": "py", "js": "mjs"}
NUMBER = re.compile(r"(?<![\w.:-])\d+(?![\w.:-])")  # not within a date, a time, an address or a name
DAY = re.compile(r"/core_media/\d{4}/\d\d/\d\d/")
# Pages in the order in which they are run, for what one of them makes is found by the next.
PAGES = ["docs/reference/filters.md", "docs/tutorial.md", "docs/guides/website.md"]


@dataclass
class Block:
    """A fenced block of a page: what kind, its text, and where the text lies in the page."""

    kind: str
    text: str
    start: int
    end: int
    file: str = ""  # by which name the page says to save it


def blocks_of(page: str) -> list[Block]:
    blocks = []
    behind = 0
    for match in FENCED.finditer(page):
        names = SAVED_AS.findall(page[behind : match.start()])
        blocks.append(Block(match[1], match[2], *match.span(2), file=names[-1] if names else ""))
        behind = match.end()
    return blocks


@dataclass
class Terminal:
    """A shell in which commands follow each other, so that a variable of one is known to the next."""

    folder: Path
    server: str
    shell: subprocess.Popen[str]
    ids: dict[str, str] = field(default_factory=dict)  # those that were answered, by those that the page shows
    patience: float = PATIENCE

    def run(self, commands: str) -> str:
        """Run a block of commands, and return what it printed."""
        assert self.shell.stdin
        assert self.shell.stdout
        self.shell.stdin.write(f"{self.here(commands)}\nprintf '\\n--- ended ---\\n'\n")
        self.shell.stdin.flush()
        printed = ""
        timer = Timer(self.patience, os.killpg, [self.shell.pid, signal.SIGKILL])  # with what it waits for
        timer.start()
        try:
            for line in self.shell.stdout:
                if line == "--- ended ---\n":
                    break
                printed += line
            else:
                raise AssertionError(f"This did not end, or ended the shell:\n{commands}\n{printed}")
        finally:
            timer.cancel()
        assert "--- failed ---" not in printed, f"{commands}\n{printed}"
        return printed.removesuffix("\n").replace(self.server, SHOWN_SERVER)

    def here(self, text: str) -> str:
        """Return a page's text with this server's address, and the ids that were answered by it."""
        text = NUMBER.sub(lambda match: self.ids.get(match[0], match[0]), text)
        return text.replace(SHOWN_SERVER, self.server)

    def learn(self, shown: Any, answered: Any) -> None:
        """Note which ids stand for those that the page shows: of one row, or of the only one that was found."""
        for before, now in zip(shown, answered, strict=False):
            if before.get("count") == 1 == now.get("count"):
                self.learn(before["results"], now["results"])
            elif "id" in before and "id" in now:
                self.ids[str(before["id"])] = str(now["id"])


@contextmanager
def terminal(folder: Path, programs: Path, server: str, variables: Mapping[str, str]) -> Iterator[Terminal]:
    """Open a shell in a folder that looks like a clone: `.venv` is there, and leads to `programs`."""
    (folder / ".venv").symlink_to(programs)
    with subprocess.Popen(  # whose end ends the shell
        ["bash"],
        cwd=folder,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        opened = Terminal(folder, server, shell)
        opened.run("trap 'echo --- failed ---' ERR; set -o pipefail")
        yield opened


@dataclass
class Answer:
    """What a page shows behind some commands, and what they printed."""

    commands: str
    block: Block
    printed: str


def run_page(page: str, opened: Terminal) -> Iterator[Answer]:
    """Run a page's `sh` blocks and requests, and yield those that are followed by an answer, with what was printed.

    `bash` blocks are not run: they stand for what is done on other machines. `make run` has been done already.
    """
    printed = ""
    commands = ""
    for block in blocks_of(page):
        if block.kind == "sh" and block.text != "make run\n":
            commands, printed = block.text, opened.run(block.text)
        elif block.kind == "text" and block.text.startswith("GET "):
            commands = f"""curl -s -H "Authorization: Token $API_KEY" '{opened.server}{block.text[4:-1]}'"""
            printed = opened.run(commands)
        elif block.file:
            (opened.folder / block.file).parent.mkdir(exist_ok=True)
            (opened.folder / block.file).write_text(opened.here(block.text))
        elif block.kind in ANSWERS and commands:
            if block.kind == "json":
                opened.learn(documents(block.text), documents(printed))
            yield Answer(commands, block, printed)
            commands = ""


def documents(text: str) -> list[Any]:
    """Return the JSON documents that follow each other in a text."""
    found = []
    while text := text.strip():
        document, end = json.JSONDecoder().raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


def compared(answer: Answer) -> tuple[str, str]:
    """Return what is shown and what was printed, each without what differs between installations."""
    if answer.block.kind != "json":
        return bare(answer.block.text), bare(answer.printed)
    shown, printed = documents(answer.block.text), documents(answer.printed)
    shown, printed = shortened(shown), shortened(printed)
    return tuple(json.dumps(settled(part, encoded_elsewhere=("cover.jpg",)), indent=1) for part in (shown, printed))  # type: ignore[return-value]


def bare(text: str) -> str:
    text = re.sub(r"folio_\w+", "folio_…", text)
    return DAY.sub("/core_media/YYYY/MM/DD/", text).strip()


def shortened(document: Any) -> Any:
    """Return a document with nothing but the beginnings of digests and tiny pictures."""
    if isinstance(document, list):
        return [shortened(item) for item in document]
    if not isinstance(document, dict):
        return document
    short = {key: shortened(value) for key, value in document.items()}
    if "sha256" in short:
        assert re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{4}…", short["sha256"])
        short["sha256"] = "a digest…"
    if "digest" in short:
        assert re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{4}…", short["digest"])
        short["digest"] = "a digest…"
    if "placeholder" in short:
        assert re.fullmatch(r"data:image/webp;base64,UklGR(…|[\w+/=]+)", short["placeholder"])
        short["placeholder"] = "data:image/webp;base64,UklGR…"
    return short


def told(document: Any, indent: int = 0, before: int = 0) -> str:
    """Return a document as JSON for people: what fits on a line stands on one; `before` characters stand before it."""
    flat = json.dumps(document, ensure_ascii=False)
    if len(flat) + indent + before <= WIDTH or not isinstance(document, dict | list) or not document:
        return flat
    is_object = isinstance(document, dict)
    keys = [f"{json.dumps(key)}: " for key in document] if is_object else ["" for _ in document]
    values = document.values() if isinstance(document, dict) else document
    lines: list[str] = []
    is_open = False  # whether the last line takes another item
    for key, value in zip(keys, values, strict=True):
        item = key + told(value, indent + 2, len(key) + 1)
        if is_open and "\n" not in item and len(lines[-1]) + len(item) + indent + 4 <= WIDTH and not is_nested(value):
            lines[-1] += f", {item}"
        else:
            lines.append(item)
        is_open = "\n" not in item and not is_nested(value)
    margin = " " * (indent + 2)
    body = f",\n{margin}".join(lines)
    opening, closing = "{}" if is_object else "[]"
    return f"{opening}\n{margin}{body}\n{' ' * indent}{closing}"


def is_nested(value: Any) -> bool:
    return isinstance(value, dict | list) and bool(value)


def renew(path: Path, opened: Terminal) -> None:
    """Write into a page what its commands answer, and the ids of it into the commands that follow."""
    page = path.read_text()
    pieces: list[tuple[int, int, str]] = []
    for answer in run_page(page, opened):
        shown, answered = compared(answer)
        if shown == answered:  # but for moments and days, which nobody wants to see in a difference
            continue
        text = answer.printed
        if answer.block.kind == "json":
            text = "\n".join(told(part) for part in without_secrets(documents(text)))
        pieces.append((answer.block.start, answer.block.end, text.strip("\n") + "\n"))
    for block in blocks_of(page):
        if block.kind == "sh" and block.text != "make run\n":
            pieces.append((block.start, block.end, opened.here(block.text).replace(opened.server, SHOWN_SERVER)))
    for start, end, text in sorted(pieces, reverse=True):
        page = page[:start] + text + page[end:]
    path.write_text(page)


def without_secrets(document: Any) -> Any:
    """Return a document as a page shows it: long digests cut short."""
    if isinstance(document, list):
        return [without_secrets(item) for item in document]
    if not isinstance(document, dict):
        return document
    short = {key: without_secrets(value) for key, value in document.items()}
    for name in short.keys() & {"sha256", "digest"}:
        short[name] = short[name][:4] + "…"
    if "placeholder" in short:
        short["placeholder"] = short["placeholder"][:28] + "…"
    return short


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with running_server(folder, "--demo") as server:
            [key] = re.findall(r"API key +(\S+)", server.log.read_text())
            variables = environment(folder, API_KEY=key, **server.variables)
            with terminal(folder, Path(sys.prefix), server.url, variables) as opened:
                for page in PAGES:
                    renew(ROOT / page, opened)
                    sys.stdout.write(f"Renewed {page}\n")


if __name__ == "__main__":
    main()
