"""GETs a text from elsewhere within one deadline: of bounded size, and never from an internal address unallowed."""

import http.client
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from monitoring.alerts.channels import addresses
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import UnansweredError, UnusableError
from monitoring.alerts.channels.http import AGENT, PORTS, tls_context

MOST_STEPS = 4  # the address itself, and where it points to
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_OK = 200


def get(url: str, deadline: Deadline, most_bytes: int, may_reach: Callable[[Any], bool]) -> bytes:
    """The body that `url` answers with; raises UnansweredError, and UnusableError where trying again changes nothing.

    Of the address only its host is ever said: the rest may be a secret.
    """
    for _ in range(MOST_STEPS):
        parts = _parts(url)
        reading = _Reading(parts, deadline, may_reach)
        with deadline.ending(reading.current):
            found = reading.read(most_bytes)
        if isinstance(found, bytes):
            return found
        url = urljoin(url, found)
    raise UnusableError(f"{parts.hostname} points on and on to other addresses. Configure the final one.")


class _Reading:
    """One request; `read` gives the body, or the address to which the answer points."""

    def __init__(self, parts: SplitResult, deadline: Deadline, may_reach: Callable[[Any], bool]) -> None:
        self._parts, self._deadline, self._may_reach = parts, deadline, may_reach
        self.host, self.port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self.socket: socket.socket | None = None

    def current(self) -> socket.socket | None:
        return self.socket

    def read(self, most_bytes: int) -> bytes | str:
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.default_port = PORTS[self._parts.scheme]  # the header Host leaves it out
        try:
            self.socket = connection.sock = self._connected()
            path = (self._parts.path or "/") + (f"?{self._parts.query}" if self._parts.query else "")
            connection.request("GET", path, headers={"User-Agent": AGENT, "Accept": "text/calendar, */*;q=0.5"})
            return self._answer(connection.getresponse(), most_bytes)
        except (OSError, http.client.HTTPException) as error:
            raise UnansweredError(self._why(error)) from error
        finally:
            connection.close()

    def _connected(self) -> socket.socket:
        plain = addresses.connect(self.host, self.port, self._deadline, self._may_reach)
        plain.settimeout(self._deadline.left_s)
        if self._parts.scheme == "http":
            return plain
        try:
            return tls_context({}).wrap_socket(plain, server_hostname=self.host)
        except (OSError, ValueError):
            plain.close()
            raise

    def _answer(self, response: http.client.HTTPResponse, most_bytes: int) -> bytes | str:
        if response.status in _ELSEWHERE and response.getheader("Location"):
            return str(response.getheader("Location"))
        if response.status != _OK:
            raise UnansweredError(f"{self.host} answered {response.status} {response.reason}".rstrip()[:100] + ".")
        body = response.read(most_bytes + 1)
        if self._deadline.is_over or (response.length and len(body) <= most_bytes):
            raise UnansweredError(f"{self.host} did not send everything within {self._deadline.seconds:g} s.")
        if len(body) > most_bytes:
            raise UnusableError(f"{self.host} sent more than {most_bytes // 1024 // 1024} MB.")
        return body

    def _why(self, error: Exception) -> str:
        if self._deadline.is_over or isinstance(error, TimeoutError):
            return f"{self.host} gave no whole answer within {self._deadline.seconds:g} s."
        return f"{self.host} did not answer as HTTP has it ({type(error).__name__})."


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_good = parts.scheme in PORTS and bool(parts.hostname) and parts.port != 0
        is_good = is_good and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        is_good = False
    if not is_good:
        raise UnusableError("The address is no http:// or https:// URL. Mend the layer's ical.url.")
    return parts
