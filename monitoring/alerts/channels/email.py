"""Mail by SMTP: one Message-ID for every try, threaded per group."""

import hashlib
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from html import escape
from typing import Any
from urllib.parse import urlsplit

from monitoring.alerts.channels import addresses, http, words
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import UnusableError
from monitoring.alerts.channels.verdicts import Outcome, delivered, refused, retry
from monitoring.alerts.message import Message

PORT, PORT_OF_TLS = 25, 465
FIRST_PERMANENT = 500
_BUTTON = (
    "display:inline-block;padding:14px 28px;border-radius:8px;background:#18181b;color:#ffffff;"
    "font-weight:bold;text-decoration:none"
)


def send(message: Message, config: Mapping[str, Any], deadline: Deadline) -> Outcome:
    """One mail to all of the entry's addresses."""
    to, sender = _recipients(config), _sender(message, config)
    mail = compose(message, sender, to)
    host, port = _smarthost(config)
    server = _Server(config, deadline)
    with deadline.ending(lambda: server.sock):
        try:
            with _talking(server, host, port, config):
                rejected = server.send_message(mail, from_addr=_address(sender), to_addrs=to)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return _failed(error, f"{host}:{port}", deadline)
    return _partly(rejected, to) if rejected else delivered(f"{host}:{port} took it for {len(to)}.", 250)


