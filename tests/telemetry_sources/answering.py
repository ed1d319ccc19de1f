"""A small HTTP server that gives the answers a test lays out, in order, and keeps what it was asked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

JSON = "application/json"
TEXT = "text/plain; version=0.0.4"


@dataclass(slots=True)
class Reply:
    """One answer; the last one of a list is repeated."""

    body: str
    code: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": JSON})


@dataclass(slots=True)
class Asked:
    """One request as the server saw it."""

    path: str
    headers: dict[str, str]
    form: dict[str, list[str]]


@dataclass(slots=True)
class Server:
    """The server's address and the requests so far."""

    address: str
    asked: list[Asked]


@contextmanager
def answering(*replies: Reply) -> Iterator[Server]:
    """Serve these replies on a free port of this machine."""
    left = list(replies)
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            self._answer(parse_qs(self.rfile.read(length).decode()))

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, form: dict[str, list[str]]) -> None:
            asked.append(Asked(self.path, dict(self.headers.items()), form))
            reply = left.pop(0) if len(left) > 1 else left[0]
            body = reply.body.encode()
            self.send_response_only(reply.code)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests read `asked` instead."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
