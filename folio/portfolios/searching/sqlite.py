"""The index on SQLite: two FTS5 tables, of folded words and of folded texts.

The words are told apart by spaces alone, each in the column of its best field. The tokenizer leaves them as they are:
it would otherwise go by an old table of what is a letter. Parts of words are found by all sequences of three
characters; words of one or two are looked for in the stored texts.
"""

import json
from collections.abc import Collection, Sequence

from .stores import (
    BODY,
    DUE,
    EXCERPT,
    NAMES,
    NOTED,
    SQL,
    STATE,
    TIMED,
    TITLE,
    VOCABULARY,
    WEIGHTS,
    Alternatives,
    Entry,
    Whole,
    run,
    run_many,
)
from .words import WordIndex

WORDS = "portfolios_search_words"
PARTS = "portfolios_search_parts"
COLUMNS = {TITLE: "title", NAMES: "names", EXCERPT: "excerpt", BODY: "body"}
SIGNS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"  # of ASCII; all characters beyond it belong to words anyway
TOKENIZER = "ascii tokenchars '{}'".format(SIGNS.replace("'", "''"))
TRIGRAM = 3  # characters
FEW = (500, 5_000)  # entries that are sooner read than several words are looked for by all of their sequences
MOST_LOOKED_AT = 12  # sequences of which a rare one is looked for
LONGEST_PHRASE = 30  # characters that the index is asked for; the rest of a longer word is compared

TABLES = [
    f"""CREATE VIRTUAL TABLE IF NOT EXISTS {WORDS} USING fts5(
        {", ".join(COLUMNS.values())}, detail=column, tokenize="{TOKENIZER.replace('"', '""')}")""",
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {PARTS} USING fts5(parts, tokenize='trigram case_sensitive 1')",
    f"CREATE TABLE IF NOT EXISTS {VOCABULARY} (word text PRIMARY KEY) WITHOUT ROWID",
    f"CREATE TABLE IF NOT EXISTS {STATE} (version text NOT NULL)",
    f"""CREATE TABLE IF NOT EXISTS {DUE} (
        id integer PRIMARY KEY AUTOINCREMENT, portfolio_id integer, tag_id integer, employer_id integer)""",
]


def triggers() -> dict[str, str]:
    """Return the triggers by their names.

    They name no table but their own and that of what is due: where Django makes a table anew for a migration, SQLite
    refuses to rename it while a trigger of another one names it.
    """
    made: dict[str, str] = {}
    for table, (column, key, columns) in NOTED.items():
        differs = " OR ".join(f"OLD.{each} IS NOT NEW.{each}" for each in columns)
        is_there = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id)"
        events = [
            ("insert", f"AFTER INSERT ON {table}", [f"NEW.{key}"]),
            ("delete", f"AFTER DELETE ON {table}", [f"OLD.{key}"]),
            ("update", f"AFTER UPDATE ON {table} WHEN {differs}", [f"OLD.{key}", f"NEW.{key}"]),
            # `REPLACE` removes a row without telling the trigger of deletions.
            ("replace", f"BEFORE INSERT ON {table} {is_there}", [f"(SELECT {key} FROM {table} WHERE id = NEW.id)"]),
        ]
        if column != "portfolio_id":  # a new tag or employer is on no portfolio
            events = events[1:]
        for event, when, values in events:
            name = f"{table.replace('portfolios_', 'portfolios_search_')}_{event}"
            notes = " ".join(f"INSERT INTO {DUE} ({column}) VALUES ({value});" for value in dict.fromkeys(values))
            made[name] = f"CREATE TRIGGER {name} {when} BEGIN {notes} END"
    return made


