"""Backups that the server makes by itself: when, by whom, and what came of it.

How one is made is in `folio.server.backups`, which only the processes load that make one: each worker has this here.
"""
