"""Front matter: YAML between two lines of `---`, read as texts, lists and mappings that know their lines.

What a text means is for whoever asks for it: `no` is a title where a title stands, and false where a boolean does.
Nothing of YAML that makes objects, refers to other places or repeats them is read, so that a few bytes stay little.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from .problems import Refused, refused

FENCE = "---"
MAX_SIZE = 16 * 1024 * 1024  # bytes of a Markdown file
MAX_DEPTH = 6  # of lists and mappings in one another
MAX_VALUES = 50_000
NO_TEXT = re.compile("[\0\ud800-\udfff]")  # which YAML lets one write as escapes
NULLS = {"", "~", "null", "Null", "NULL"}
QUOTE = "Put a text in quotes that holds ': ' or ' #', or begins with a sign such as @, *, [ or {."


@dataclass(frozen=True)
class Value:
    """A value with the line, from 1, that it begins in."""

    content: "str | list[Value] | dict[str, Value] | None"
    line: int

    def plain(self) -> Any:
        """Return the value without its lines."""
        if isinstance(self.content, list):
            return [item.plain() for item in self.content]
        if isinstance(self.content, dict):
            return {key: value.plain() for key, value in self.content.items()}
        return self.content


def read_markdown(data: bytes, file: str) -> tuple[dict[str, Value], str]:
    """Return what stands in the front matter and the text below it; or raise Refused."""
    if len(data) > MAX_SIZE:
        raise refused(file, f"The file has more than {MAX_SIZE:,} bytes.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise refused(file, "This is not UTF-8. Save the file in that encoding.", line) from error
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        raise refused(file, f"The file must begin with a line of {FENCE}, fields, and another line of {FENCE}.", 1)
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise refused(file, f"The fields have no end: a line of {FENCE} is missing below them.", len(lines))
    return parse("\n".join(lines[1:end]) + "\n", file, offset=2), "\n".join(lines[end + 1 :]).strip("\r\n")


def parse(text: str, file: str, offset: int = 1) -> dict[str, Value]:
    """Return the mapping that YAML text holds, whose first line is the file's line `offset`."""
    try:
        reader = Reader(text, file, offset)
    except yaml.reader.ReaderError as error:
        place = text.count("\n", 0, error.position) + offset
        reason = 'a character that shows nothing; write it as an escape in double quotes, such as "\\x07"'
        raise refused(file, f"This is not YAML: {reason}.", place) from error
    try:
        return reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + offset
        raise refused(file, f"This is not YAML: {error.problem or error.context}. {QUOTE}", line) from error
    except (ValueError, OverflowError) as error:  # PyYAML lets through what Python says of such numbers
        place = reader.loader.get_mark().line + offset
        reason = "an escape stands for no character, or a version is no number"
        raise refused(file, f"This is not YAML: {reason}.", place) from error


class Reader:
    """Puts values together from YAML's events, of which none refers to another."""

    def __init__(self, text: str, file: str, offset: int) -> None:
        self.file = file
        self.offset = offset
        self.loader = yaml.SafeLoader(text)
        self.events = events_of(self.loader)
        self.count = 0

    def refused(self, reason: str, event: Any) -> Refused:
        return refused(self.file, reason, self.line_of(event))

    def line_of(self, event: Any) -> int:
        line: int = event.start_mark.line + self.offset
        return line

    def document(self) -> dict[str, Value]:
        next(self.events)  # the stream's start
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return {}
        first = next(self.events)
        value = self.value(first, 1)
        next(self.events)  # the document's end
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise self.refused("The fields end here, and something follows.", event)
        if value.content is None:
            return {}
        if not isinstance(value.content, dict):
            raise self.refused("Write fields, such as `title: A poster`.", first)
        return value.content

    def value(self, event: Any, depth: int) -> Value:
        self.count += 1
        if self.count > MAX_VALUES:
            raise self.refused(f"There are more than {MAX_VALUES:,} values.", event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self.refused(
                "Anchors and aliases (& and *) are not read. Write the value out, or put it in quotes.", event
            )
        if event.tag is not None:
            raise self.refused(
                f"Types such as {event.tag} are not read. Leave it out, or put the text in quotes.", event
            )
        if isinstance(event, yaml.ScalarEvent):
            if NO_TEXT.search(event.value):
                raise self.refused("This holds a character that no text may hold.", event)
            is_null = event.style is None and event.value in NULLS
            return Value(None if is_null else event.value, self.line_of(event))
        if depth > MAX_DEPTH:
            raise self.refused(f"Lists and mappings are nested more than {MAX_DEPTH} deep.", event)
        if isinstance(event, yaml.SequenceStartEvent):
            return Value(self.items(depth), self.line_of(event))
        return Value(self.mapping(depth), self.line_of(event))

    def items(self, depth: int) -> list[Value]:
        found = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self.value(event, depth + 1))
        return found

    def mapping(self, depth: int) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.value(event, depth + 1)
            if not isinstance(event, yaml.ScalarEvent):
                raise self.refused("A field's name must be a text.", event)
            name = key.content if isinstance(key.content, str) else event.value
            if name in found:
                raise self.refused(f"{name!r} stands here twice; the first is in line {found[name].line}.", event)
            found[name] = self.value(next(self.events), depth + 1)
        return found


def events_of(loader: Any) -> Iterator[Any]:
    while loader.check_event():
        yield loader.get_event()


class Moment(str):
    """A date or datetime, which YAML has a form for, too."""


class Writer(yaml.SafeDumper):
    """Writes texts so that `Reader` reads the very same."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)  # a list's items are further in than its name


def written_text(writer: Writer, text: str) -> Any:
    """Return how a text is written: of several lines as a block; what YAML would take for a line's end escaped."""
    style = None
    if any(character in "\r\x85\u2028\u2029\ufeff" for character in text):
        style = '"'
    elif "\n" in text:
        style = "|"
    elif "'" in text and '"' not in text and (": " in text or " #" in text):
        style = '"'  # rather than each apostrophe twice
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Writer.add_representer(str, written_text)
Writer.add_representer(Moment, lambda writer, text: writer.represent_scalar("tag:yaml.org,2002:timestamp", str(text)))


def write_markdown(fields: dict[str, Any], body: str = "") -> bytes:
    """Return a Markdown file with these fields in its front matter, in their order, and the text below."""
    matter = yaml.dump(
        fields, Dumper=Writer, allow_unicode=True, sort_keys=False, default_flow_style=False, width=float("inf")
    )
    below = f"\n{body}\n" if body else ""
    return f"{FENCE}\n{matter}{FENCE}\n{below}".encode()
