"""What a release installs, as a software bill of materials: `make sbom` writes it, in CycloneDX's JSON.

`python -m tests.sbom FILE` asks nobody. Names, versions and hashes are those of `requirements/extras.txt`, which has
all of `run.txt` and the extras; licences, and what needs what, are as the installed packages tell them. One that is
for another system or Python is not installed here: it is listed with its hashes alone.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.spdx import is_expression, is_supported_id
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from folio import __version__

from .environment import ROOT

PINNED = ROOT / "requirements" / "extras.txt"
WITHOUT_CHECK = ["requirements", "--output-format", "JSON", "--output-reproducible", "--no-validate"]  # `check` does it
OURS = "folio"
LONGEST_NAME = 100  # characters of a licence's name; some packages give its whole text there
Component = dict[str, Any]


def pinned() -> dict[str, Any]:
    """Return CycloneDX's own document of the pinned packages."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "sbom.json")
        subprocess.run(
            [Path(sys.executable).with_name("cyclonedx-py"), *WITHOUT_CHECK, "--output-file", path, PINNED], check=True
        )
        document: dict[str, Any] = json.loads(path.read_text())
        return document


def licences(told: Any) -> list[dict[str, Any]]:
    """Return what a package declares to be under, in CycloneDX's form; nothing where it declares nothing."""
    classifiers = told.get_all("Classifier") or []
    names = [text.rpartition(":: ")[2] for text in classifiers if text.startswith("License ::")]
    text = told.get("License-Expression") or (told.get("License") or "").strip() or " AND ".join(names)
    if not text:
        return [{"license": each} for each in licence_files(told)]
    return [licence(text.splitlines()[0][:LONGEST_NAME])]


def licence(text: str) -> dict[str, Any]:
    """Return one licence, or an expression of several, in CycloneDX's form."""
    if not is_supported_id(text) and is_expression(text):
        return {"expression": text, "acknowledgement": "declared"}
    return {"license": {"id" if is_supported_id(text) else "name": text, "acknowledgement": "declared"}}


def licence_files(told: Any) -> Iterator[dict[str, Any]]:
    """Yield the licences that lie beside a package's metadata without a word of what they are called."""
    for name in told.get_all("License-File") or []:
        text = metadata.distribution(told["Name"]).read_text(f"licenses/{name}")
        if text:
            yield {"name": name, "text": {"content": text}, "acknowledgement": "declared"}


def needed(told: Any, extras: frozenset[str] = frozenset()) -> set[str]:
    """Return the names of what a package needs here, with some of its own extras."""
    found: set[str] = set()
    for text in told.get_all("Requires-Dist") or []:
        requirement = Requirement(text)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": name}) for name in {"", *extras}):
            found.add(canonicalize_name(requirement.name))
    return found


def sbom() -> dict[str, Any]:
    document = pinned()
    components: list[Component] = document["components"]
    refs: dict[str, str] = {canonicalize_name(each["name"]): each["bom-ref"] for each in components}
    depends: dict[str, set[str]] = {ref: set() for ref in refs.values()}
    for component in components:
        component.pop("description", None)  # the line of the file, hashes and all
        try:
            told: Any = metadata.metadata(component["name"])
        except metadata.PackageNotFoundError:
            continue
        if told["Version"] != component["version"]:
            raise SystemExit(f"{component['name']} {told['Version']} is installed, not {component['version']}.")
        if told.get("Summary"):
            component["description"] = told["Summary"]
        if found := licences(told):
            component["licenses"] = found
        extras = extras_of(component["name"])
        depends[component["bom-ref"]] = {refs[name] for name in needed(told, extras) if name in refs}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    document["metadata"]["component"] = {
        "bom-ref": OURS,
        "type": "application",
        "name": project["name"],
        "version": __version__,
        "description": project["description"],
        "purl": f"pkg:pypi/{project['name']}@{__version__}",
        "licenses": [licence(project["license"])],
    }
    depends[OURS] = {refs[canonicalize_name(Requirement(text).name)] for text in wanted(project)}
    document["dependencies"] = [{"ref": ref, "dependsOn": sorted(on)} for ref, on in sorted(depends.items())]
    return document


def check(document: dict[str, Any]) -> None:
    """Raise SystemExit where a document is not as CycloneDX's schema has it."""
    version = SchemaVersion.from_version(document["specVersion"])
    if error := JsonStrictValidator(version).validate_str(json.dumps(document)):
        raise SystemExit(f"The document is not as CycloneDX {document['specVersion']} has it: {error}")


def wanted(project: dict[str, Any]) -> list[str]:
    """Return what Folio itself asks for, with its extras but for that of developers."""
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(text for name, texts in extras.items() if name != "dev" for text in texts)]


def extras_of(name: str) -> frozenset[str]:
    """Return the extras of a package that Folio asks for, as `psycopg[binary,pool]` does."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = map(Requirement, wanted(project))
    return frozenset().union(*(each.extras for each in asked if canonicalize_name(each.name) == name))


if __name__ == "__main__":
    made = sbom()
    check(made)
    Path(sys.argv[1]).write_text(json.dumps(made, indent=1) + "\n")
    print(f"{sys.argv[1]} lists {len(made['components'])} packages.")  # noqa: T201
