"""Looks at addresses over the network: HTTP answers, TCP connections and TLS certificates."""

import http.client
import math
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import re2

from monitoring.alerts.channels.addresses import Address, resolve
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import UnansweredError
from monitoring.availability.slots import Seen
from monitoring.availability.sources.answers import Answer, AskError, Fact, Observation, Question, Sample
from monitoring.availability.states import State

AGENT = "Fleetledger"
BODY_BYTES = 65_536
WARN_DAYS = 21
PORTS = {"http": 80, "https": 443}
DAY_S = 86_400
_SHOWN = 120


class BadAnswerError(Exception):
    """What was asked is down; the text is one sentence that says how it shows."""


@dataclass(frozen=True, slots=True)
class HttpTerms:
    """`statuses` empty: any of 200 to 299. Redirects are not followed: 301 and so on are answers like others."""

    url: str
    method: str = "GET"
    statuses: tuple[int, ...] = ()
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    slow_after_s: float = math.inf
    ca_file: str = ""
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class TlsTerms:
    """`name`: whom the certificate must be for, where that is not the host."""

    host: str
    port: int = 443
    name: str = ""
    warn_days: int = WARN_DAYS
    ca_file: str = ""


Found = tuple[Seen, tuple[Fact, ...]]


def ask_http(terms: HttpTerms, question: Question) -> Answer:
    return _answer(question, lambda deadline: _http(terms, deadline))


def ask_tcp(host: str, port: int, question: Question) -> Answer:
    """Up where the port takes a connection."""

    def look(deadline: Deadline) -> Found:
        _connected(host, port, deadline).close()
        return Seen(State.UP), ()

    return _answer(question, look)


def ask_tls(terms: TlsTerms, question: Question) -> Answer:
    return _answer(question, lambda deadline: _tls(terms, deadline, question.now_us))


def _answer(question: Question, look: Callable[[Deadline], Found]) -> Answer:
    """One sample of what `look` finds at the instant that was due, with how long it took."""
    started = time.monotonic()
    try:
        seen, facts = look(Deadline(question.timeout_s))
    except BadAnswerError as error:
        seen, facts = Seen(State.DOWN, str(error)), ()
    took = Fact("answer_s", round(time.monotonic() - started, 4), unit="s")
    sample = Sample(question.at_us, seen)
    return Answer(
        (Observation({}, (sample,)),), (took, *facts), detail=seen.detail or f"It answered in {took.value} s."
    )


def _http(terms: HttpTerms, deadline: Deadline) -> Found:
    parts = urlsplit(terms.url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    started = time.monotonic()
    line = http.client.HTTPConnection(host, port)
    line.default_port = PORTS[parts.scheme]
    try:
        plain = _connected(host, port, deadline)
        line.sock = _secured(plain, host, _context(terms), deadline) if parts.scheme == "https" else plain
        with deadline.ending(lambda: line.sock):
            line.sock.settimeout(deadline.left_s)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            line.request(terms.method, path, headers={"User-Agent": AGENT, **terms.headers})
            response = line.getresponse()
            body = response.read(BODY_BYTES) if terms.body else b""
    except (OSError, http.client.HTTPException) as error:
        raise BadAnswerError(_no_answer(f"{host}:{port}", deadline, error)) from error
    finally:
        line.close()
    took = time.monotonic() - started
    return _judged(terms, response.status, body, took), ()


def _judged(terms: HttpTerms, status: int, body: bytes, took_s: float) -> Seen:
    is_wanted = status in terms.statuses if terms.statuses else 200 <= status < 300  # noqa: PLR2004 HTTP's class of good
    if not is_wanted:
        wanted = ", ".join(map(str, terms.statuses)) or "200 to 299"
        return Seen(State.DOWN, f"{terms.url} answers {status}, wanted {wanted}.")
    if terms.body and not re2.search(terms.body, body.decode(errors="replace")):
        return Seen(State.DOWN, f"{terms.url} answers {status}, but its text does not match '{terms.body[:_SHOWN]}'.")
    if took_s > terms.slow_after_s:
        return Seen(State.DEGRADED, f"{terms.url} took {took_s:.2f} s, more than {terms.slow_after_s:g} s.")
    return Seen(State.UP)


def _tls(terms: TlsTerms, deadline: Deadline, now_us: int) -> Found:
    where = f"{terms.host}:{terms.port}"
    try:
        context = ssl.create_default_context(cafile=terms.ca_file or None)
    except OSError as error:
        raise AskError(f"The file of certificates cannot be read ({error.strerror or 'no certificates'}).") from error
    plain = _connected(terms.host, terms.port, deadline)
    try:
        with _secured(plain, terms.name or terms.host, context, deadline) as line:
            until = str((line.getpeercert() or {}).get("notAfter", ""))
    except (OSError, ValueError) as error:
        raise BadAnswerError(_no_answer(where, deadline, error)) from error
    days = (ssl.cert_time_to_seconds(until) - now_us / 1_000_000) / DAY_S
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)
    fact = Fact("certificate_days_left", round(days, 2), unit="d")
    sentence = f"The certificate of {where} ends on {ends:%Y-%m-%d}, in {days:.1f} days."
    if days < 0:
        return Seen(State.DOWN, f"The certificate of {where} ended on {ends:%Y-%m-%d}."), (fact,)
    return (Seen(State.DEGRADED, sentence) if days < terms.warn_days else Seen(State.UP)), (fact,)


