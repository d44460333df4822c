"""Run a command against a PostgreSQL server of its own: `python -m tests.postgresql pytest`.

The server lives in a temporary folder on a free loopback port and is gone when the command ends. The exit status is the
command's, or 69 (EX_UNAVAILABLE) where PostgreSQL is not installed.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNAVAILABLE = 69
SERVER_USER = "postgres"  # made by Debian's package; the server refuses to run as root


def find_binaries() -> Path | None:
    """Return the folder of `initdb` and `pg_ctl`, the newest release's where there are several."""
    on_path = shutil.which("pg_ctl")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def temporary_server(binaries: Path) -> Iterator[str]:
    """Start a server and yield the URL of its database; stop and remove it afterwards."""
    is_root = os.geteuid() == 0
    user = SERVER_USER if is_root else pwd.getpwuid(os.geteuid()).pw_name
    become = ["runuser", "-u", user, "--"] if is_root else []
    with tempfile.TemporaryDirectory(prefix="folio-postgresql-", ignore_cleanup_errors=True) as folder:
        if is_root:
            shutil.chown(folder, user)
        data, port = f"{folder}/data", free_port()

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [*become, str(binaries / program), *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL
            )

        run("initdb", "-D", data, "-U", user, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        # Nothing outlives the tests, so nothing waits for the disk.
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
        run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgres://{user}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def main(command: list[str]) -> int:
    binaries = find_binaries()
    if binaries is None:
        print("PostgreSQL is not installed (Debian: apt-get install postgresql-15).", file=sys.stderr)
        return UNAVAILABLE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # an exception, so that the server is stopped
    with temporary_server(binaries) as url:
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
