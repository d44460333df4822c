"""What is told where the settings themselves can't be read, so that nothing else can be looked at."""

import json

from folio import __version__

STATUS = 2  # as of any fault
MEND = "docs/reference/settings.md says what each variable may be. Nothing else was looked at."


def told(sentence: str, *, in_json: bool) -> str:
    """Return what `folio doctor` writes; the sentence, which the settings raise, tells no secret."""
    if not in_json:
        return f"Settings\n  fault    {sentence} {MEND}\n1 finding: 1 fault and 0 warnings."
    finding = {"group": "Settings", "state": "fault", "text": sentence, "mend": MEND}
    return json.dumps({"status": "faults", "version": __version__, "findings": [finding]}, indent=1)
