"""A Redis of a test's own: a process with a folder, on a port of loopback and at a unix socket. Nothing of it stays."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import redis

from .postgresql import free_port
from .programs import found

START = 60  # seconds that it may take to answer, on a machine that does much else
STOP = 20


@dataclass
class Redis:
    """A server that can be stopped and started again, and what it is asked with."""

    folder: Path
    program: str
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def tcp_url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def client(self) -> Any:
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=STOP)

    def names(self) -> list[str]:
        return sorted(key.decode() for key in self.client.scan_iter())

    def start(self) -> None:
        options = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "unixsocket": str(self.socket),
            "dir": str(self.folder),
            "save": "",
            "daemonize": "no",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen(
            [self.program, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + START
        while True:
            try:
                self.client.ping()
            except redis.RedisError:
                assert self.process.poll() is None, "Redis ended."
                assert time.monotonic() < end, "Redis did not answer."
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it, with all that it has counted."""
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(STOP)

    def hang(self) -> None:
        """Have it take what is sent and answer nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def running_redis() -> Iterator[Redis]:
    program = found(shutil.which("redis-server"), "Redis", "redis-server")
    with TemporaryDirectory(prefix="folio-redis-") as folder:
        server = Redis(Path(folder), program)
        server.start()
        try:
            yield server
        finally:
            server.stop()
