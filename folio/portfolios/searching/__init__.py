"""How portfolios are found by words: by an index of folded texts that holds for every writer.

Read it in this order:

1. `folio.api.folding`: what becomes of a text before it is compared, on both sides of every comparison.
2. `content.py`: the texts of a portfolio, and what of them is found by what.
3. `sqlite.py`, `postgresql.py`: the index, each database's own. Triggers in plain SQL note what is due to be folded
   anew, whoever wrote; they fold nothing, since a writer may be any program.
4. `due.py`: what is due is folded by the next write through Folio, or by a task.
5. `words.py`, `vocabulary.py`, `statements.py`: what is asked of the index of words, of the words that it knows, and of
   the portfolios' table.
6. `walking.py`, `ranking.py`: the first of what is found, without a look at all of it.
7. `finding.py`: what a visitors' search finds: by the index, and what is due by its texts themselves.
8. `parts.py`: what the managing search finds, by parts of words.
9. `highlighting.py`: the sentence that shows why.

Reading writes nothing. docs/decisions/0032-search.md tells why it is so.
"""

from .finding import Found, find

__all__ = ["Found", "find"]
