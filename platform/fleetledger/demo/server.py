"""The simulated fleet over HTTP: Prometheus' API at / and at /<cluster>/, exporters at /exporter/<node>/metrics."""

import gzip
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore
from urllib.parse import parse_qs, urlsplit

from fleetledger.demo import exposition
from fleetledger.demo.inventory import Node
from fleetledger.demo.prometheus_api import Answer, Api
from fleetledger.demo.world import World

MOST_BODY_BYTES = 2_000_000
_AT_ONCE = 4
_QUIET_S = 30
_GZIP_FROM = 2_000
_JSON = "application/json"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class DemoServer(ThreadingHTTPServer):
    """Answers a few requests at a time; the others wait their turn, so that memory is bounded."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, host: str, port: int, *, world: World | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self.world = world or World()
        self.now = now
        self.turns = BoundedSemaphore(_AT_ONCE)
        everything = self.world.clusters
        self.apis = {cluster.name: Api(self.world, [cluster], now) for cluster in everything}
        self.apis[""] = Api(self.world, everything, now)
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo-world"
    timeout = _QUIET_S
    server: DemoServer

    def do_GET(self) -> None:
        self._respond("")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY_BYTES:
            self.close_connection = True
            self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TEXT, b"The body is too large.\n")
            return
        self._respond(self.rfile.read(int(length)).decode("utf-8", "replace"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
        """Say nothing: the product's own log tells of its pulls."""

    def _respond(self, form: str) -> None:
        url = urlsplit(self.path)
        params = parse_qs(url.query, keep_blank_values=True)
        for name, values in parse_qs(form, keep_blank_values=True).items():
            params.setdefault(name, []).extend(values)
        with self.server.turns:
            status, kind, body = self._answer([part for part in url.path.split("/") if part], params)
        self._send(status, kind, body)

    def _answer(self, parts: list[str], params: dict[str, list[str]]) -> tuple[HTTPStatus, str, bytes]:
        scope = parts.pop(0) if parts and parts[0] in self.server.apis else ""
        match parts:
            case ["api", "v1", *rest]:
                answer: Answer = self.server.apis[scope].answer("/".join(rest), params)
                return answer.status, _JSON, answer.body
            case [] | ["hook", _]:  # clients ask here whether anybody is there; receivers of alerts are told here
                return HTTPStatus.OK, _TEXT, b"A simulated fleet. Prometheus' API is at /api/v1/.\n"
            case ["-", "healthy" | "ready" as word]:
                return HTTPStatus.OK, _TEXT, f"Prometheus Server is {word.capitalize()}.\n".encode()
            case ["metrics"]:
                return self._exposition(n for n in self.server.world.nodes() if scope in ("", n.cluster))
            case ["exporter", name, "metrics"]:
                return self._exposition(n for n in self.server.world.nodes() if n.name == name)
            case _:
                return HTTPStatus.NOT_FOUND, _TEXT, b"404 page not found\n"

    def _exposition(self, nodes: Iterable[Node]) -> tuple[HTTPStatus, str, bytes]:
        chosen = list(nodes)
        if not chosen:
            return HTTPStatus.NOT_FOUND, _TEXT, b"No such node.\n"
        text = exposition.text(self.server.world, chosen, self.server.now())
        if text is None:
            return HTTPStatus.SERVICE_UNAVAILABLE, _TEXT, b"The exporter is down.\n"
        return HTTPStatus.OK, _TEXT, text.encode()

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if len(body) > _GZIP_FROM and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
