"""The headers of reads and writes, as the API's description shows them."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from .conditions import IF_MATCH, IF_UNMODIFIED_SINCE
from .idempotency import HEADER as IDEMPOTENCY_KEY
from .idempotency import REPLAYED
from .limits import LIMIT, POLICY, WAIT

TAGS: dict[str, Any] = {
    "type": "string",
    "pattern": r'^(\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*)$',
    "examples": ['"5f2b0c1d7e8f4a3b9c6d2e1f0a7b8c9d"'],
}
DATE: dict[str, Any] = {"type": "string", "examples": ["Sun, 06 Nov 1994 08:49:37 GMT"]}
KEY: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[!-~]+$",
    "examples": ["9b2f6c1e-1f0a-4a4e-9f0e-6d1f7d0c5a11"],
}
TAKEN = {
    IF_MATCH: (TAGS, "Change it only if its `ETag` is one of these, of any encoding; `*` is any."),
    IF_UNMODIFIED_SINCE: (DATE, "Change it only if it was not changed after this. Ignored beside `If-Match`."),
    "If-None-Match": (
        {"type": "string"},
        "The `ETag` that is known already: if it is still the same, the answer is `304`.",
    ),
    IDEMPOTENCY_KEY: (
        KEY,
        "One for each thing to be made: the same request with it within 24 hours is answered as the first time.",
    ),
}
TOLD = {
    "ETag": "By which to tell whether it has changed.",
    "Last-Modified": "When it was changed, rounded up to the next second.",
    "Location": "Where it can be read.",
    REPLAYED: "`true` where this was answered before.",
    POLICY: 'How many requests, `q`, are heard in how many seconds, `w`: `"reads";q=6000;w=60`. Not from memory.',
    LIMIT: 'How many more, `r`, are heard in the next `t` seconds: `"reads";r=5999;t=1`. Not from memory.',
    WAIT: "After how many seconds the next request is heard.",
}


def headers_of(view: Any, action: str, method: str, statuses: Iterable[int]) -> list[OpenApiParameter]:
    """Return what an operation takes and tells in headers; `statuses` are those of its success."""
    succeeded = list(statuses)
    taken: list[str] = list(view.conditions_taken())
    told: dict[str, list[int]] = {}
    is_resource = hasattr(view, "retrieve")
    is_dated = is_resource and "updated_at" in view.document.__struct_fields__
    if method == "GET":
        taken.append("If-None-Match")
        told["ETag"] = [*succeeded, 304]
        if is_dated and action.startswith("retrieve"):
            told["Last-Modified"] = [*succeeded, 304]
    elif is_resource:
        written = [] if action == "destroy" else succeeded
        told["ETag"] = [*written, 412] if taken else written
        if is_dated:
            told["Last-Modified"] = told["ETag"]
        if action == "create" and not view.tells_secrets:
            taken.append(IDEMPOTENCY_KEY)
            told[REPLAYED] = [*succeeded, 400]
        if action == "create":
            told["Location"] = [201]
    told |= limits_of(view, method, succeeded)
    parameters = [parameter(name, *TAKEN[name]) for name in taken]
    return parameters + [parameter(name, {"type": "string"}, TOLD[name], response=told[name]) for name in told]


def limits_of(view: Any, method: str, succeeded: list[int]) -> dict[str, list[int]]:
    """Return the headers that tell of limits, and the statuses with which they come."""
    if not view.is_counted:
        return {WAIT: [429]}
    unchanged = [304] if method == "GET" else []
    return {POLICY: [*succeeded, *unchanged, 429], LIMIT: [*succeeded, *unchanged, 429], WAIT: [429]}


def parameter(name: str, schema: dict[str, Any], description: str, **options: Any) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.HEADER, description=description, **options)
