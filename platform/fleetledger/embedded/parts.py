"""The product's long-running parts: their command lines, and each one alone for production."""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from types import FrameType

from fleetledger.embedded import python, session
from fleetledger.embedded import state as places
from fleetledger.embedded.errors import EmbeddedError

QUEUES = "default,telemetry,bills"
DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
DEFAULT_THREADS = min(8, 2 * (os.cpu_count() or 1))


def web_command(host: str, port: int, *, threads: int = DEFAULT_THREADS, workers: int = 1) -> list[str]:
    """Granian before the product's WSGI application."""
    options = {
        "interface": "wsgi",
        "host": host,
        "port": str(port),
        "workers": str(workers),
        "blocking-threads": str(threads),
        "workers-kill-timeout": "5",
        "loop": "asyncio",
        "http": "1",
        "log-level": "warning",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return python.module("granian", *flags, "--no-ws", "fleetledger.embedded.served:application")


def worker_command(name: str, *, queues: str = QUEUES, concurrency: int = 2) -> list[str]:
    """A Celery worker of some queues."""
    arguments = ["-A", "fleetledger.celery", "worker", "--queues", queues, "--concurrency", str(concurrency)]
    quiet = ["--without-gossip", "--without-mingle", "--loglevel", _log_level()]
    return [*_celery(), *arguments, *quiet, "--hostname", f"{name}@%h"]


def beat_command() -> list[str]:
    """The one that knows the timetable; redbeat sees to it that only one of them is live."""
    return [*_celery(), "-A", "fleetledger.celery", "beat", "--loglevel", _log_level()]


def web(arguments: list[str]) -> int:
    """`web`: the pages and the API."""
    parser = argparse.ArgumentParser(prog="fleetledger web", description="Serves the pages and the API.")
    parser.add_argument("--host", default=DEFAULT_HOST)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument(
        "--threads",
        type=int,
        default=DEFAULT_THREADS,
        help=f"requests at a time per process (default: {DEFAULT_THREADS})",
    )
    parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    options = parser.parse_args(arguments)
    return _run(web_command(options.host, options.port, threads=options.threads, workers=options.workers))


def worker(arguments: list[str]) -> int:
    """`worker`: does the tasks."""
    parser = argparse.ArgumentParser(
        prog="fleetledger worker", description="Pulls telemetry, imports bills, allocates."
    )
    parser.add_argument("--queues", default=QUEUES, help=f"which queues, separated by commas (default: {QUEUES})")
    parser.add_argument("--concurrency", type=int, default=2, help="tasks at a time (default: 2)")
    options = parser.parse_args(arguments)
    return _run(worker_command("worker", queues=options.queues, concurrency=options.concurrency))


def beat(arguments: list[str]) -> int:
    """`beat`: asks for the recurring tasks."""
    argparse.ArgumentParser(prog="fleetledger beat", description="Asks for the tasks that recur.").parse_args(arguments)
    return _run(beat_command())


def _celery() -> list[str]:
    # in a container and under sudo root is meant; our tasks are JSON, which is what the warning is about
    return [sys.executable, "-P", "-W", "ignore:You're running the worker", "-m", "celery", "--quiet"]


def _run(command: list[str]) -> int:
    """Become the part where real servers are set; else run it between the start and the stop of the embedded ones."""
    try:
        with session.environment(places.resolve(None), need_redis=True) as settings:
            environment = python.environment(settings)
            if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
                os.execve(command[0], command, environment)  # noqa: S606 no shell: the part itself
            return _run_beneath(command, environment)
    except EmbeddedError as error:
        print(error, file=sys.stderr)  # noqa: T201 the command line's own voice
        return 1


def _run_beneath(command: list[str], environment: Mapping[str, str]) -> int:
    from fleetledger.embedded import launch

    child = launch.start(command, death_signal=signal.SIGKILL, output=sys.stdout.fileno(), environment=environment)

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, forward)
    return _status(child)


def _status(child: subprocess.Popen[bytes]) -> int:
    status = child.wait()
    return 128 - status if status < 0 else status


def _log_level() -> str:
    """Celery's own words follow the product's level."""
    return os.environ.get("FLEETLEDGER_LOG_LEVEL") or "INFO"
