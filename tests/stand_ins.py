"""What a machine has and a test has not, for guides that set up a whole one: users, packages, systemd, low ports.

Everything is laid below a folder in the place of the root. `python -m tests.stand_ins PROGRAM …` is what the programs
in its `bin` call; all others, such as git, make, sed, curl and Caddy, are the machine's own.
"""

import os
import pty
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .environment import ROOT

NOTHING = ("apt-get", "useradd", "usermod", "mkswap", "swapon", "ufw")  # asks for root, and changes the machine itself
PASSWORD = "a-long-password-of-the-guide"
PLACES = re.compile(r"(?<![\w.}])/(?=(?:opt|srv|run|etc|var|usr/local|swapfile)\b)")
PATIENCE = 60  # seconds
ROOT_VARIABLE, PORT_VARIABLE, FROM_INDEX = "STAND_IN_ROOT", "STAND_IN_PORT", "STAND_IN_FROM_INDEX"
# With its certificates made by itself, and at ports that anyone may have.
CADDY = "{{\n\thttps_port {port}\n\thttp_port {plain}\n\tadmin off\n\tlocal_certs\n\tskip_install_trust\n"


def lay(root: Path, port: int, plain_port: int, *, from_index: bool = False) -> dict[str, str]:
    """Lay the programs below a root; return the variables of a shell that has them.

    With `from_index` packages are truly installed from their indexes; else those that this program runs with are used.
    """
    programs = root / "bin"
    programs.mkdir()
    for name in (*NOTHING, *PROGRAMS):
        path = programs / name
        does = f'PYTHONPATH={ROOT} exec {sys.executable} -P -m tests.stand_ins {name} "$@"' if name in PROGRAMS else ""
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> {root}/called\n{does}\n')
        path.chmod(0o755)
    for folder in ("etc/systemd/system", "etc/caddy", "usr/local/sbin", "opt", "srv/folio", "var/backups", "run"):
        (root / folder).mkdir(parents=True)
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR", "http_proxy", "https_proxy") if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if from_index and name.startswith(("PIP_", "npm_"))}
    certificate = root / "caddy" / "caddy" / "pki" / "authorities" / "local" / "root.crt"
    return {
        **kept,
        "PATH": f"{programs}:{root}/usr/local/sbin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": os.environ.get("HOME", str(root)) if from_index else str(root),
        "XDG_DATA_HOME": str(root / "caddy"),
        "XDG_CONFIG_HOME": str(root / "caddy"),
        "CURL_CA_BUNDLE": str(certificate),
        "NODE_EXTRA_CA_CERTS": str(certificate),
        "no_proxy": "localhost,127.0.0.1",
        ROOT_VARIABLE: str(root),
        PORT_VARIABLE: f"{port} {plain_port}",
        FROM_INDEX: "1" if from_index else "",
    }


def here(text: str, root: Path) -> str:
    """Return a text of a guide or of a file with its places below the root."""
    return PLACES.sub(f"{root}/", text)


# The programs


def main() -> None:
    name, *arguments = sys.argv[1:]
    PROGRAMS[name](Path(os.environ[ROOT_VARIABLE]), arguments)


def fallocate(root: Path, arguments: list[str]) -> None:
    Path(arguments[-1]).touch()


def install(root: Path, arguments: list[str]) -> None:
    """Make a folder that belongs to whoever runs this."""
    kept = [each for each in arguments if not each.startswith(("--owner", "--group"))]
    run_instead("install", kept)


def runuser(root: Path, arguments: list[str]) -> None:
    """Run a program as who one is; type the password where it asks for one."""
    command = arguments[arguments.index("--") + 1 :]
    if "doctor" in command:
        examine(command)
    if "createsuperuser" not in command:
        os.execv(command[0], command)
    asked = 0

    def read(terminal: int) -> bytes:
        nonlocal asked
        data = os.read(terminal, 1024)
        if b"assword" in data and data.rstrip().endswith(b":"):
            time.sleep(0.2)  # until it does not show what is typed
            os.write(terminal, f"{PASSWORD}\n".encode())
            asked += 1
        return data

    status = os.waitstatus_to_exitcode(pty.spawn(command, read, lambda _: b""))
    sys.exit(status if asked == 2 else 1)


def examine(command: list[str]) -> None:
    """Run the doctor, who trusts Caddy's own authority, and may warn of one thing: its certificates last for hours."""
    environment = {**os.environ, "SSL_CERT_FILE": os.environ["CURL_CA_BUNDLE"]}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    sys.stdout.write(done.stdout)
    warnings = re.findall(r"^  warning +(.*)", done.stdout, re.MULTILINE)
    is_fine = done.returncode == 1 and len(warnings) == 1 and warnings[0].startswith("The certificate ends")
    sys.exit(0 if is_fine else done.returncode)


def make(root: Path, arguments: list[str]) -> None:
    """Have the packages that this program runs with be those of the clone, and go on with `make` itself."""
    clone = Path(arguments[arguments.index("-C") + 1])
    if not os.environ[FROM_INDEX]:
        environment = clone / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        [packages] = environment.glob("lib/python*/site-packages")
        own = [path for path in sys.path if path.endswith("site-packages")]
        (packages / "own.pth").write_text("\n".join([str(clone), *own]) + "\n")
        program = environment / "bin" / "folio"
        program.write_text(f"#!{environment}/bin/python\nfrom folio.__main__ import main\nmain()\n")
        program.chmod(0o755)
        (environment / ".installed").touch()
    run_instead("make", arguments)


