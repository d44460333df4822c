"""The index on PostgreSQL: a table of folded texts and of folded words with their weights.

The words are a `tsvector`, made of words as they are rather than by one of the server's parsers. Parts of words are
found through the extension pg_trgm; without it, by reading the folded texts.
"""

from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.utils import DatabaseError

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

INDEX = "portfolios_search_index"
BY_WORDS = "portfolios_search_by_words"
BY_PARTS = "portfolios_search_by_parts"
# Each word begins with a mark for the weight of its best field. By PostgreSQL's own labels of weights an index finds
# nothing: it finds the word, and every entry that has it is read.
MARKS = {TITLE: "A", NAMES: "B", EXCERPT: "C", BODY: "D"}
LOCK = 0x666F6C64  # of whoever folds
# What new entries bring waits in a list that each search reads. A short one keeps searches quick after many writes.
OPTIONS = "WITH (gin_pending_list_limit = 256)"  # kilobytes

TABLES = [
    f"""CREATE TABLE IF NOT EXISTS {INDEX} (
        portfolio_id bigint PRIMARY KEY, parts text COLLATE "C" NOT NULL, words tsvector NOT NULL)""",
    f'CREATE TABLE IF NOT EXISTS {VOCABULARY} (word text COLLATE "C" PRIMARY KEY)',
    f"CREATE TABLE IF NOT EXISTS {STATE} (version text NOT NULL)",
    f"""CREATE TABLE IF NOT EXISTS {DUE} (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, portfolio_id bigint, tag_id bigint, employer_id bigint)""",
    f"CREATE INDEX IF NOT EXISTS {BY_WORDS} ON {INDEX} USING gin (words) {OPTIONS}",
]
EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
PARTS_INDEX = f"CREATE INDEX IF NOT EXISTS {BY_PARTS} ON {INDEX} USING gin (parts {{schema}}.gin_trgm_ops) {OPTIONS}"


def functions() -> dict[str, str]:
    """Return the triggers' functions by their names.

    They run with the rights of their owner, and find their table wherever the writer looks for tables: whoever may
    write a portfolio need not be told of what is noted, and a restored dump looks nowhere.
    """
    bodies = {f"portfolios_search_note_{column}_{key}": (column, key) for column, key, _ in NOTED.values()}
    head = "RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS"
    made = {
        name: f"""CREATE OR REPLACE FUNCTION {name}() {head} $$ BEGIN
            IF TG_OP <> 'INSERT' THEN INSERT INTO {DUE} ({column}) VALUES (OLD.{key}); END IF;
            IF TG_OP = 'INSERT' OR TG_OP = 'UPDATE' AND NEW.{key} <> OLD.{key} THEN
                INSERT INTO {DUE} ({column}) VALUES (NEW.{key});
            END IF;
            RETURN NULL; END $$"""
        for name, (column, key) in bodies.items()
    }
    name = "portfolios_search_note_all"
    made[name] = (
        f"CREATE OR REPLACE FUNCTION {name}() {head} $$ BEGIN INSERT INTO {DUE} DEFAULT VALUES; RETURN NULL; END $$"
    )
    return made


def triggers() -> dict[str, str]:
    """Return the triggers by their names."""
    made: dict[str, str] = {}
    for table, (column, key, columns) in NOTED.items():
        note = f"EXECUTE FUNCTION portfolios_search_note_{column}_{key}()"
        differs = " OR ".join(f"OLD.{each} IS DISTINCT FROM NEW.{each}" for each in columns)
        events = {
            # A new tag or employer is on no portfolio.
            "change": f"AFTER {'INSERT OR ' if column == 'portfolio_id' else ''}DELETE ON {table} FOR EACH ROW {note}",
            "update": f"AFTER UPDATE ON {table} FOR EACH ROW WHEN ({differs}) {note}",
            "truncate": f"AFTER TRUNCATE ON {table} EXECUTE FUNCTION portfolios_search_note_all()",
        }
        for event, when in events.items():
            name = f"{table.replace('portfolios_', 'portfolios_search_')}_{event}"
            made[name] = f"CREATE OR REPLACE TRIGGER {name} {when}"
    return made


def quoted(word: str) -> str:
    return "'{}'".format(word.replace("\\", "\\\\").replace("'", "''"))


