"""Drawings: logos as design programs export them, and hostile ones."""

import base64
import io
from collections.abc import Callable

from folio.media.privacy import Keep
from folio.media.svg.drawing import Drawing, rewritten
from tests.factories import draw

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
NAMES = f'xmlns="{SVG}" xmlns:xlink="{XLINK}"'


def drawing(body: str = '<rect width="10" height="10" fill="#f60"/>', root: str = 'viewBox="0 0 10 10"') -> bytes:
    return f"<svg {NAMES} {root}>{body}</svg>".encode()


def rewrite(content: bytes, keep: Keep = "rights") -> Drawing:
    return rewritten(io.BytesIO(content), keep)


def body_of(content: bytes, keep: Keep = "rights") -> str:
    """Return what a drawing of `drawing()` is stored with between the tags of its root."""
    text = rewrite(content, keep).content.decode().strip()
    return text.partition(">")[2].removesuffix("</svg>") if text.endswith("</svg>") else ""


def embedded(format: str = "PNG", mime_type: str = "") -> str:
    """Return the address of an image within a drawing."""
    return f"data:{mime_type or f'image/{format.lower()}'};base64,{base64.b64encode(draw(format=format)).decode()}"


# As the programs write them, in short: their own names, comments and instructions, and what is left of older browsers.
INKSCAPE = f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<!-- Created with Inkscape (http://www.inkscape.org/) -->

<svg width="20mm" height="10mm" viewBox="0 0 20 10" version="1.1" id="svg5" inkscape:version="1.3"
   sodipodi:docname="logo.svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"
   xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" xmlns="{SVG}" xmlns:xlink="{XLINK}"
   xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:cc="http://creativecommons.org/ns#">
  <sodipodi:namedview id="namedview7" inkscape:zoom="3.7"><inkscape:grid id="g1"/></sodipodi:namedview>
  <defs id="defs2"><linearGradient inkscape:collect="always" id="lg1"><stop style="stop-color:#0000ff;stop-opacity:1"
    offset="0" id="stop1"/><stop style="stop-color:#00ff00;stop-opacity:1" offset="1" id="stop2"/></linearGradient>
    <linearGradient xlink:href="#lg1" id="lg2" x1="0" x2="20" y1="0" y2="0" gradientUnits="userSpaceOnUse"/></defs>
  <metadata id="metadata8"><rdf:RDF><cc:Work rdf:about=""><title>Anna's own</title></cc:Work></rdf:RDF></metadata>
  <g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1">
    <rect style="fill:url(#lg2);fill-opacity:1;stroke:none;-inkscape-stroke:none;
      font-variation-settings:normal;line-height:1.25;-inkscape-font-specification:'sans-serif, Normal'"
      id="rect31" width="20" height="10" x="0" y="0" inkscape:export-filename="/home/anna/logo.png"/>
  </g>
</svg>""".encode()
ILLUSTRATOR = f"""<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 27.0.0, SVG Export Plug-In . SVG Version: 6.00 Build 0)  -->
<svg version="1.1" id="Layer_1" xmlns="{SVG}" xmlns:xlink="{XLINK}" x="0px" y="0px" viewBox="0 0 100 50"
  style="enable-background:new 0 0 100 50;" xml:space="preserve" xmlns:i="http://ns.adobe.com/AdobeIllustrator/10.0/">
