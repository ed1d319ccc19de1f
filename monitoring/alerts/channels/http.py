"""POSTs with one deadline for name, connection, TLS, request and answer; follows no redirects."""

import base64
import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from monitoring.alerts.channels import addresses
from monitoring.alerts.channels.apprise_process import Guard
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import UnansweredError, UnusableError
from monitoring.alerts.channels.verdicts import Outcome, of_status, retry_after_s

AGENT = "Fleetledger"
READ_BYTES = 2048  # of an answer's body, for people
BODY_SECONDS = 1.0
SHOWN = 200
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by lower-case name; `body`: the beginning of it."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: str

    @property
    def line(self) -> str:
        """For people: what the server said, on one line."""
        said = " ".join(f"{self.status} {self.reason} {self.body}".split())
        return said[:SHOWN]

    def outcome(self) -> Outcome:
        """How it is read where the status is all that counts."""
        line = self.line
        if 300 <= self.status < 400:  # noqa: PLR2004 the class of HTTP's answers
            line = f"{self.status}: it points to another address, which is not followed. Configure the final one."
        return Outcome(of_status(self.status), self.status, line, retry_after_s(self.headers))


class Line:
    """One connection to one server, kept for the next request where the server keeps it too.

    With `allow` in `config` no internal address is reached but those on that list.
    """

    def __init__(self, parts: SplitResult, config: Mapping[str, Any], deadline: Deadline) -> None:
        self._host, self._port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._own_headers = _credentials(parts)
        self._deadline = deadline
        self._context = tls_context(config) if parts.scheme == "https" else None
        self._may_reach = Guard(config["allow"]).may_reach if "allow" in config else None
        self._connection = http.client.HTTPConnection(self._host, self._port)
        self._connection.default_port = PORTS[parts.scheme]  # the header Host leaves it out
        self.socket: socket | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The server's answer; raises UnansweredError."""
        try:
            if self._connection.sock is None:
                self.socket = self._connection.sock = self._connect()
            self._connection.sock.settimeout(self._deadline.left_s)
            self._connection.request(
                "POST", self._path, body=body, headers={"User-Agent": AGENT, **self._own_headers, **headers}
            )
            return self._read(self._connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            raise UnansweredError(self._why(error)) from error

    def close(self) -> None:
        self._connection.close()
        if self.socket is not None:
            self.socket.close()

    def _connect(self) -> socket:
        plain = addresses.connect(self._host, self._port, self._deadline, self._may_reach)
        if self._context is None:
            return plain
        plain.settimeout(self._deadline.left_s)
        try:
            return self._context.wrap_socket(plain, server_hostname=self._host)
        except (OSError, ValueError):
            plain.close()
            raise

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        """The answer; its status is the verdict, so that a body which never ends takes no time from us."""
        headers = {name.lower(): value for name, value in response.getheaders()}
        if self.socket is not None:
            self.socket.settimeout(min(BODY_SECONDS, self._deadline.left_s))
        try:
            body = response.read1(READ_BYTES)
        except (OSError, ValueError, http.client.HTTPException):
            body = b""
        if response.length == 0:
            response.close()
        elif not response.isclosed():
            self._connection.close()  # there is more: the next request takes a fresh connection
        return Answer(response.status, response.reason, headers, body.decode(errors="replace"))

    def _why(self, error: Exception) -> str:
        where = f"{self._host}:{self._port}"
        if self._deadline.is_over or isinstance(error, TimeoutError):
            return f"{where} gave no answer within {self._deadline.seconds:g} s."
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"The certificate of {where} is not trusted ({error.verify_message})."
        if isinstance(error, http.client.RemoteDisconnected | ConnectionError):
            return f"{where} closed the connection without an answer."
        return f"{where} did not answer as HTTP has it ({type(error).__name__})."


def post(
    url: str, body: bytes, headers: Mapping[str, str], deadline: Deadline, config: Mapping[str, Any] | None = None
) -> Answer:
    """The answer to one POST; raises UnansweredError, and UnusableError for an address that is none."""
    with line(url, deadline, config or {}) as opened:
        return opened.post(body, headers)


@contextmanager
def line(url: str, deadline: Deadline, config: Mapping[str, Any]) -> Iterator[Line]:
    """A connection for one or more POSTs to one address; shut when the deadline comes."""
    opened = Line(_parts(url), config, deadline)
    with deadline.ending(lambda: opened.socket):
        try:
            yield opened
        finally:
            opened.close()


def tls_context(config: Mapping[str, Any]) -> ssl.SSLContext:
    """Trusts the system's authorities, or those of `ca_file`; `insecure_skip_verify` trusts everybody."""
    try:
        context = ssl.create_default_context(cafile=config.get("ca_file") or None)
    except OSError as error:
        raise UnusableError(
            f"The file of certificates cannot be read ({error.strerror or 'no certificates'})."
        ) from error
    if config.get("insecure_skip_verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _parts(url: str) -> SplitResult:
    """The address in parts; what is wrong with it is said without it, since it may be the secret."""
    try:
        parts = urlsplit(url)
        is_good = (
            parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0 and url.isascii() and " " not in url
        )
    except ValueError:
        is_good = False
    if not is_good:
        raise UnusableError("The address is no http:// or https:// URL. Mend the receiver's url.")
    return parts


def _credentials(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