def compose(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """The mail; equal on every try but for its date."""
    mail = EmailMessage()
    mail["Subject"] = words.title(message)
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<{message.key}@{_domain(message)}>"
    if message.group_key:
        mail["In-Reply-To"] = mail["References"] = thread(message)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(words.plain(message))
    mail.add_alternative(_html(message), subtype="html")
    return mail


def thread(message: Message) -> str:
    """The id that all mails of one group point at; no mail bears it, and readers thread by it all the same."""
    known = f"{message.tenant}\x1f{message.receiver}\x1f{message.group_key}"
    return f"<group-{hashlib.sha256(known.encode()).hexdigest()[:32]}@{_domain(message)}>"


class _Server(smtplib.SMTP):
    """smtplib's client on a connection that is made within our deadline."""

    def __init__(self, config: Mapping[str, Any], deadline: Deadline) -> None:
        self._config, self._deadline = config, deadline
        super().__init__(local_hostname=socket.gethostname() or "localhost", timeout=deadline.seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 smtplib's hook
        made = addresses.connect(host, port, self._deadline)
        made.settimeout(self._deadline.left_s)
        if not _is_tls_from_the_start(self._config, port):
            return made
        try:
            return http.tls_context(self._config).wrap_socket(made, server_hostname=host)
        except (OSError, ValueError, UnusableError):
            made.close()
            raise


@contextmanager
def _talking(server: _Server, host: str, port: int, config: Mapping[str, Any]) -> Iterator[None]:
    """Connected, encrypted where it must or can be, and signed in."""
    server._host = host  # type: ignore[attr-defined]  # noqa: SLF001 smtplib sets it only where it connects itself
    try:
        code, said = server.connect(host, port)
        if code != 220:  # noqa: PLR2004 SMTP's greeting
            raise smtplib.SMTPConnectError(code, said)
        server.ehlo()
        if not _is_tls_from_the_start(config, port):
            _encrypt(server, host, config)
        if config.get("auth_username"):
            server.login(str(config["auth_username"]), str(config.get("auth_password", "")))
        yield
        _say_goodbye(server)
    finally:
        server.close()


def _encrypt(server: _Server, host: str, config: Mapping[str, Any]) -> None:
    must = config.get("require_tls")
    if server.has_extn("starttls"):
        server.starttls(context=http.tls_context(config))
        server.ehlo()
    elif must or (must is None and not _is_near(host)):
        raise UnusableError(f"{host} offers no STARTTLS. Set require_tls: false if it is to be used in the clear.")


def _is_near(host: str) -> bool:
    """Whether it is this machine: nobody listens in between."""
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _is_tls_from_the_start(config: Mapping[str, Any], port: int) -> bool:
    return bool(config.get("implicit_tls", port == PORT_OF_TLS))


def _say_goodbye(server: _Server) -> None:
    """The mail is taken by now: what the server says to our leaving changes nothing."""
    try:
        server.docmd("QUIT")
    except (smtplib.SMTPException, OSError, ValueError):
        return


def _failed(error: Exception, where: str, deadline: Deadline) -> Outcome:
    if deadline.is_over or isinstance(error, TimeoutError):
        return retry(f"{where} was not done within {deadline.seconds:g} s.")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return _partly(error.recipients, list(error.recipients))
    if isinstance(error, smtplib.SMTPResponseException):
        return _by_code(error.smtp_code, f"{where}: {_said(error.smtp_code, error.smtp_error)}")
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return refused(f"{where} cannot do what is asked of it ({error}).")
    if isinstance(error, ssl.SSLCertVerificationError):
        return retry(f"The certificate of {where} is not trusted ({error.verify_message}).")
    return retry(f"{where} broke off the conversation ({type(error).__name__}).")


def _partly(rejected: Mapping[str, tuple[int, bytes]], to: Sequence[str]) -> Outcome:
    """Some or all of the recipients were refused: whom, and whether that may change."""
    code, said = next(iter(rejected.values()))
    words_ = f"{len(rejected)} of {len(to)} recipients were refused: {', '.join(rejected)} ({_said(code, said)})"
    return _by_code(min(code for code, _ in rejected.values()), words_)


def _by_code(code: int, answer: str) -> Outcome:
    known = code if code > 0 else None
    return refused(answer, known) if code >= FIRST_PERMANENT else retry(answer, known)


def _said(code: int, text: bytes | str) -> str:
    decoded = text.decode(errors="replace") if isinstance(text, bytes) else text
    return words.one_line(f"{code} {decoded}", http.SHOWN)


def _recipients(config: Mapping[str, Any]) -> list[str]:
    given = config.get("to", "")
    found = [address for _, address in getaddresses([given] if isinstance(given, str) else list(given))]
    if not found or not all("@" in address and address.isprintable() for address in found):
        raise UnusableError("The receiver's 'to' is no mail address. Mend it.")
    return found


def _sender(message: Message, config: Mapping[str, Any]) -> str:
    return words.one_line(str(config.get("from") or f"Fleetledger <fleetledger@{_domain(message)}>"))


def _address(sender: str) -> str:
    return getaddresses([sender])[0][1]


def _smarthost(config: Mapping[str, Any]) -> tuple[str, int]:
    text = str(config.get("smarthost") or "")
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, str(PORT)
    if not host or not port.isdigit():
        raise UnusableError("No mail server is known: set FLEETLEDGER_SMTP, or the receiver's smarthost, to HOST:PORT.")
    return host.strip("[]"), int(port)


def _domain(message: Message) -> str:
    host = urlsplit(message.external_url).hostname or ""
    return host if any(letter.isalpha() for letter in host) and ":" not in host else "fleetledger.local"


def _html(message: Message) -> str:
    """The same words, with links."""
    rows = []
    for alert in (*message.firing, *message.resolved)[: words.MAX_LINES]:
        links = " ".join(f'<a href="{escape(link)}">{escape(link)}</a>' for link in words.links(alert))
        said = "<br>".join(escape(part) for part in (words.summary(alert), words.labels(alert)) if part)
        rows.append(f"<p><b>{escape(words.name(alert))}</b> ({escape(words.mark(alert))})<br>{said}<br>{links}</p>")
    said = escape(words.note(message))
    note = f"<p>{said}</p>" if said else ""
    link = escape(message.external_url)
    text = f'{note}{_button(message)}{"".join(rows)}<p><a href="{link}">{link}</a></p>'
    return f"<html><body>{text}</body></html>\n"


def _button(message: Message) -> str:
    """How to acknowledge, large enough for a thumb."""
    if message.page is None:
        return ""
    link = f'<a href="{escape(message.page.url)}" style="{_BUTTON}">Acknowledge</a>'
    return f"<p>{link}</p><p><small>{escape(words.LINK_HOLDS)}</small></p>"
