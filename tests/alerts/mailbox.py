"""A small SMTP server that keeps the mails it is given, and is as unfriendly as a test wants."""

import socket
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Manners:
    """What it answers; `drips_after`, `breaks_off_after`: the command after which it feeds bytes slowly, or closes."""

    greeting: str = "220 ready"
    rcpt: str = "250 ok"
    rcpt_by_address: Mapping[str, str] = field(default_factory=dict)
    data: str = "250 taken"
    drips_after: str = ""
    breaks_off_after: str = ""


class Mailbox(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.mails: list[bytes] = []
        self.recipients: list[str] = []
        self.ending = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        with suppress(OSError):
            self._say(self.server.manners.greeting)
            while line := self.rfile.readline():
                if not self._answer(line.decode().strip()):
                    return

    def _answer(self, line: str) -> bool:
        manners, word = self.server.manners, line.partition(" ")[0].upper()
        if word == manners.breaks_off_after:
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        if word == manners.drips_after:
            return self._drip()
        if word == "DATA":
            self._say("354 go on")
            self._take()
            self._say(manners.data)
        elif word == "RCPT":
            address = line.partition("<")[2].partition(">")[0]
            answer = manners.rcpt_by_address.get(address, manners.rcpt)
            if answer.startswith("250"):
                self.server.recipients.append(address)
            self._say(answer)
        else:
            self._say("221 bye" if word == "QUIT" else "250 ok")
        return word != "QUIT"

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.mails.append(b"".join(lines))

    def _drip(self) -> bool:
        while not self.server.ending.wait(0.05):
            self.wfile.write(b"2")
        return False

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def mailbox(manners: Manners | None = None) -> Iterator[Mailbox]:
    """Serve on a free port of this machine."""
    server = Mailbox(manners or Manners())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ending.set()
        server.shutdown()
        server.server_close()
        thread.join()
