"""The running server and the way to it: what a proxy makes of requests, told by the server that they arrive at."""

import json
from typing import Any
from urllib.parse import quote

from django.conf import settings

from folio import __version__
from folio.api.addresses import parse
from folio.api.middleware import ENVELOPE
from folio.server.echo import PATH
from folio.server.health import FINE, READY

from .findings import Finding, Findings, fault, ms, note, ok, size, warning
from .reached import ACTED_UPON, CLAIMED, MARK, Answer, NotReached, Reached

CERTIFICATE_DAYS = 14
NGINX = "deploy/nginx.conf has it"
METHODS = ("POST", "PUT", "PATCH", "DELETE")
QUERY = f"?search={quote('a+b & c/ü')}&empty="
SLOW = 1.0  # seconds of an answer that asks for nothing


# The server


def look_at_server(reached: Reached) -> Findings:
    try:
        answer = reached.ask(READY)
    except NotReached as error:
        yield from not_running(reached, str(error))
        return
    yield from ready(reached, answer)
    try:
        told = reached.echo().told
    except NotReached:
        told = None
    if told is not None:
        reached.found["echo"] = told
        yield ok(f"Process {told['process']} of it answers with {told['threads'] or 'an unknown number of'} threads.")


def not_running(reached: Reached, why: str) -> Findings:
    if reached.is_public:
        yield fault(
            f"No server answers at {reached.url}: {why}.",
            "Start `folio serve`, and see that the name of FOLIO_PUBLIC_URL leads to its proxy.",
        )
    else:
        yield note(f"No server answers at {reached.url}: {why}. Name yours by FOLIO_PUBLIC_URL, or by --url.")


def ready(reached: Reached, answer: Answer) -> Findings:
    """Tell what `/readyz` says; a proxy may keep it to itself, or answer something else."""
    try:
        document = json.loads(answer.body)
        version, parts = document["version"], dict(document["parts"])
    except (ValueError, KeyError, TypeError):
        yield warning(
            f"{reached.url}{READY} answers {answer.status}, and not as Folio does: it does not pass the proxy, or "
            "something else serves there.",
            "Have the proxy pass /readyz, where whatever distributes requests or watches the server asks by it.",
        )
        return
    if version == __version__:
        yield ok(f"Folio {version} runs at {reached.url}, and answers in {ms(answer.seconds)}.")
    else:
        yield warning(
            f"Folio {version} runs at {reached.url}, and this is Folio {__version__}.",
            "Restart the server where it was updated; else run its own `folio doctor`.",
        )
    bad = {name: word for name, word in parts.items() if word not in FINE}
    for name, word in bad.items():
        yield fault(f"It is not ready: {name} is {word!r}.", "docs/guides/running.md#health says what to do.")
    if "differ" in (word := str(parts.get("peers", ""))):
        yield warning(
            f"It tells of another server: {word}.", "docs/guides/running.md#servers-that-differ has the mend."
        )
    if not bad:
        yield ok("It is ready, as /readyz says.")


# The proxy


def look(reached: Reached) -> Findings:
    if not reached.is_public:
        yield note("FOLIO_PUBLIC_URL is not set: it is not known which way clients come.")
    try:
        answer = reached.echo(query=QUERY)
    except NotReached as error:
        if reached.is_public:
            yield fault(f"Nothing could be asked through {reached.url}: {error}.", "Mend that first.")
        else:
            yield note("Nothing answers, so no proxy was looked at.")
        return
    yield from certificate(reached)
    told = answer.told
    if told is None:
        yield stranger(reached, answer)
        return
    yield from arrived(reached, answer, told)
    yield from caching(reached, answer)
    yield from methods(reached)
    yield from body(reached, is_direct(told))


def certificate(reached: Reached) -> Findings:
    days = reached.certificate_days()
    if days is not None and days < CERTIFICATE_DAYS:
        yield warning(f"The certificate ends in {days:.0f} days.", "Renew it, and see why that does not go by itself.")
    elif days is not None:
        yield ok(f"The certificate is good for {days:.0f} more days.")


