"""The image without an engine: the Dockerfile's own steps and command, in namespaces of the kernel like a container's.

The root file system is this machine's, under a layer that takes what the steps write and is gone with the process. Two
steps are left out, which fetch: Debian's packages, which are here, and Python's, which are lent by the environment in
which the tests run.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .environment import ROOT
from .live import START

DOCKERFILE = ROOT / "Dockerfile"
FETCHING = ("apt-get update", "pip --python /opt/folio/bin/python install --require-hashes")
NAMESPACES = ("--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child=SIGKILL", "--propagation", "private")
LAID = """set -eu
mount -t tmpfs tmpfs {own}
mkdir {own}/upper {own}/work {own}/root
mount -t overlay overlay -o lowerdir=/,upperdir={own}/upper,workdir={own}/work {own}/root
cd {own}/root
chmod o+rx root || true  # where this machine's Python may lie
mount --rbind /dev dev
mount -t proc proc proc
mkdir -p opt data backups
"""
READ_ONLY = """cd {own}/root
mount --bind {data} data
chown {user} data
mount -t tmpfs tmpfs tmp
mount -o remount,ro {own}/root
python3 -c 'import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 0x41))'
"""


@dataclass
class Stage:
    """A stage of the Dockerfile: its steps in order, and what it says of the image."""

    steps: list[tuple[str, str]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def command(self, name: str) -> list[str]:
        """Return an instruction's value that is a list in JSON."""
        command: list[str] = json.loads(self.said[name])
        return command


def stages(text: str) -> list[Stage]:
    """Read a Dockerfile: lines that go on are one, comments are none."""
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    found: list[Stage] = []
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        name, _, value = line.strip().partition(" ")
        if name == "FROM":
            found.append(Stage())
        elif found and name in {"RUN", "COPY", "WORKDIR"}:
            found[-1].steps.append((name, value))
        elif found and name == "ENV":
            found[-1].variables |= dict(pair.split("=", 1) for pair in shlex.split(value))
        elif found and name == "ARG":
            found[-1].variables |= dict(pair.split("=", 1) for pair in shlex.split(value) if "=" in pair)
        elif found and name:
            found[-1].said[name] = value
    return found


def is_fetching(step: str) -> bool:
    return any(each in step for each in FETCHING)


def building(stage: Stage) -> Iterator[str]:
    """Yield the lines of a shell that carry out a stage's steps in the layer, but for those that fetch."""
    place, paths = "/", f"{Path(sys.base_prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    variables = " ".join(f"{name}={shlex.quote(value)}" for name, value in stage.variables.items() if name != "PATH")
    for name, value in stage.steps:
        if name == "WORKDIR":
            place = value
            yield f"mkdir -p .{value}"
        elif name == "COPY" and not value.startswith("--from="):  # the one from another stage is in the same layer
            *sources, target = value.split()
            yield f"mkdir -p .{place}/{target}"
            for source in sources:
                # Of a folder its content is copied, as an engine does.
                yield f"cp -r {ROOT}/{source}{'.' if source.endswith('/') else ''} .{place}/{target}"
        elif name == "RUN" and is_fetching(value) and "pip" in value:
            packages = sysconfig.get_paths()["purelib"]
            yield f"echo {packages} > $(echo ./opt/folio/lib/python*/site-packages)/lent.pth"
        elif name == "RUN" and not is_fetching(value):
            command = f"cd {place} && export PATH={paths} {variables} && {value}"
            yield f"chroot . /bin/sh -euc {shlex.quote(command)}"


@dataclass
class Container:
    """A process that runs as the image would have it."""

    stage: Stage
    process: "subprocess.Popen[bytes]"  # the one that made the namespaces
    log: Path

    @property
    def pid(self) -> int:
        """Its first process, as this machine numbers it."""
        [pid] = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(pid)

    def run(self, *command: str, as_root: bool = False, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run another command in it, as `docker exec` does."""
        inside = ["nsenter", "--target", str(self.pid), "--mount", "--pid", "--net", "--ipc", "--root", "--wd"]
        start = [] if as_root else unprivileged(self.stage)
        return subprocess.run([*inside, *start, *command], input=given, capture_output=True, timeout=START)

    def is_healthy(self) -> bool:
        check = self.stage.said["HEALTHCHECK"]
        command: list[str] = json.loads(check[check.index("CMD ") + 4 :])
        return self.run(*command).returncode == 0


def unprivileged(stage: Stage) -> list[str]:
    """Return what stands before a command for the image's user, without any privilege, and for its environment."""
    user, _, group = stage.said["USER"].partition(":")
    dropped = ["--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    variables = [f"{name}={value}" for name, value in stage.variables.items() if name != "PACKAGES"]
    return ["setpriv", f"--reuid={user}", f"--regid={group}", *dropped, "env", "-i", *variables]


def skip_unless_permitted() -> None:
    """Skip where namespaces and layers can't be made, as in most containers; fail where everything has to be."""
    probe = "mkdir u w m && mount -t overlay overlay -o lowerdir=/,upperdir=u,workdir=w m && mount -t proc proc /proc"
    command = ["unshare", *NAMESPACES, "sh", "-ec", f"mount -t tmpfs tmpfs /mnt && cd /mnt && {probe}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode:
        message = f"The image can't be tried here; it takes root and a kernel that allows overlays: {done.stderr}"
        if os.environ.get("CI_STRICT") and os.geteuid() == 0:
            pytest.fail(message)
        pytest.skip(message)


@contextmanager
def running_container(folder: Path, arguments: Sequence[str] = ()) -> Iterator[Container]:
    """Build the image's content, and run its command with its data in a folder, all else being read-only."""
    skip_unless_permitted()
    [build, final] = stages(DOCKERFILE.read_text())
    own, data, log = folder / "own", folder / "data", folder / "log"
    own.mkdir()
    data.mkdir()
    folder.chmod(0o755)
    run = [*final.command("ENTRYPOINT"), *(arguments or final.command("CMD"))]
    script = folder / "run.sh"
    places = {"own": own, "data": data, "user": final.said["USER"]}
    place = [value for name, value in final.steps if name == "WORKDIR"][-1]
    inner = f'cd {place} && exec "$@"'
    start = shlex.join(["chroot", ".", *unprivileged(final), "/bin/sh", "-c", inner, "sh", *run])
    lines = [LAID.format(**places), *building(build), *building(final), READ_ONLY.format(**places), f"exec {start}"]
    script.write_text("\n".join(lines) + "\n")
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["unshare", *NAMESPACES, "/bin/sh", str(script)], stdout=output, stderr=subprocess.STDOUT
        )
    container = Container(final, process, log)
    try:
        end = time.monotonic() + START
        while b"Folio serves" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield container
    finally:
        process.kill()  # and with it, by --kill-child, all that runs there
        process.wait(20)
