"""Asks the web part for a page, sure that it is ours that answers."""

import http.client
from contextlib import closing
from urllib.parse import urlsplit

HOPS = 4
PAGE_TIMEOUT_S = 30.0
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 we connect, we do not bind
BAD = 400


def is_ours(host: str, port: int, instance: str) -> bool:
    """Whether the server on this address is the one that we gave this word to; another one may hold the port."""
    try:
        _, headers, body = _get(host, port, "/healthz", 2.0)
    except (OSError, http.client.HTTPException):
        return False
    return instance in body or any(instance in value for value in headers.values())


def serves_a_page(host: str, port: int) -> bool:
    """Whether the front page comes, by way of the sign-in page where nobody is signed in."""
    path = "/"
    try:
        for _ in range(HOPS):
            status, headers, _ = _get(host, port, path, PAGE_TIMEOUT_S)
            target = headers.get("location")
            if target is None:
                return status < BAD
            parts = urlsplit(target)
            path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    except (OSError, http.client.HTTPException):
        return False
    return False


def _get(host: str, port: int, path: str, timeout_s: float) -> tuple[int, dict[str, str], str]:
    with closing(http.client.HTTPConnection(WILDCARDS.get(host, host), port, timeout=timeout_s)) as connection:
        connection.request("GET", path, headers={"Host": f"localhost:{port}", "Accept": "text/html,*/*"})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode(errors="replace")