class SQLiteStore(WordIndex):
    AND, OR, BUT = " AND ", " OR ", " NOT "
    is_timed = f'"{TIMED}"'
    entries, key = WORDS, "rowid"

    def make(self) -> None:
        for sql in TABLES:
            run(sql)

    def remove(self) -> None:
        for name in triggers():
            run(f"DROP TRIGGER IF EXISTS {name}")
        for table in (WORDS, PARTS, VOCABULARY, STATE, DUE):
            run(f"DROP TABLE IF EXISTS {table}")

    def missing_triggers(self) -> bool:
        found = dict(run("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        return any(found.get(name) != sql for name, sql in triggers().items())

    def make_triggers(self) -> None:
        for name, sql in triggers().items():
            run(f"DROP TRIGGER IF EXISTS {name}")
            run(sql)

    def lacks(self) -> str | None:
        return None

    def take_turn(self) -> bool:
        return True  # nobody else writes while this transaction does

    def put(self, entries: Sequence[Entry]) -> None:
        columns = ", ".join(COLUMNS.values())
        # FTS5 has no ON CONFLICT; its REPLACE takes the old row's words out of the index.
        run_many(
            f"REPLACE INTO {WORDS} (rowid, {columns}) VALUES (%s, %s, %s, %s, %s)",
            [(entry.pk, *in_columns(entry.words | ({TIMED: BODY} if entry.is_timed else {}))) for entry in entries],
        )
        run_many(
            f"REPLACE INTO {PARTS} (rowid, parts) VALUES (%s, %s)",
            [(entry.pk, entry.parts) for entry in entries],
        )

    def learn(self, words: Collection[str]) -> None:
        sql = f"INSERT OR IGNORE INTO {VOCABULARY} SELECT value FROM json_each(%s)"
        run(sql, [json.dumps(sorted(words))])

    def forget(self, ids: Collection[int]) -> None:
        for table in (WORDS, PARTS):
            run_many(f"DELETE FROM {table} WHERE rowid = %s", [(pk,) for pk in ids])

    def clear(self) -> None:
        for table in (WORDS, PARTS, VOCABULARY):
            run(f"DELETE FROM {table}")

    def settle(self) -> None:
        pass  # what it does by itself is enough, and more would keep writers waiting

    def with_parts(self, words: Sequence[str]) -> SQL:
        conditions, parameters = [], []
        long = [word[:LONGEST_PHRASE] for word in words if len(word) >= TRIGRAM]
        rare = rare_trigram(long) if len(long) > 1 else None
        if long:
            conditions.append(f"{PARTS} MATCH %s")
            # The others are looked for where the first one is; the longest is likely to be the rarest.
            parameters.append(phrase(rare) if rare else " AND ".join(map(phrase, sorted(long, key=len, reverse=True))))
        for word in words:
            if rare or not TRIGRAM <= len(word) <= LONGEST_PHRASE:
                conditions.append("INSTR(parts, %s)")
                parameters.append(word)
        return f"SELECT rowid FROM {PARTS} WHERE {' AND '.join(conditions)}", parameters

    def having(self, query: str) -> SQL:
        return f"SELECT rowid AS id FROM {WORDS} WHERE {WORDS} MATCH %s", [query]

    def some(self, alternatives: Alternatives, weights: Collection[int] = WEIGHTS) -> str:
        any_of = f"({' OR '.join(phrase(each) + ('' if isinstance(each, Whole) else ' *') for each in alternatives)})"
        return any_of if weights is WEIGHTS else f"{{{' '.join(COLUMNS[weight] for weight in weights)}}} : {any_of}"

    def has(self, alternatives: Alternatives, weight: int) -> SQL:
        column = f"INSTR(' ' || {COLUMNS[weight]} || ' ', %s)"
        return (
            f"({' OR '.join([column] * len(alternatives))})",
            [f" {each} " if isinstance(each, Whole) else f" {each}" for each in alternatives],
        )


def rare_trigram(words: Sequence[str]) -> str | None:
    """Return a sequence of three characters of one of the words that few entries have; None where none is seen soon.

    All sequences of several words together cost more to look for than to read what has a rare one.
    """
    places = [[word[:TRIGRAM], word[-TRIGRAM:], word[len(word) // 2 - 1 :][:TRIGRAM]] for word in words]
    looked = list(dict.fromkeys(trigrams[turn] for turn in range(3) for trigrams in places))[:MOST_LOOKED_AT]
    is_rare = f"(SELECT 1 FROM {PARTS} WHERE {PARTS} MATCH %s LIMIT 1 OFFSET {{few}}) IS NULL"
    cases = " ".join(f"WHEN {is_rare.format(few=few)} THEN {place}" for few in FEW for place in range(len(looked)))
    [(place,)] = run(f"SELECT CASE {cases} END", [*map(phrase, looked)] * len(FEW))
    return None if place is None else looked[place]


def in_columns(words: dict[str, int]) -> list[str]:
    columns: dict[int, list[str]] = {weight: [] for weight in COLUMNS}
    for word, weight in words.items():
        columns[weight].append(word)
    return [" ".join(column) for column in columns.values()]


def phrase(word: str) -> str:
    return '"{}"'.format(word.replace('"', '""'))


store = SQLiteStore()