def npm(root: Path, arguments: list[str]) -> None:
    """Have what the clone that is tested builds the website with be this one's."""
    if os.environ[FROM_INDEX]:
        run_instead("npm", arguments)
    site = Path(arguments[arguments.index("--prefix") + 1])
    (site / "node_modules").symlink_to(ROOT / "site" / "node_modules")


def caddy(root: Path, arguments: list[str]) -> None:
    """Run Caddy with a configuration as it stands, but for ports, certificates and places."""
    place = arguments.index("--config") + 1
    given = Path(arguments[place])
    port, plain = os.environ[PORT_VARIABLE].split()
    text = here(given.read_text(), root)
    opening = CADDY.format(port=port, plain=plain)
    beginning = re.search(r"^\{\n", text, re.MULTILINE)
    assert beginning, "The file has no global options."
    adapted = given.with_name("Caddyfile-here")
    adapted.write_text(text[: beginning.start()] + opening + text[beginning.end() :])
    arguments[place] = str(adapted)
    run_instead("caddy", [*arguments, "--adapter", "caddyfile"])


def run_instead(name: str, arguments: list[str]) -> None:
    """Become the machine's own program of that name."""
    stand_ins = str(Path(os.environ[ROOT_VARIABLE]) / "bin")
    path = ":".join(each for each in os.environ["PATH"].split(":") if each != stand_ins)
    program = shutil.which(name, path=path)
    if program is None:
        sys.exit(f"{name} is not installed.")
    # An index has no certificate of Caddy's own, and pip would believe in no other.
    left_out = {"PYTHONPATH", *(("CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS") if name in {"make", "npm"} else ())}
    environment = {key: value for key, value in os.environ.items() if key not in left_out}
    os.execve(program, [name, *arguments], {**environment, "PATH": path})


# systemd


def systemctl(root: Path, arguments: list[str]) -> None:
    """Run what the units below the root say, each in its own environment: for `start`, `restart`, `enable --now`."""
    verb, *rest = arguments
    names = [each for each in rest if not each.startswith("--")]
    if verb == "daemon-reload" or (verb == "enable" and "--now" not in rest):
        return
    if verb not in {"start", "restart", "stop", "enable"}:
        sys.exit(f"systemctl {verb} is not stood in for.")
    for name in names:
        if verb in {"restart", "stop"}:
            stop(root, name)
        if verb != "stop":
            start(root, name)


def start(root: Path, name: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name in KEPT_BY_UNITS}
    if name == "caddy":
        program = root / "bin" / "caddy"
        begin(root, name, [str(program), "run", "--config", str(root / "etc/caddy/Caddyfile")], dict(os.environ))
        return
    file = root / "etc" / "systemd" / "system" / (name if "." in name else f"{name}.service")
    unit = here(file.read_text(), root)
    if file.suffix == ".timer":
        assert re.search(r"^On\w+=", unit, re.MULTILINE), f"{file.name} is never due."
        return
    for line in re.findall(r"^Environment=(.*)$", unit, re.MULTILINE):
        environment.update(each.partition("=")[::2] for each in shlex.split(line))
    for path in re.findall(r"^EnvironmentFile=-?(.*)$", unit, re.MULTILINE):
        for line in Path(path).read_text().splitlines():
            if line and not line.startswith("#"):
                key, _, value = line.partition("=")
                environment[key] = "".join(shlex.split(value))
    for setting, place in {"RuntimeDirectory": "run", "StateDirectory": "var/lib"}.items():
        for folder in re.findall(rf"^{setting}=(.*)$", unit, re.MULTILINE):
            (root / place / folder).mkdir(parents=True, exist_ok=True)
    [line] = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    command = shlex.split(re.sub(r"\$\{(\w+)\}", lambda match: environment[match[1]], line))
    if "Type=oneshot" in unit:
        sys.exit(subprocess.run(command, env=environment, cwd=root, stdin=subprocess.DEVNULL, check=False).returncode)
    begin(root, name, command, environment)


KEPT_BY_UNITS = {"PATH", "LANG", "NODE_EXTRA_CA_CERTS", "no_proxy"}  # all else a unit has to say by itself


def begin(root: Path, name: str, command: list[str], environment: dict[str, str]) -> None:
    """Start a service that stays; its process id and its log are below the root."""
    with (root / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (root / f"{name}.pid").write_text(str(process.pid))


def stop(root: Path, name: str) -> None:
    file = root / f"{name}.pid"
    if not file.exists():
        return
    pid = int(file.read_text())
    file.unlink()
    for number, seconds in (signal.SIGTERM, PATIENCE), (signal.SIGKILL, 5):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                os.kill(pid, number)
                if " Z " in Path(f"/proc/{pid}/stat").read_text():  # ended, and nobody has taken note of it
                    return
            except (ProcessLookupError, FileNotFoundError):
                return
            time.sleep(0.1)


def stop_all(root: Path) -> None:
    """End what was begun, at the end of a test."""
    for file in root.glob("*.pid"):
        stop(root, file.stem)


PROGRAMS: dict[str, Callable[[Path, list[str]], None]] = {
    "fallocate": fallocate,
    "install": install,
    "runuser": runuser,
    "systemctl": systemctl,
    "caddy": caddy,
    "make": make,
    "npm": npm,
}

if __name__ == "__main__":
    main()