<style type="text/css">
	.st0{{fill:#0000FF;}}
	.st1{{clip-path:url(#SVGID_2_);fill:#00FF00;enable-background:new    ;}}
</style>
<switch><foreignObject requiredExtensions="http://ns.adobe.com/AdobeIllustrator/10.0/" width="1" height="1"><i:aipgfRef
  xlink:href="#adobe_illustrator_pgf"/></foreignObject>
<g i:extraneous="self"><rect class="st0" width="50" height="50"/><g><defs><rect id="SVGID_1_" x="50" width="50"
  height="50"/></defs><clipPath id="SVGID_2_"><use xlink:href="#SVGID_1_"  style="overflow:visible;"/></clipPath>
  <rect class="st1" x="50" width="100" height="50"/></g></g></switch>
</svg>""".encode()
FIGMA = f"""<svg width="40" height="20" viewBox="0 0 40 20" fill="none" xmlns="{SVG}">
<g clip-path="url(#clip0_1_2)" filter="url(#filter0_d_1_2)">
<rect width="20" height="20" fill="#0000FF" style="fill:#0000FF;fill:color(display-p3 0 0 1);fill-opacity:1;"/>
<rect x="20" width="20" height="20" fill="url(#paint0_linear_1_2)" style="mix-blend-mode:multiply"/></g>
<defs><clipPath id="clip0_1_2"><rect width="40" height="20" fill="white"/></clipPath>
<filter id="filter0_d_1_2" x="0" y="0" width="40" height="20" filterUnits="userSpaceOnUse"
  color-interpolation-filters="sRGB"><feFlood flood-opacity="0" result="BackgroundImageFix"/>
<feColorMatrix in="SourceAlpha" type="matrix" values="0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 127 0" result="hardAlpha"/>
<feBlend mode="normal" in="SourceGraphic" in2="BackgroundImageFix" result="shape"/></filter>
<linearGradient id="paint0_linear_1_2" x1="20" y1="0" x2="40" y2="0" gradientUnits="userSpaceOnUse">
<stop stop-color="#00FF00"/><stop offset="1" stop-color="#00FF00"/></linearGradient></defs>
</svg>""".encode()
LOGOS = {"inkscape": INKSCAPE, "illustrator": ILLUSTRATOR, "figma": FIGMA}

# Hostile ones, as one line each. `hit()` is what their scripts call, and `{origin}/hit` what they load.
HIT = "hit()"
AWAY = "http://hit.example/hit"
EVENTS = (
    "onload onclick onmouseover onfocus onfocusin onbegin onend onrepeat onerror onactivate onresize onscroll onzoom"
)
SCRIPTS = ["javascript:hit()", "JaVaScRiPt:hit()", " javascript:hit()", "java&#9;script:hit()", "java&#10;script:hit()"]
SCRIPTS += [
    "&#1;javascript:hit()".replace("&#1;", "&#160;"),
    "data:text/html,&lt;script>hit()&lt;/script>",
    "vbscript:hit()",
]
ADDRESSES = [AWAY, "//hit.example/hit", "/hit", "hit.svg#a", "http:hit", "file:///etc/passwd", "\\\\hit.example\\hit"]
ADDRESSES += ["data:image/svg+xml,&lt;svg xmlns='http://www.w3.org/2000/svg' onload='hit()'/>", f"{AWAY}#a", "blob:hit"]
ADDRESSES += ["data:image/png;base64,PHN2ZyBvbmxvYWQ9ImhpdCgpIi8+", "data:text/xml,&lt;a/>", "?hit", "about:blank"]
SVG_DATA = base64.b64encode(f'<svg xmlns="{SVG}" onload="parent.hit()"><script>hit()</script></svg>'.encode()).decode()
VALUES = [f"url({AWAY})", f"url('{AWAY}#a')", f"u\\72l({AWAY})", f"URL( {AWAY} )", f"url(#a) url({AWAY})"]
VALUES += [f"url({AWAY}#a) red", "url(javascript:hit())", "url(data:image/svg+xml,hit)", "url()", "url(hit.svg#a)"]
VALUES += [f"image-set('{AWAY}' 1x)", f"src('{AWAY}')", "expression(hit())", f"image('{AWAY}')", f"/**/url(/**/{AWAY})"]
VALUES += [f"var(--a, url({AWAY}))", f"cross-fade(url({AWAY}), red)", "element(#a)", f"url(\\{AWAY})", "attr(id url)"]
SHEETS = {
    "import": f"@import '{AWAY}';",
    "import-url": f"@import url({AWAY});",
    "import-escaped": f"@\\69mport '{AWAY}';",
    "import-broken": f"}} @import '{AWAY}'; rect {{}}",
    "import-behind-charset": f"@charset 'utf-8'; @import '{AWAY}';",
    "import-in-a-layer": f"@layer a {{ @import '{AWAY}'; }}",
    "import-commented": f"/* */@/**/import '{AWAY}';@import/**/'{AWAY}';",
    "font": f"@font-face {{ font-family: a; src: url({AWAY}) }} text {{ font-family: a }}",
    "namespace": f"@namespace url({AWAY});",
    "media": f"@media all {{ rect {{ fill: url({AWAY}) }} }}",
    "supports": f"@supports (fill: red) {{ rect {{ fill: url({AWAY}) }} }}",
    "keyframes": f"@keyframes a {{ from {{ fill: url({AWAY}) }} }} rect {{ animation: a 1s }}",
    "background": f"svg {{ background: url({AWAY}) }}",
    "cursor": f"svg {{ cursor: url({AWAY}), auto }}",
    "content": f"rect::before {{ content: url({AWAY}) }}",
    "list": f"svg {{ list-style: url({AWAY}) }}",
    "mask": f"rect {{ mask-image: url({AWAY}) }}",
    "behaviour": f"rect {{ behavior: url({AWAY}); -moz-binding: url({AWAY}#a) }}",
    "variable": f"svg {{ --a: url({AWAY}) }} rect {{ fill: var(--a) }}",
    "attribute": f"rect[id^='r'] {{ fill: url({AWAY}?r) }}",
    "nested": f"g {{ rect {{ fill: url({AWAY}) }} }}",
    "unclosed": f"rect {{ fill: url({AWAY}",
    "end-of-style": "a{}&lt;/style>&lt;script>hit()&lt;/script>",
    "end-in-a-string": "rect { font-family: '&lt;/style>&lt;img src=x onerror=hit()>' }",
    "end-in-a-selector": "rect[id='&lt;/style>&lt;img src=x onerror=hit()>'] { fill: red }",
    "comment": f"/*&lt;/style>&lt;script>hit()&lt;/script>*/ &lt;!-- rect {{ fill: url({AWAY}) }} -->",
}
HTML = 'xmlns="http://www.w3.org/1999/xhtml"'
BODIES = {
    "script": f"<script>{HIT}</script>",
    "script-typed": f'<script type="application/ecmascript">{HIT}</script>',
    "script-in-cdata": f"<script><![CDATA[{HIT}]]></script>",
    "script-href": f'<script href="{AWAY}"/>',
    "script-xlink": f'<script xlink:href="{AWAY}"/>',
    "script-data": f'<script href="data:text/javascript,{HIT}"/>',
    "script-prefixed": f'<s:script xmlns:s="{SVG}">{HIT}</s:script>',
    "script-of-html": f"<h:script xmlns:h='http://www.w3.org/1999/xhtml'>{HIT}</h:script>",
    "script-in-defs": f"<defs><g><script>{HIT}</script></g></defs>",
    "script-in-a-symbol": f'<symbol id="a"><script>{HIT}</script></symbol><use href="#a"/>',
    "script-in-a-title": f"<title><script>{HIT}</script></title>",
    "script-in-a-desc": f"<desc><h:img {HTML.replace('xmlns', 'xmlns:h')} src='x' onerror='{HIT}'/></desc>",
    "script-in-a-style": f"<style>a{{}}<script>{HIT}</script></style>",
    "text-in-a-title": f"<title>&lt;img src=x onerror={HIT}></title>",
    "text-in-a-desc": f"<desc><![CDATA[</desc><script>{HIT}</script>]]></desc>",
    "text-in-a-text": f"<text>&lt;script>{HIT}&lt;/script></text>",
    "foreign-object": f"<foreignObject width='9' height='9'><body {HTML}><img src='x' onerror='{HIT}'/></body></foreignObject>",  # noqa: E501 - one to a line
    "foreign-frame": f"<foreignObject width='9' height='9'><iframe {HTML} src='javascript:{HIT}'/></foreignObject>",
    "foreign-form": f"<foreignObject><form {HTML} action='{AWAY}'><input autofocus='' onfocus='{HIT}'/></form></foreignObject>",  # noqa: E501 - one to a line
    "foreign-meta": f"<foreignObject><meta {HTML} http-equiv='refresh' content='0;url={AWAY}'/></foreignObject>",
    "html-image": f"<img {HTML} src='{AWAY}' onerror='{HIT}'/>",
    "html-link": f"<link {HTML} rel='stylesheet' href='{AWAY}'/>",
    "html-base": f"<base {HTML} href='{AWAY}'/>",
    "html-object": f"<object {HTML} data='{AWAY}'/>",
    "html-video": f"<video {HTML} src='{AWAY}' onerror='{HIT}' autoplay=''/>",
    "iframe": f"<iframe src='javascript:{HIT}'/>",
    "audio": f"<audio href='{AWAY}' onerror='{HIT}'/>",
    "video-of-tiny": f"<video xlink:href='{AWAY}'/>",
    "handler": f"<handler xmlns:ev='http://www.w3.org/2001/xml-events' ev:event='load'>{HIT}</handler>",
    "listener": f"<listener event='load' handler='#a' observer='b'/><handler id='a'>{HIT}</handler>",
    "events-attribute": f"<rect xmlns:ev='http://www.w3.org/2001/xml-events' ev:event='load' ev:handler='javascript:{HIT}'/>",  # noqa: E501 - one to a line
    "animate-event": f"<rect><animate onbegin='{HIT}' attributeName='x' dur='1s'/></rect>",
    "animate-href": f"<a id='a'><animate attributeName='href' values='javascript:{HIT}'/><rect width='9' height='9'/></a>",  # noqa: E501 - one to a line
    "animate-xlink": f"<a><animate attributeName='xlink:href' begin='0s' from='javascript:{HIT}' to='#'/><rect/></a>",
    "animate-elsewhere": f"<a id='a'><rect/></a><animate href='#a' attributeName='href' to='javascript:{HIT}'/>",
    "animate-image": f"<image width='9' height='9'><animate attributeName='href' values='{AWAY}'/></image>",
    "animate-motion": f"<rect><animateMotion onbegin='{HIT}' path='M0 0 9 9' dur='1s'/></rect>",
    "animate-transform": f"<rect><animateTransform onbegin='{HIT}' attributeName='transform' dur='1s'/></rect>",
    "animate-handler": f"<rect><animate attributeName='onclick' values='{HIT}'/></rect>",
    "set-handler": f"<rect><set attributeName='onmouseover' to='{HIT}'/></rect>",
    "set-href": f"<a><set attributeName='href' to='javascript:{HIT}'/><rect width='9' height='9'/></a>",
    "set-event": f"<set onbegin='{HIT}' attributeName='x' to='1'/>",
    "discard": f"<discard onbegin='{HIT}' href='#a'/>",
    "use-of-data": f"<use href='data:image/svg+xml;base64,{SVG_DATA}#a'/>",
    "image-of-svg": f"<image width='9' height='9' href='data:image/svg+xml;base64,{SVG_DATA}'/>",
    "image-of-svg-told-as-png": f"<image width='9' height='9' href='data:image/png;base64,{SVG_DATA}'/>",
    "image-filter": f"<filter id='f'><feImage href='{AWAY}'/></filter><rect width='9' height='9' filter='url(#f)'/>",
    "base": f"<g xml:base='{AWAY}'><use href='#a'/></g>",
    "base-script": f"<g xml:base='javascript:{HIT}//'><a href='#a'><rect width='9' height='9'/></a></g>",
    "cursor": f"<cursor id='c' xlink:href='{AWAY}'/><rect cursor='url({AWAY})' width='9' height='9'/>",
    "colour-profile": f"<color-profile name='a' xlink:href='{AWAY}'/>",
    "font": f"<font-face font-family='a'><font-face-src><font-face-uri xlink:href='{AWAY}'/></font-face-src></font-face>",  # noqa: E501 - one to a line
    "font-that-ends-svg": f"<font color='red'><img src='x' onerror='{HIT}'/></font>",
    "tref": f"<text><tref xlink:href='{AWAY}'/></text>",
    "view": "<view id='v' viewTarget='a'/>",
    "link-target": f"<a href='javascript:{HIT}' target='_top' ping='{AWAY}'><rect width='9' height='9'/></a>",
    "mathml": f"<math xmlns='http://www.w3.org/1998/Math/MathML' href='javascript:{HIT}'><mtext><img src='x'/></mtext></math>",  # noqa: E501 - one to a line
    "xinclude": f"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{AWAY}'/>",
    "xslt": f"<xsl:stylesheet xmlns:xsl='http://www.w3.org/1999/XSL/Transform' version='1.0'><script>{HIT}</script></xsl:stylesheet>",  # noqa: E501 - one to a line
    "sneaked-by-case": f"<SCRIPT>{HIT}</SCRIPT><ForeignObject><a/></ForeignObject>",
    "style-in-a-title": f"<title><style>@import '{AWAY}';</style></title>",
    "style-typed": f"<style type='text/xsl'>@import '{AWAY}';</style>",
    "style-media": f"<style media='print'>@import '{AWAY}';</style>",
    "template": f"<template><script>{HIT}</script></template>",
    "noscript": f"<noscript><p title='&lt;/noscript>&lt;img src=x onerror={HIT}>'/></noscript>",
    "comment": f"<!--><img src=x onerror={HIT}>--><text>a</text>",
    "instruction": f"<?xml-stylesheet href='{AWAY}'?><?php {HIT} ?><rect/>",
    "cdata": f"<text><![CDATA[]]&gt;<script>{HIT}</script>]]></text>",
    "id": f"<rect id='\"&gt;&lt;img src=x onerror={HIT}&gt;'/>",
    "class": f"<rect class='\"&gt;&lt;img src=x onerror={HIT}&gt;'/>",
    "label": f"<rect aria-label='&lt;img src=x onerror={HIT}&gt;'/>",
    "path": f"<path d='M0 0\"&gt;&lt;script&gt;{HIT}&lt;/script&gt;'/>",
    "font-family": f"<text font-family='&lt;/text&gt;&lt;script&gt;{HIT}&lt;/script&gt;'>a</text>",
}


def hostile() -> dict[str, bytes]:
    """Return hostile drawings by their names."""
    found = {name: drawing(body) for name, body in BODIES.items()}
    found |= {f"event-{event}": drawing(root=f'viewBox="0 0 9 9" {event}="{HIT}"') for event in EVENTS.split()}
    for number, address in enumerate(SCRIPTS):
        found[f"link-{number}"] = drawing(f'<a href="{address}"><rect width="9" height="9"/></a>')
        found[f"xlink-{number}"] = drawing(f'<a xlink:href="{address}"><rect width="9" height="9"/></a>')
        found[f"use-script-{number}"] = drawing(f'<use href="{address}"/>')
    for number, address in enumerate(ADDRESSES):
        for tag in ("use", "image", "textPath", "linearGradient", "feImage"):
            found[f"{tag}-{number}"] = drawing(f'<{tag} href="{address}" width="9" height="9"/>')
        found[f"image-xlink-{number}"] = drawing(f'<image xlink:href="{address}" width="9" height="9"/>')
    for number, value in enumerate(VALUES):
        for name in ("fill", "filter", "mask", "clip-path", "marker-start"):
            found[f"{name}-{number}"] = drawing(f'<path d="M0 0 9 9 0 9" {name}="{value}"/>')
        found[f"style-{number}"] = drawing(f'<rect width="9" height="9" style="fill: {value}; background: {value}"/>')
        found[f"sheet-{number}"] = drawing(f'<style>rect {{ fill: {value} }}</style><rect width="9" height="9"/>')
    for name, sheet in SHEETS.items():
        found[f"sheet-{name}"] = drawing(f'<style>{sheet}</style><rect id="r" width="9" height="9"/><text>a</text>')
    found["stylesheet"] = f'<?xml-stylesheet type="text/css" href="{AWAY}"?>'.encode() + drawing()
    found["stylesheet-xsl"] = f'<?xml-stylesheet type="text/xsl" href="{AWAY}"?>'.encode() + drawing()
    found["doctype"] = b"<!DOCTYPE svg>" + drawing()
    found["entity"] = f"<!DOCTYPE svg [<!ENTITY a '<script>{HIT}</script>'>]>".encode() + drawing("&a;")
    found["entity-away"] = f"<!DOCTYPE svg SYSTEM '{AWAY}'>".encode() + drawing("&a;")
    found["attribute-by-default"] = f"<!DOCTYPE svg [<!ATTLIST svg onload CDATA '{HIT}'>]>".encode() + drawing()
    found["utf-7"] = b'<?xml version="1.0" encoding="UTF-7"?>' + drawing("+ADw-script+AD4-hit()+ADw-/script+AD4-")
    found["utf-16"] = drawing(BODIES["script"]).decode().encode("utf-16")
    found["latin-1"] = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + drawing("<text>?</text>").replace(
        b"?", b"\xbcscript\xbe"
    )
    return found


def bomb(levels: int = 12, each: int = 10) -> bytes:
    """Return a drawing of few elements, each of which is drawn many times by the next one."""
    body = '<defs><rect id="a0" width="1" height="1"/>'
    for level in range(1, levels):
        body += f'<g id="a{level}">' + f'<use href="#a{level - 1}"/>' * each + "</g>"
    return drawing(f'{body}</defs><use href="#a{levels - 1}"/>')


def nested(depth: int) -> bytes:
    return drawing("<g>" * (depth - 1) + "</g>" * (depth - 1))


TOO_LARGE: dict[str, Callable[[], bytes]] = {
    "bytes": lambda: drawing(f"<desc>{'x' * 11_000_000}</desc>"),
    "elements": lambda: drawing("<g/>" * 50_001),
    "depth": lambda: nested(101),
    "attribute": lambda: drawing(f'<path d="{"M0 0" * 300_000}"/>'),
    "attributes": lambda: drawing("<g " + " ".join(f"a{number}='1'" for number in range(201)) + "/>"),
    "styles": lambda: drawing(f"<style>{'rect{fill:red}' * 20_000}</style>"),
    "uses": bomb,
}