class PostgreSQLStore(WordIndex):
    AND, OR, BUT = " & ", " | ", " & !"
    is_timed = quoted(TIMED)
    entries, key = INDEX, "portfolio_id"

    def make(self) -> None:
        for sql in TABLES:
            run(sql)
        self.make_parts_index()

    def make_parts_index(self) -> None:
        """Make the index that needs the extension; without the right to make that, searches do without."""
        try:
            with transaction.atomic():
                if schema_of_extension() is None:
                    run(EXTENSION)
                run(PARTS_INDEX.format(schema=schema_of_extension()))
        except DatabaseError:
            return

    def remove(self) -> None:
        for name in triggers():
            run(f"DROP TRIGGER IF EXISTS {name} ON {table_of(name)}")
        for name in functions():
            run(f"DROP FUNCTION IF EXISTS {name}()")
        for table in (INDEX, VOCABULARY, STATE, DUE):
            run(f"DROP TABLE IF EXISTS {table}")

    def missing_triggers(self) -> bool:
        return not triggers().keys() <= {name for name, is_enabled in known_triggers() if is_enabled}

    def make_triggers(self) -> None:
        for sql in (*functions().values(), *triggers().values()):
            run(sql)
        for name, is_enabled in known_triggers():
            if not is_enabled and name in triggers():
                run(f"ALTER TABLE {table_of(name)} ENABLE TRIGGER {name}")

    def lacks(self) -> str | None:
        if run("SELECT to_regclass(%s)", [BY_PARTS]) != [(None,)]:
            return None
        return "PostgreSQL's extension pg_trgm is missing, so that a search for parts of words reads every text."

    def take_turn(self) -> bool:
        [(is_mine,)] = run("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return bool(is_mine)

    def put(self, entries: Sequence[Entry]) -> None:
        run_many(
            f"INSERT INTO {INDEX} VALUES (%s, %s, %s::tsvector) ON CONFLICT (portfolio_id) "
            "DO UPDATE SET parts = excluded.parts, words = excluded.words",
            [(entry.pk, entry.parts, vector(entry)) for entry in entries],
        )

    def learn(self, words: Collection[str]) -> None:
        run(
            f"INSERT INTO {VOCABULARY} SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            [sorted(words)],
        )

    def forget(self, ids: Collection[int]) -> None:
        if ids:
            run(f"DELETE FROM {INDEX} WHERE portfolio_id = ANY(%s)", [list(ids)])

    def clear(self) -> None:
        run(f"DELETE FROM {INDEX}")
        run(f"DELETE FROM {VOCABULARY}")

    def settle(self) -> None:
        """Have the server count what there is; it would guess for a while, and read the whole table."""
        run(f"ANALYZE {INDEX}")
        run(f"ANALYZE {VOCABULARY}")

    def with_parts(self, words: Sequence[str]) -> SQL:
        conditions = " AND ".join(["parts LIKE %s"] * len(words))
        return f"SELECT portfolio_id FROM {INDEX} WHERE {conditions}", list(map(pattern, words))

    def having(self, query: str) -> SQL:
        return f"SELECT portfolio_id AS id FROM {INDEX} WHERE words @@ %s::tsquery", [query]

    def some(self, alternatives: Alternatives, weights: Collection[int] = WEIGHTS) -> str:
        terms = [
            quoted(MARKS[weight] + each) + ("" if isinstance(each, Whole) else ":*")
            for each in alternatives
            for weight in weights
        ]
        return f"({' | '.join(terms)})"

    def has(self, alternatives: Alternatives, weight: int) -> SQL:
        return "words @@ %s::tsquery", [self.some(alternatives, (weight,))]


def known_triggers() -> list[tuple[str, bool]]:
    """Return the names of the schema's triggers, each with whether it does anything."""
    return run(
        "SELECT tgname, tgenabled IN ('O', 'A') FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace"
    )


def table_of(trigger: str) -> str:
    return trigger.rpartition("_")[0].replace("portfolios_search_", "portfolios_")


def schema_of_extension() -> str | None:
    found = run(
        "SELECT quote_ident(nspname) FROM pg_extension "
        "JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_trgm'"
    )
    return found[0][0] if found else None


def pattern(word: str) -> str:
    """Return the pattern of a text that has the word in it; no character of it stands for others."""
    for sign in "\\%_":
        word = word.replace(sign, f"\\{sign}")
    return f"%{word}%"


def vector(entry: Entry) -> str:
    marked = [f"{MARKS[weight]}{word}" for word, weight in entry.words.items()]
    return " ".join(map(quoted, [*marked, *([TIMED] if entry.is_timed else [])]))


store = PostgreSQLStore()
