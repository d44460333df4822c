"""Elements written as XML."""

from collections.abc import Iterator, Mapping

from .reading import SVG, XLINK, XML, Element, Name

PREFIXES = {SVG: "", "": "", XLINK: "xlink:", XML: "xml:"}
# Those of attributes that XML would else read as spaces, and `>`, lest anything reads an end of something in a text.
ESCAPED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
IN_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def written(root: Element, root_attributes: Mapping[Name, str] | None = None) -> str:
    """Return a drawing as a document; these attributes stand at its root instead of its own, if they are given."""
    attributes = root.attributes if root_attributes is None else root_attributes
    body = "".join(pieces(root, attributes))
    names = f' xmlns="{SVG}"' + (f' xmlns:xlink="{XLINK}"' if uses_xlink(root) else "")
    return f"<svg{names}{body[len('<svg') :]}\n"


def pieces(element: Element, attributes: Mapping[Name, str]) -> Iterator[str]:
    name = element.name[1]
    yield f"<{name}"
    for (namespace, attribute), value in attributes.items():
        yield f' {PREFIXES[namespace]}{attribute}="{value.translate(ESCAPED)}"'
    if not element.children:
        yield "/>"
        return
    yield ">"
    for child in element.children:
        if isinstance(child, str):
            yield child.translate(IN_TEXT)
        else:
            yield from pieces(child, child.attributes)
    yield f"</{name}>"


def uses_xlink(element: Element) -> bool:
    return any(namespace == XLINK for namespace, _ in element.attributes) or any(
        uses_xlink(child) for child in element.children if isinstance(child, Element)
    )
