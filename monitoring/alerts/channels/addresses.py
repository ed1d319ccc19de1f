"""Makes connections by name within a deadline."""

import queue
import socket
import threading
from collections.abc import Callable
from typing import Any

from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import UnansweredError, UnusableError

Address = tuple[socket.AddressFamily, Any]


def connect(host: str, port: int, deadline: Deadline, may_reach: Callable[[Any], bool] | None = None) -> socket.socket:
    """A connection to the first of the host's addresses that takes one; raises UnansweredError.

    With `may_reach` no address that it refuses is tried; UnusableError where one is among the host's.
    """
    failure = "it has no address"
    for family, address in resolve(host, port, deadline):
        if may_reach is not None and not may_reach(address):
            raise UnusableError(f"{host} has the internal address {address[0]}. FLEETLEDGER_NOTIFY_ALLOW may allow it.")
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.settimeout(deadline.left_s)
            made.connect(address)
        except TimeoutError as error:
            made.close()
            raise UnansweredError(f"{host}:{port} took no connection within {deadline.seconds:g} s.") from error
        except OSError as error:
            made.close()
            failure = error.strerror or type(error).__name__
        else:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made
    raise UnansweredError(f"{host}:{port} took no connection ({failure}).")


def resolve(host: str, port: int, deadline: Deadline) -> list[Address]:
    """The host's addresses; asked in a thread, since the C library's resolver has longer time limits of its own."""
    found: queue.SimpleQueue[list[Address] | OSError | UnicodeError] = queue.SimpleQueue()
    threading.Thread(target=_resolve, args=(host, port, found), name="resolve", daemon=True).start()
    try:
        answer = found.get(timeout=deadline.left_s)
    except queue.Empty:
        raise UnansweredError(f"The name {host} was not resolved within {deadline.seconds:g} s.") from None
    if isinstance(answer, OSError):
        raise UnansweredError(f"The name {host} cannot be resolved ({answer.strerror or answer}).") from answer
    if isinstance(answer, UnicodeError):
        raise UnansweredError(f"'{host}' is no host name.") from answer
    return answer


def _resolve(host: str, port: int, found: "queue.SimpleQueue[list[Address] | OSError | UnicodeError]") -> None:
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        found.put(error)
    else:
        found.put([(row[0], row[4]) for row in rows])
