"""The permission codes: the API's stable names for its actions, and the Django permissions that grant them."""

from dataclasses import dataclass

ACTIONS = {"create": "add", "list": "view", "retrieve": "view", "update": "change", "delete": "delete"}


@dataclass(frozen=True)
class Code:
    """One action on one resource; `permission` is the Django permission behind it, as `app.codename`."""

    code: int
    resource: str
    action: str
    permission: str


def codes_of(first: int, resource: str, model: str) -> dict[str, Code]:
    """Return a resource's five codes by action; `model` is its model as `app.model`."""
    app, name = model.split(".")
    return {
        action: Code(first + number, resource, action, f"{app}.{verb}_{name}")
        for number, (action, verb) in enumerate(ACTIONS.items())
    }


RESOURCES = {
    "media": codes_of(4101, "media", "media.media"),
    "portfolios": codes_of(4201, "portfolios", "portfolios.portfolio"),
    "employers": codes_of(4211, "employers", "portfolios.employer"),
    "tags": codes_of(4221, "tags", "portfolios.tag"),
    "links": codes_of(4231, "links", "portfolios.link"),
    "meta": codes_of(4241, "meta", "portfolios.metaentry"),
}
CODES = {code.code: code for actions in RESOURCES.values() for code in actions.values()}
# What a key that is `published_only` can use, and no other.
PUBLISHED = frozenset(RESOURCES["portfolios"][action].code for action in ("list", "retrieve"))
