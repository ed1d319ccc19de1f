"""A tiny product for the supervisor's tests: one page, a worker that only waits, and a part that dies on request.

It stands on the standard library alone, so that it runs under any account.
"""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from fleetledger.embedded import up
from fleetledger.embedded.product import Product


class StandIn(Product):
    """Same order of start as the real one, with parts that start in a blink."""

    def prepare(self) -> list[str]:
        return _myself("prepare")

    def web(self, host: str, port: int) -> list[str]:
        return _myself("web", host, str(port))

    def workers(self) -> dict[str, list[str]]:
        return {"bills": _myself("wait")}

    def beat(self) -> list[str]:
        return _myself("stubborn")

    def notifier(self) -> list[str]:
        return _myself("wait", "notifier")

    def demo_world(self, port: int) -> list[str]:
        return _myself("wait", "world", str(port))

    def demo_seed(self, port: int) -> list[str]:
        return _myself("seed", str(port))

    def demo_alerts(self) -> list[str]:
        return _myself("wait", "alerts")


class Page(BaseHTTPRequestHandler):
    """Every address gives the word by which the supervisor knows its own."""

    def do_GET(self) -> None:
        body = os.environ["FLEETLEDGER_INSTANCE"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def _myself(*arguments: str) -> list[str]:
    return [sys.executable, str(Path(__file__).resolve()), *arguments]


def main(arguments: list[str]) -> int:
    act, *rest = arguments
    if act == "up":
        return up.main(rest, StandIn())
    print(f"{act} has {os.environ['DATABASE_URL'].partition(':')[0]}", flush=True)
    if act == "prepare":
        print("set-up-path /set-up/word/", flush=True)
    elif act == "seed":
        print(f"The demo's logins, from {rest[0]}", flush=True)
    elif act == "web":
        ThreadingHTTPServer((rest[0], int(rest[1])), Page).serve_forever()
    else:
        if act == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
