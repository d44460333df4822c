"""The same list, detail, create and change, built the usual way with Django REST framework on Folio's own tables.

Done well: everything that a page shows comes in a constant number of queries. What it is measured for is the way, not
a mistake in it.
"""
