"""Run a command as a unit of systemd would confine it: `python -m tests.confined deploy/folio.service -- COMMAND`.

No systemd runs where tests do. What its settings have the kernel refuse is done here by the same library, libseccomp:
the list of system calls, memory that is written and run, families of addresses, and new namespaces.
"""

import ctypes
import errno
import os
import re
import subprocess
import sys
from ctypes import Structure, c_char_p, c_int, c_uint, c_uint32, c_uint64, c_void_p
from pathlib import Path

LIBRARY = "libseccomp.so.2"
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EPERM
EQUAL, MASKED = 4, 7
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
MOST_FAMILIES = 46
WRITE_AND_EXECUTE, EXECUTE, ATTACH_EXECUTE = 2 | 4, 4, 0o100000
NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)  # CLONE_NEW…


class Comparison(Structure):
    """Libseccomp's `struct scmp_arg_cmp`."""

    _fields_ = [("argument", c_uint), ("operator", c_int), ("first", c_uint64), ("second", c_uint64)]


class Filter:
    """What the kernel is to allow or refuse this process and all that it starts."""

    def __init__(self, otherwise: int) -> None:
        self.library = ctypes.CDLL(LIBRARY)
        self.library.seccomp_init.restype = c_void_p
        self.library.seccomp_init.argtypes = [c_uint32]
        self.library.seccomp_syscall_resolve_name.argtypes = [c_char_p]
        add = self.library.seccomp_rule_add_array
        add.argtypes = [c_void_p, c_uint32, c_int, c_uint, ctypes.POINTER(Comparison)]
        self.library.seccomp_load.argtypes = [c_void_p]
        self.context = self.library.seccomp_init(otherwise)

    def add(self, action: int, name: str, *compared: Comparison) -> None:
        number = self.library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # this machine has it
            array = (Comparison * len(compared))(*compared)
            status = self.library.seccomp_rule_add_array(self.context, action, number, len(compared), array)
            assert status == 0, (name, status)

    def load(self) -> None:
        status = self.library.seccomp_load(self.context)
        assert status == 0, os.strerror(-status)


def groups() -> dict[str, list[str]]:
    """Return systemd's groups of system calls, by their names."""
    told = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    found: dict[str, list[str]] = {}
    for line in re.sub(r"\x1b\[[\d;]*m", "", told).splitlines():
        if line.startswith("@"):
            members = found.setdefault(line.strip(), [])
        elif (name := line.strip()) and not name.startswith("#") and line.startswith(" "):
            members.append(name)
    return found


def expanded(name: str, known: dict[str, list[str]]) -> set[str]:
    if not name.startswith("@"):
        return {name}
    return set().union(*(expanded(member, known) for member in known[name]))


def values(unit: str, setting: str) -> list[str]:
    return re.findall(rf"^{setting}=(.*)$", unit, flags=re.MULTILINE)


def allowed(unit: str) -> set[str]:
    """Return the names of the system calls that a unit allows: each line adds, or with a ~ takes away."""
    known = groups()
    calls = expanded("@default", known)
    for line in values(unit, "SystemCallFilter"):
        names = set().union(*(expanded(name, known) for name in line.removeprefix("~").split()))
        calls = calls - names if line.startswith("~") else calls | names
    return calls


def confine(unit: str) -> None:
    """Confine this process as the unit says; what it can't be asked of this library is left out."""
    refused = Filter(ALLOW)
    if values(unit, "MemoryDenyWriteExecute") == ["yes"]:
        refused.add(REFUSE, "mmap", Comparison(2, MASKED, WRITE_AND_EXECUTE, WRITE_AND_EXECUTE))
        for name in ("mprotect", "pkey_mprotect"):
            refused.add(REFUSE, name, Comparison(2, MASKED, EXECUTE, EXECUTE))
        refused.add(REFUSE, "shmat", Comparison(2, MASKED, ATTACH_EXECUTE, ATTACH_EXECUTE))
    if values(unit, "RestrictNamespaces") == ["yes"]:
        for flag in NAMESPACES:
            refused.add(REFUSE, "unshare", Comparison(0, MASKED, flag, flag))
            refused.add(REFUSE, "clone", Comparison(0, MASKED, flag, flag))
        refused.add(REFUSE, "setns")
    for line in values(unit, "RestrictAddressFamilies"):
        for number in set(range(MOST_FAMILIES)) - {FAMILIES[name] for name in line.split()}:
            refused.add(REFUSE, "socket", Comparison(0, EQUAL, number, 0))
    listed = Filter(REFUSE)
    for name in sorted(allowed(unit) | {"seccomp"}):  # the second filter is loaded by it
        listed.add(ALLOW, name)
    refused.load()
    listed.load()


def main(arguments: list[str]) -> None:
    unit, _, *command = arguments
    confine(Path(unit).read_text())
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
