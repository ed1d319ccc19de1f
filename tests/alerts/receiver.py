"""A small HTTP receiver that answers as a test lays out and keeps what it was told, for tests of delivery."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CLOSE, HANG = -1, -2  # in place of a status: record and close without an answer; record and say nothing


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `feed_s` waits so long before each byte of the head, `body_s` before each byte of the body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "ok"
    feed_s: float = 0.0
    body_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """One request as the receiver saw it."""

    path: str
    headers: dict[str, str]
    raw: bytes
    at: float = field(default_factory=time.time)

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")

    @property
    def document(self) -> Any:
        return json.loads(self.raw)


class Receiver(ThreadingHTTPServer):
    """Answers by `decide`, which is asked with each request; afterwards `told` holds all of them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, decide: Callable[[Told], Reply]) -> None:
        self.decide = decide
        self.told: list[Told] = []
        self.ending = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    @property
    def keys(self) -> list[str]:
        return [told.key for told in self.told]

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = Told(self.path, {name.lower(): value for name, value in self.headers.items()}, raw)
        reply = self.server.decide(told)
        self.server.told.append(told)
        if reply.status == HANG:
            self.server.ending.wait(30)
        if reply.status < 0:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)
            return
        self._answer(reply)

    do_GET = do_POST  # noqa: N815 http.server's name

    def _answer(self, reply: Reply) -> None:
        body = reply.body.encode()
        headers = {"Content-Length": str(len(body)), **reply.headers}
        head = f"HTTP/1.1 {reply.status} Word\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._feed(f"{head}\r\n".encode(), reply.feed_s)
        self._feed(body, reply.body_s)

    def _feed(self, data: bytes, pause_s: float) -> None:
        if not pause_s:
            self.wfile.write(data)
            return
        for byte in data:
            if self.server.ending.wait(pause_s):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, *_: object) -> None:
        """Tests read `told` instead."""


@contextmanager
def receiving(*replies: Reply, decide: Callable[[Told], Reply] | None = None) -> Iterator[Receiver]:
    """Serve these replies in order, the last one again and again; or what `decide` says."""
    left = list(replies) or [Reply()]
    server = Receiver(decide or (lambda _told: left.pop(0) if len(left) > 1 else left[0]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()