def stranger(reached: Reached, answer: Answer) -> Finding:
    """Return what an answer that is not our server's may mean."""
    url, status = f"{reached.url}{PATH}", answer.status
    if status in {502, 503, 504}:
        return fault(
            f"{url} answers {status}: the proxy does not reach a server, or that has its hands full.",
            "Start `folio serve`, and compare the address in the proxy's configuration with where it listens.",
        )
    if 300 <= status < 400:
        return fault(
            f"{url} leads elsewhere: {answer.headers.get('location', '')[:200]}.",
            "Set FOLIO_PUBLIC_URL to the address at which clients arrive.",
        )
    if status in {401, 403} and b"detail" not in answer.body:
        return fault(f"{url} answers {status}: something before Folio keeps it.", "Let what is below /api/ pass.")
    if status in {400, 404} and b"detail" in answer.body:
        return fault(
            "The server there has another secret key than this environment, its clock is more than a minute off, or "
            "the proxy takes the header X-Folio-Doctor away. The way to it was not looked at.",
            "Run `folio doctor` with the server's own environment, such as its EnvironmentFile.",
        )
    return fault(
        f"{url} answers {status}, and not as Folio does.",
        "See that the proxy passes everything below FOLIO_PUBLIC_URL to Folio, and takes off its path.",
    )


def is_direct(told: dict[str, Any]) -> bool:
    """Tell whether nobody is on the way: whoever is sets `Connection` anew."""
    return MARK in told["connection"].lower()


def arrived(reached: Reached, answer: Answer, told: dict[str, Any]) -> Findings:
    if answer.seconds > SLOW:
        yield note(f"An answer that asks for nothing took {ms(answer.seconds)}: see what the server is at.")
    yield host(told)
    if told["path"] != PATH:
        yield fault(
            f"{PATH} arrives as {told['path']}.",
            "Have the proxy take the path of FOLIO_PUBLIC_URL off, and nothing else.",
        )
    if told["query"] != QUERY[1:]:
        yield fault(f"The query {QUERY} arrives as ?{told['query']}.", "Have the proxy pass it as it came.")
    if is_direct(told):
        yield no_proxy(reached)
    else:
        yield address(told)
        yield scheme(told)
        if told["protocol"] in {"HTTP/1.0", "HTTP/1"}:
            yield warning(
                "The proxy speaks HTTP/1.0 with Folio, which knows no bodies of undeclared length.",
                f"nginx: proxy_http_version 1.1; ({NGINX}).",
            )
    missing = missing_of(reached, told)
    if "Authorization" in missing:
        yield fault("Authorization does not arrive: no key works.", "Have the proxy pass that header.")
    if others := [name for name in missing if name != "Authorization"]:
        yield warning(
            f"{', '.join(others)} {'does' if len(others) == 1 else 'do'} not arrive as sent.",
            "Have the proxy pass headers as they come; docs/reference/conditions.md says what they are for.",
        )
    if not missing:
        yield ok("Authorization, cookies, conditions, Range and Idempotency-Key arrive as they are sent.")


def missing_of(reached: Reached, told: dict[str, Any]) -> list[str]:
    """Return the headers that do not arrive, by a request that no cache acts upon; by the first where none passes."""
    changing = reached.echo("PUT").told
    return changing["missing"] if changing else [name for name in told["missing"] if name not in ACTED_UPON]


def host(told: dict[str, Any]) -> Finding:
    if told["host_is_allowed"]:
        return ok(f"Host arrives as {told['host']}, which is allowed.")
    return fault(
        f"Host arrives as {told['host']}, which is not allowed: every request is answered with 400.",
        f"nginx: proxy_set_header Host $host; ({NGINX}). Elsewhere, have the proxy pass the client's Host.",
    )


def no_proxy(reached: Reached) -> Finding:
    if (reached.parts.hostname or "") in {"localhost", "::1"} or (reached.parts.hostname or "").startswith("127."):
        return note("No proxy is on the way: requests come to Folio itself, on this machine.")
    return warning(
        "No proxy is on the way: whoever sends slowly takes threads of Folio's own server.",
        "Put one in front, as docs/guides/running.md#behind-nginx says.",
    )


