"""A Prometheus of one GPU at 50 % with two hours of samples, which tells its test when it is asked for them."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import orjson

from tests.telemetry import world as said

NAME = "DCGM_FI_DEV_GPU_UTIL"
SCRAPE_S = 30


@contextmanager
def serving(asked_for_samples: Callable[[str], None], *, uuid_of: Callable[[str], str] = str) -> Iterator[str]:
    """Give the server's address. Below it every first word of a path is a server of its own, with its own GPU.

    `asked_for_samples` gets that word while the question waits for its answer; `uuid_of` gives the GPU of a word.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer([NAME])

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            word, _, path = self.path.strip("/").partition("/")
            labels = _labels(uuid_of(word))
            if path == "api/v1/series":
                self._answer([labels])
            elif "kube_node_info" in form["query"][0]:
                self._answer({"resultType": "matrix", "result": []})
            else:
                asked_for_samples(word)
                self._answer({"resultType": "matrix", "result": [{"metric": labels, "values": _values()}]})

        def _answer(self, data: object) -> None:
            content = orjson.dumps({"status": "success", "data": data})
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:  # who asked is dead
                self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _labels(uuid: str) -> dict[str, str]:
    holder = {"exported_namespace": "team-a", "exported_pod": "train-0"}
    return {"__name__": NAME, "UUID": uuid, "modelName": said.MODEL, **holder}


def _values() -> list[list[object]]:
    last = int(time.time()) // SCRAPE_S * SCRAPE_S
    return [[at, "50"] for at in range(last - 7200, last + 1, SCRAPE_S)]
