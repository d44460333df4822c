"""Front matter as it is read and written: what a text is, where it stands, and what is not let in."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folio.transfer.matter import MAX_DEPTH, MAX_SIZE, MAX_VALUES, Moment, read_markdown, write_markdown
from folio.transfer.problems import Problem, Refused


def read(text: str | bytes) -> tuple[dict[str, Any], str]:
    data = text if isinstance(text, bytes) else text.encode()
    fields, body = read_markdown(data, "a/index.md")
    return {name: value.plain() for name, value in fields.items()}, body


def problem(text: str | bytes) -> Problem:
    with pytest.raises(Refused) as caught:
        read(text)
    return caught.value.problems[0]


def test_reads_fields_and_the_text_below_them() -> None:
    assert read("---\na: x\nb: [y, z]\n---\n\nOne.\n\n---\n\nTwo.\n\n") == (
        {"a": "x", "b": ["y", "z"]},
        "One.\n\n---\n\nTwo.",
    )
    assert read("---\n---") == ({}, "")
    assert read("---\n# nothing yet\n---\nText") == ({}, "Text")


def test_knows_the_line_of_each_value() -> None:
    fields, _ = read_markdown(b"---\n\na: x\nb:\n  - y\n  - c: z\n---\n", "f")

    assert fields["a"].line == 3
    assert isinstance(fields["b"].content, list)
    assert [item.line for item in fields["b"].content] == [5, 6]


def test_only_a_plain_word_is_null() -> None:
    assert read("---\na:\nb: ~\nc: null\nd: ''\ne: 'null'\nf: nil\n---\n")[0] == {
        **dict.fromkeys("abc"),
        "d": "",
        "e": "null",
        "f": "nil",
    }


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("title: A\n", 1, "The file must begin with a line of ---"),
        ("", 1, "The file must begin with a line of ---"),
        ("---\ntitle: A\n", 3, "The fields have no end"),
        ("---\na: x\nb: One: two\n---\n", 3, "mapping values are not allowed here"),
        ("---\na: x\n b: y\n---\n", 3, "This is not YAML"),
        ("---\na: [x\n---\n", 3, "This is not YAML"),
        ("---\na: @x\n---\n", 2, "This is not YAML"),
        ("---\na: x\nb: y\na: z\n---\n", 4, "'a' stands here twice; the first is in line 2."),
        ("---\na: {b: 1, b: 2}\n---\n", 2, "'b' stands here twice"),
        ("---\n- a\n---\n", 2, "Write fields"),
        ("---\njust words\n---\n", 2, "Write fields"),
        ("---\na: &x y\nb: *x\n---\n", 2, "Anchors and aliases"),
        ("---\na: *x\n---\n", 2, "Anchors and aliases"),
        ("---\na: !!python/object/apply:os.system [ls]\n---\n", 2, "Types such as"),
        ("---\na: !!binary aGk=\n---\n", 2, "Types such as"),
        ("---\n? [a]\n: b\n---\n", 2, "A field's name must be a text."),
        ("---\na: x\n...\nb: y\n---\n", 4, "This is not YAML"),
        ("---\na: \x07\n---\n", 2, "a character that shows nothing"),
        ('---\na: "x\\0y"\n---\n', 2, "a character that no text may hold"),
        ('---\na: x\n"\\uD800": y\n---\n', 3, "a character that no text may hold"),
        ('---\na: x\nb: "\\U00110000"\n---\n', 3, "an escape stands for no character"),
        ('---\na: x\nb: "\\UFFFFFFFF"\n---\n', 3, "an escape stands for no character"),
        (f"---\n%YAML {'1' * 5000}.1\n---\n", 2, "a version is no number"),
        (b"---\na: x\nb: \xff\n---\n", 3, "This is not UTF-8."),
        (f"---\na: x\nb: {'[' * 50}{']' * 50}\n---\n", 3, f"nested more than {MAX_DEPTH} deep"),
        (f"---\na: [{'x, ' * MAX_VALUES}]\n---\n", 2, f"more than {MAX_VALUES:,} values"),
        ("---\na: " + "{a: " * 2000 + "\n---\n", 2, f"nested more than {MAX_DEPTH} deep"),
    ],
)
def test_refuses_what_is_no_front_matter(text: str | bytes, line: int, reason: str) -> None:
    found = problem(text)

    assert (found.file, found.line) == ("a/index.md", line)
    assert reason in found.reason


def test_a_few_lines_of_aliases_stay_few() -> None:
    """Each line would repeat the one before ten times: a billion texts from a few hundred bytes."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    assert "Anchors and aliases" in problem("\n".join(["---", *lines, "---", ""])).reason


def test_refuses_a_file_that_is_too_large() -> None:
    assert "has more than" in problem(b"x" * (MAX_SIZE + 1)).reason


TEXTS = st.text(
    st.one_of(
        st.characters(codec="utf-8", exclude_characters="\0"),
        st.sampled_from("\n\r\t\x85\u2028\u2029\ufeff -:#'\"[]{}&*!|>%@`~\\\x07\u200f"),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(st.dictionaries(TEXTS, st.one_of(TEXTS, st.none(), st.lists(TEXTS, max_size=3)), max_size=4))
def test_reads_the_very_texts_that_were_written(fields: dict[str, Any]) -> None:
    assert read(write_markdown(fields)) == (fields, "")


@given(TEXTS.map(lambda text: text.strip("\r\n")))
def test_reads_the_very_text_below_that_was_written(body: str) -> None:
    assert read(write_markdown({"a": "b"}, body)) == ({"a": "b"}, body)


def test_writes_as_one_would_by_hand() -> None:
    fields = {
        "title": "Kestrel: from sack to cup",
        "excerpt": "The museum's page: 'Every boat has a story'",
        "description": "One.\n\nTwo.",
        "completed_at": Moment("2024-05-14"),
        "is_active": True,
        "tags": ["Web design", "یک"],
        "links": [{"name": "Site"}],
    }

    assert write_markdown(fields).decode() == (
        "---\n"
        "title: 'Kestrel: from sack to cup'\n"
        "excerpt: \"The museum's page: 'Every boat has a story'\"\n"
        "description: |-\n  One.\n\n  Two.\n"
        "completed_at: 2024-05-14\n"
        "is_active: true\n"
        "tags:\n  - Web design\n  - یک\n"
        "links:\n  - name: Site\n"
        "---\n"
    )