def address(told: dict[str, Any]) -> Finding:
    """Return whether Folio knows its clients' addresses, of which it counts requests and failed sign-ins."""
    forwarded, client, peer = told["forwarded_for"], told["client"], told["peer"] or "unix"
    if client == CLAIMED:
        return fault(
            "The proxy passes on what a client says of its own address: whoever guesses passwords takes a new one for "
            "each attempt.",
            f"nginx: proxy_set_header X-Forwarded-For $remote_addr; ({NGINX}).",
        )
    if forwarded in {"", CLAIMED}:
        return fault(
            "X-Forwarded-For does not arrive: all clients look like one, and share what one address may.",
            f"nginx: proxy_set_header X-Forwarded-For $remote_addr; ({NGINX}).",
        )
    if not client or (peer != "unix" and parse(client) == parse(peer)):
        return fault(
            f"X-Forwarded-For arrives and is not believed, as it comes from {peer}: all clients look like one.",
            f"Put {peer} into FOLIO_TRUSTED_PROXIES, and restart the server. Where {peer} is already there, the "
            "proxy before it has to be named too.",
        )
    return ok(f"X-Forwarded-For arrives from {peer}: Folio takes this client for {client}.")


def scheme(told: dict[str, Any]) -> Finding:
    """Return whether the proxy says that clients come as FOLIO_PUBLIC_URL says, which is what Folio goes by."""
    given, meant = told["forwarded_proto"].split(",")[0].strip(), settings.PUBLIC_URL.partition("://")[0]
    if not given or not meant:
        return ok("How clients come, FOLIO_PUBLIC_URL says; X-Forwarded-Proto is not needed.")
    if given != meant:
        return warning(
            f"X-Forwarded-Proto says that clients come by {given}, FOLIO_PUBLIC_URL says {meant}.",
            "Set FOLIO_PUBLIC_URL to the address at which clients arrive, or have the proxy speak TLS.",
        )
    return ok(f"Clients come by {given}, as FOLIO_PUBLIC_URL says.")


def caching(reached: Reached, first: Answer) -> Findings:
    """Tell whether somebody on the way keeps what is nobody else's."""
    second = reached.echo(query=QUERY)
    told = second.told
    if told is not None and told["nonce"] != second.nonce:
        yield fault(
            "An answer is kept on the way that says Cache-Control: no-store: one reader may get another's.",
            "Have the proxy or CDN keep what Cache-Control allows, and nothing else.",
        )
    elif first.headers.get("cache-control") != "no-store":
        yield warning(
            f"Cache-Control: no-store becomes {first.headers.get('cache-control', 'nothing')!r} on the way.",
            "Have the proxy leave Cache-Control alone (nginx: no `expires` and no `add_header Cache-Control`).",
        )
    else:
        yield ok("Nothing is kept on the way that must not be.")


def methods(reached: Reached) -> Findings:
    refused = []
    for method in METHODS:
        answer = reached.echo(method)
        if answer.told is None or answer.told["method"] != method:
            refused.append(f"{method} ({answer.status})")
    if refused:
        yield fault(f"{', '.join(refused)} does not get to Folio.", "Have the proxy let all methods pass.")
    else:
        yield ok(f"{', '.join(METHODS)} get to Folio.")


def body(reached: Reached, is_direct: bool) -> Findings:
    """Tell whether the largest upload may pass, by announcing one: none of its bytes is sent."""
    most = settings.MAX_UPLOAD_SIZE + ENVELOPE
    answer, is_asked_for = reached.offer(most)
    if answer is not None and answer.told is None:
        taken = largest(reached, most)
        yield fault(
            f"An upload of FOLIO_MAX_UPLOAD_SIZE ({size(settings.MAX_UPLOAD_SIZE)}) is answered {answer.status} on the "
            f"way; what passes is about {size(taken)}.",
            f"nginx: client_max_body_size {-(-most // 1024**2)}m; ({NGINX}).",
        )
        return
    yield ok(
        f"An upload of FOLIO_MAX_UPLOAD_SIZE ({size(settings.MAX_UPLOAD_SIZE)}) may pass, as far as its head tells."
    )
    if answer is not None and not is_direct:
        yield warning(
            "Folio hears of an upload before its body is there: who sends slowly holds its threads.",
            f"nginx: proxy_request_buffering on; ({NGINX}).",
        )
    elif is_asked_for and not is_direct:
        yield ok("The proxy takes a body in before Folio hears of it.")


def largest(reached: Reached, refused: int) -> int:
    """Return about how many bytes pass."""
    passes = 0
    while refused - passes > max(64 * 1024, passes // 20):
        middle = (passes + refused) // 2
        answer, _ = reached.offer(middle)
        if answer is not None and answer.told is None:
            refused = middle
        else:
            passes = middle
    return passes
