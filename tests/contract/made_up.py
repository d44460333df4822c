"""Requests that are made up from a description of an API, and what is expected of every answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks, not_a_server_error

EXAMPLES = {GenerationMode.POSITIVE: 20, GenerationMode.NEGATIVE: 12}  # requests to each operation
load_all_checks()
CONFORMANCE = [
    not_a_server_error,
    *CHECKS.get_by_names(
        [
            "status_code_conformance",
            "content_type_conformance",
            "response_headers_conformance",
            "response_schema_conformance",
        ]
    ),
]


def operations_of(file_name: str) -> dict[str, dict[str, Any]]:
    """Return the operations of a committed description, by method and path."""
    description = yaml.safe_load((Path(__file__).resolve().parent / file_name).read_text())
    return {
        f"{method.upper()} {path}": operation
        for path, methods in description["paths"].items()
        for method, operation in sorted(methods.items())
    }


def can_be_wrong(operation: dict[str, Any]) -> bool:
    """Tell whether a request can be against the description: any text is one, and there may be nothing else."""
    return "requestBody" in operation or any(
        parameter["schema"] != {"type": "string"} for parameter in operation.get("parameters", [])
    )


def cases_of(operations: dict[str, dict[str, Any]]) -> list[Any]:
    """Return each operation with the ways in which it is asked, as parameters of a test."""
    return [
        pytest.param(label, mode, id=f"{label} {mode.value}")
        for label, operation in operations.items()
        for mode in EXAMPLES
        if mode is GenerationMode.POSITIVE or can_be_wrong(operation)
    ]


def ask(operation: Any, mode: GenerationMode, request: Callable[[Any], None]) -> None:
    """Make up requests to an operation, the same in every run."""
    test: Any = given(case=operation.as_strategy(mode))(request)
    settings(
        max_examples=EXAMPLES[mode],
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )(test)()
