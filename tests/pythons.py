"""The other Pythons that Folio is for, as far as this machine has them; `make pythons` runs the suite under each."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .environment import ROOT

MINORS = tuple(map(int, re.findall(r"Language :: Python :: 3\.(\d+)", (ROOT / "pyproject.toml").read_text())))
OTHERS = tuple(minor for minor in MINORS if minor != sys.version_info.minor)
FOLDER = ROOT / ".pythons"
LEFT_OUT = ("--ignore", "tests/browser", "--ignore", "tests/site")  # whose matter are browsers, and Node


def find_python(minor: int) -> Path | None:
    """Return where a Python 3 of that number is, on the path or where pyenv keeps its own, None where there is none."""
    for path in candidates(minor):
        asked: list[str | Path] = [path, "-c", "import sys; print(sys.version_info.minor)"]
        try:
            done = subprocess.run(asked, capture_output=True, text=True, timeout=60)
        except OSError:
            continue
        if done.stdout.strip() == str(
            minor
        ):  # pyenv has programs of that name on the path which only say that they won't
            return path
    return None


def candidates(minor: int) -> Iterator[Path]:
    name = f"python3.{minor}"
    if path := shutil.which(name):
        yield Path(path)
    kept = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from sorted(kept.glob(f"3.{minor}.*/bin/{name}"), reverse=True)


def run_suite(python: Path, minor: int, arguments: list[str]) -> bool:
    """Install what is pinned for a Python into a folder of its own, run the suite there, tell whether it passed."""
    folder = FOLDER / f"3.{minor}"
    uv = Path(sys.executable).with_name("uv")
    into: list[str | Path] = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python"]
    steps: list[list[str | Path]] = [
        [uv, "venv", "--quiet", "--allow-existing", "--no-python-downloads", "--python", python, folder],
        [*into, "--require-hashes", "--requirements", ROOT / "requirements" / "dev.txt"],
        [*into, "--no-deps", "--no-build-isolation", "--editable", ROOT],
        [folder / "bin" / "python", "-m", "pytest", *LEFT_OUT, *arguments],
    ]
    return all(subprocess.run(step, cwd=ROOT).returncode == 0 for step in steps)


def main() -> None:
    """Run the suite under each other Python that is here, with arguments of pytest; end with 1 where one fails."""
    results = []
    for minor in OTHERS:
        python = find_python(minor)
        if python is None:
            results.append((f"There is no Python 3.{minor} here: not tested.", True))
            continue
        sys.stdout.write(f"The suite under Python 3.{minor}\n")
        sys.stdout.flush()
        passed = run_suite(python, minor, sys.argv[1:])
        results.append((f"Python 3.{minor}: {'passed' if passed else 'failed'}.", passed))
    sys.stdout.writelines(f"{text}\n" for text, _ in results)
    sys.exit(not all(passed for _, passed in results))


if __name__ == "__main__":
    main()