def _connected(host: str, port: int, deadline: Deadline) -> socket.socket:
    """A connection to the first address that takes one. Without an address nothing can be asked."""
    failure = "it has no address"
    for family, address in _addresses(host, port, deadline):
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.settimeout(deadline.left_s)
            made.connect(address)
        except OSError as error:
            made.close()
            if isinstance(error, TimeoutError):
                raise BadAnswerError(f"No answer from {host}:{port} within {deadline.seconds:g} s.") from error
            failure = (error.strerror or type(error).__name__).lower()
        else:
            return made
    raise BadAnswerError(f"{host}:{port} took no connection ({failure}).")


def _addresses(host: str, port: int, deadline: Deadline) -> list[Address]:
    try:
        return resolve(host, port, deadline)
    except UnansweredError as error:
        cause = error.__cause__
        if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME:
            raise BadAnswerError(f"The name {host} does not exist.") from error
        raise AskError(str(error)) from error


def _context(terms: HttpTerms) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=terms.ca_file or None)
    except OSError as error:
        raise AskError(f"The file of certificates cannot be read ({error.strerror or 'no certificates'}).") from error
    if terms.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _secured(plain: socket.socket, name: str, context: ssl.SSLContext, deadline: Deadline) -> ssl.SSLSocket:
    plain.settimeout(deadline.left_s)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except (OSError, ValueError):
        plain.close()
        raise


def _no_answer(where: str, deadline: Deadline, error: Exception) -> str:
    if deadline.is_over or isinstance(error, TimeoutError):
        return f"No answer from {where} within {deadline.seconds:g} s."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The certificate of {where} is not trusted ({error.verify_message})."
    if isinstance(error, ssl.SSLError):
        return f"{where} speaks no TLS that we know ({re.sub(r'[^ -~]', '', error.reason or 'no reason given')})."
    if isinstance(error, http.client.RemoteDisconnected | ConnectionError):
        return f"{where} closed the connection without an answer."
    return f"{where} did not answer as HTTP has it ({type(error).__name__})."


def terms_of_http(spec: Mapping[str, Any], headers: Mapping[str, str]) -> HttpTerms:
    """`headers` are the spec's, with their secrets in them."""
    status = spec.get("status", ())
    return HttpTerms(
        url=str(spec["url"]),
        method=str(spec.get("method", "GET")),
        statuses=tuple(status if isinstance(status, list) else [status] if status else ()),
        body=str(spec.get("body", "")),
        headers=headers,
        slow_after_s=float(spec.get("slow_after_s", math.inf)),
        ca_file=str(spec.get("ca_file", "")),
        insecure_skip_verify=bool(spec.get("insecure_skip_verify", False)),
    )
