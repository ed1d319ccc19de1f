"""Redis from its wheel: on a socket in a private directory, every write kept in an append-only file."""

import signal
import socket
import subprocess
from pathlib import Path
from typing import IO
from urllib.parse import quote

from fleetledger.embedded import launch, wheels
from fleetledger.embedded.server import wait_for_leftover
from fleetledger.embedded.state import StateDir, private_directory

_REQUEUE = """
for _, tag in ipairs(redis.call('ZRANGE', 'unacked_index', 0, -1)) do
  redis.call('ZADD', 'unacked_index', 'XX', 0, tag)
end
"""


class RedisServer:
    """The broker of one state directory."""

    title = "Redis"
    start_seconds = 60.0
    stop_steps = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))

    def __init__(self, state: StateDir) -> None:
        self._folder = state.redis
        self._socket = state.sockets("redis") / "redis.sock"
        self._pid_file = state.redis / "redis.pid"

    def prepare(self) -> None:
        private_directory(self._folder)
        private_directory(self._socket.parent)

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        wait_for_leftover(self._noted_pid(), "redis-server")
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "pidfile": str(self._pid_file),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-use-rdb-preamble": "yes",
            "maxmemory-policy": "noeviction",
            "databases": "4",
            "loglevel": "notice",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        command = [str(wheels.redis_program("redis-server")), *arguments, "--save", ""]
        return launch.start(command, death_signal=signal.SIGTERM, output=log, folder=self._folder)

    def is_ready(self, pid: int) -> bool:
        """Whether the server that we started answers; while it loads its file it answers LOADING."""
        if self._noted_pid() != pid:
            return False
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(2)
            try:
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(64).startswith(b"+PONG")
            except OSError:
                return False

    def settle(self) -> None:
        """Nothing: an empty Redis is a ready one."""

    def url(self) -> str:
        return url_of(self._socket)

    def _noted_pid(self) -> int | None:
        try:
            text = self._pid_file.read_text(encoding="ascii").strip()
        except OSError:
            return None
        return int(text) if text.isdigit() else None


def url_of(path: Path) -> str:
    """The URL as redis-py reads it."""
    return f"unix://{quote(str(path))}?db=0"


def requeue_unfinished(state: StateDir) -> None:
    """Make tasks that killed workers left behind due at once; Celery would wait an hour, in case they still run.

    Only right while no worker runs, as at the start of the supervisor.
    """
    sock = state.sockets("redis") / "redis.sock"
    command = [str(wheels.redis_program("redis-cli")), "-s", str(sock), "EVAL", _REQUEUE, "0"]
    subprocess.run(command, check=False, capture_output=True, timeout=30)
