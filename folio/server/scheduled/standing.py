"""How it stands with the server's backups, in a word: for `/readyz`, for the home page, and for whoever asks."""

from typing import Any

# Moments and times as numbers of seconds: of the schedule, of its last attempt, and of the last one that was made.
ATTEMPTS = "FROM server_backup b WHERE b.target = s.target"
QUERY = """
    SELECT {every}, {begins_at},
      (SELECT CASE WHEN b.error = '' THEN 0 ELSE 1 END {attempts} ORDER BY b.id DESC LIMIT 1),
      (SELECT {begun_at} {attempts} AND b.error = '' ORDER BY b.id DESC LIMIT 1)
    FROM server_backupschedule s
"""
SQLITE = QUERY.format(
    every="s.every / 1e6",  # as Django keeps it there
    begins_at="CAST(strftime('%s', s.begins_at) AS REAL)",
    begun_at="CAST(strftime('%s', b.begun_at) AS REAL)",
    attempts=ATTEMPTS,
)
POSTGRESQL = QUERY.format(
    every="extract(epoch FROM s.every)",
    begins_at="extract(epoch FROM s.begins_at)",
    begun_at="extract(epoch FROM b.begun_at)",
    attempts=ATTEMPTS,
)
LATE = 2  # intervals in which none was made


def word_of(row: Any, now: float) -> str:
    """Return `ok`, `failed`, `late` or `none` for the row of a query above, None where it had none; now in seconds.

    `none` is also said from when backups are scheduled until the first was made.
    """
    if row is None:
        return "none"
    every, begins_at, has_failed, made_at = (None if value is None else float(value) for value in row)
    assert every is not None
    assert begins_at is not None
    if has_failed:
        return "failed"
    if now - (begins_at if made_at is None else made_at) > LATE * every:
        return "late"
    return "none" if made_at is None else "ok"
