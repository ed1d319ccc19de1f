"""The command `up`: the whole product in the foreground."""

import argparse
import sys

from fleetledger.embedded import supervisor
from fleetledger.embedded.errors import EmbeddedError
from fleetledger.embedded.parts import DEFAULT_HOST, DEFAULT_PORT
from fleetledger.embedded.product import Product

LAST_PORT = 65535


def main(args: list[str], product: Product | None = None) -> int:
    """Run until Ctrl-C or SIGTERM; 0 after a clean stop, 1 after a refusal or failure, 2 for wrong usage."""
    options = _parser().parse_args(args)
    try:
        return supervisor.run(
            supervisor.Wishes(
                state_dir=options.state_dir, host=options.host, port=options.port, with_demo=options.demo
            ),
            product,
        )
    except EmbeddedError as error:
        print(error, file=sys.stderr)  # noqa: T201 the command line's own voice
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fleetledger up",
        description="Runs the whole product: database, broker, web, workers, timetable, notifier. Ctrl-C stops it.",
    )
    parser.add_argument("--demo", action="store_true", help="with a simulated fleet and 90 days of its history")
    parser.add_argument(
        "--state-dir", help="where everything is kept (default: FLEETLEDGER_STATE_DIR, else the usual place)"
    )
    parser.add_argument("--host", default=DEFAULT_HOST, help=f"the address to listen on (default: {DEFAULT_HOST})")
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"the port (default: {DEFAULT_PORT})")
    return parser


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: give a number from 1 to {LAST_PORT}.")
    return int(text)
