"""Projects as folders of Markdown and pictures: what `folio import` reads and `folio export` writes.

A folder holds a folder for each project, with an `index.md` and its pictures, and beside them `employers/`, `tags/` and
`media/`. `docs/guides/import.md` describes it.
"""

INDEX = "index.md"
EMPLOYERS = "employers"
TAGS = "tags"
MEDIA = "media"
RESERVED = (EMPLOYERS, TAGS, MEDIA)
EXTENSION = ".md"
EXPORTED = ".folio-export"  # in an export: which files it consists of
