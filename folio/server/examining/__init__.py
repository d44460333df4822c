"""What `folio doctor` looks at: everything that an installation needs of what is around it, in words, with the mend.

Nothing is changed but for small files that are written, read and removed at once where media lie. Whatever is looked at
may be away, or hang: each group of looks has an end of its own, and what it cannot say, it says.
docs/decisions/0070-the-doctor.md tells how a running server says what arrives of a request.
"""
