"""Looks at ports before anything is started on them."""

import errno
import socket
from pathlib import Path

from fleetledger.embedded.errors import AddressUnusableError, PortInUseError


def require_free(host: str, port: int) -> None:
    """Refuse a taken port now: granian shares its port with whoever else does so, in silence."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from error
        raise AddressUnusableError(host, port, error.strerror or str(error)) from error


def remembered(noted: Path, usual: int) -> int:
    """A free port of this machine: the noted one, else the usual one, else any, which is noted for the next time."""
    wanted = int(noted.read_text(encoding="ascii")) if noted.exists() else usual
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", wanted))
        except OSError:
            attempt.bind(("127.0.0.1", 0))
        port = int(attempt.getsockname()[1])
    noted.write_text(str(port), encoding="ascii")
    return port
