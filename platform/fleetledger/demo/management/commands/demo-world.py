"""The command `demo-world`: the simulated fleet's exporters and Prometheus API, in the foreground."""

import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from fleetledger.demo.server import DemoServer


class Command(BaseCommand):
    help = "Serves the simulated fleet: Prometheus' API and dcgm-exporter's text over HTTP."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=9464)

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        del options
        try:
            server = DemoServer(host, port)
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port} ({error.strerror}). Choose another --port.") from error

        def leave(*_: object) -> None:
            threading.Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, leave)
        signal.signal(signal.SIGINT, leave)
        print(f"Simulated fleet at {server.url}", flush=True)
        with server:
            server.serve_forever(poll_interval=0.2)
        sys.exit(0)
