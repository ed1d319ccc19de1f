"""Tells one apprise address in a process of its own; reads what to say from stdin, prints one line of JSON.

An audit hook sees every connection just before it is made, also those that a redirect or a changed name leads to: an
internal address that is not allowed is refused there. Nothing of the product is imported here.
"""

import ipaddress
import json
import logging
import re
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# services that speak to this machine itself, past every socket that the hook sees
_LOCAL = frozenset({"blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"})
_STATUS = re.compile(r"error=(\d{3})\b")
_ASKS_FOR_AN_ADDRESS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_STARTS_A_PROGRAM = frozenset({"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"})


class Guard:
    """Refuses internal addresses but those on the list: host names, addresses, networks, and services without any."""

    def __init__(self, allow: Sequence[str]) -> None:
        self._names = [word for word in allow if not _network(word)]
        self._networks = [network for word in allow if (network := _network(word))]
        self.refused = ""

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _STARTS_A_PROGRAM:
            raise PermissionError("apprise may start no program")
        if event in _ASKS_FOR_AN_ADDRESS and not self.may_reach(arguments[1]):
            self.refused = self.refused or _shown(arguments[1])
            raise PermissionError("an internal address")

    def may_reach(self, address: Any) -> bool:
        if address is None:
            return True  # a datagram on a connected socket
        if not isinstance(address, tuple):
            return False  # a socket of this machine
        found = _ip(str(address[0]))
        return found is not None and (not _is_internal(found) or self._is_allowed(found))

    def _is_allowed(self, found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        if any(found in network for network in self._networks):
            return True
        return any(found in _addresses(name) for name in self._names)


class _Statuses(logging.Handler):
    """Keeps the HTTP status that a plugin logs, and nothing else of what it says: that may hold secrets."""

    def __init__(self) -> None:
        super().__init__()
        self.last: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if match := _STATUS.search(record.getMessage()):
            self.last = int(match[1])


def main() -> None:
    wishes = json.load(sys.stdin)
    signal.setitimer(signal.ITIMER_REAL, wishes["seconds"])  # nobody may be left to kill us
    import apprise
    from apprise.logger import logger

    statuses = _Statuses()
    logger.addHandler(statuses)
    logger.propagate = False
    service = apprise.Apprise.instantiate(wishes["url"], suppress_exceptions=True)
    answer = {"ok": False, "internal": "", "unknown": service is None, "status": None, "service": ""}
    scheme = wishes["url"].partition("://")[0].lower()
    if scheme in _LOCAL and scheme not in wishes["allow"]:
        answer["internal"] = scheme
    elif service is not None:
        service.redirects = False
        guard = Guard(wishes["allow"])
        sys.addaudithook(guard.hook)
        answer["ok"] = _told(service, wishes) and not guard.refused
        answer |= {"internal": guard.refused, "status": statuses.last, "service": str(service.service_name or "it")}
    print(json.dumps(answer))  # noqa: T201 our answer


def _told(service: Any, wishes: dict[str, Any]) -> bool:
    try:
        return bool(service.notify(body=wishes["body"], title=wishes["title"], notify_type=wishes["type"]))
    except Exception:  # noqa: BLE001 a hundred plugins raise what they like
        return False


def _network(word: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        return found.ipv4_mapped or found.sixtofour or _behind_nat64(found) or found
    return found


def _behind_nat64(found: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in _NAT64 else None


def _is_internal(found: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return not found.is_global or found.is_multicast


def _addresses(name: str) -> set[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        rows = socket.getaddrinfo(name, None)
    except (OSError, UnicodeError):
        return set()
    return {found for row in rows if (found := _ip(str(row[4][0])))}


def _shown(address: Any) -> str:
    return str(address[0]) if isinstance(address, tuple) else "A socket of this machine"


if __name__ == "__main__":
    main()
