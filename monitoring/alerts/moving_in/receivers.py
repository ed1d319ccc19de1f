"""Takes over receivers: the channels that Alertmanager and Fleetledger share."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import getaddresses
from typing import Any
from urllib.parse import urlsplit

from fleetledger.fleet.config.issues import Path
from monitoring.alerts.config.receiver_checks import SECRET_WORD, is_plain_address
from monitoring.alerts.moving_in.account import Account, text_of
from monitoring.alerts.moving_in.routes import is_true

Document = Mapping[str, Any]
TEMPLATE = "A Go template: Fleetledger writes its own text."
OWN_TEXT = "Fleetledger writes its own text."
NO_PROXY = "Set the proxy in the environment of the notifier (HTTPS_PROXY) where one is needed."
NO_OAUTH = "Fleetledger fetches no OAuth tokens. Use a header with a token that lasts."
FROM_FILE = "A header is one secret: put 'Authorization' with its whole value into a file, and name it under 'headers'."
OTHER_SIGN_IN = "Fleetledger signs in by PLAIN or LOGIN with auth_username and auth_password."
NO_CLIENT_CERTIFICATE = "Fleetledger shows no client certificate."
OWN_NAME = "A certificate is checked for the name in the address, by TLS 1.2 or later."
DEFAULT_MAIL_TLS = "true"
_TOKEN_LIKE = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{16,}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a receiver, where it stands, and what `global` says for all."""

    document: Document
    path: Path
    receiver: str
    kind: str
    number: int
    defaults: Document
    account: Account
    taken: list[str] = field(default_factory=list)  # from `defaults`, and carried if this entry is

    def text(self, key: str, default: str = "") -> str:
        """A scalar of the entry, else the global one under `default`; both count as carried."""
        if text_of(self.document, key):
            self.account.carry((*self.path, key))
            return text_of(self.document, key)
        return self.of_all(default)

    def of_all(self, key: str) -> str:
        if text_of(self.defaults, key):
            self.taken.append(key)
        return text_of(self.defaults, key)

    def secret(self, key: str, default: str = "") -> dict[str, str] | None:
        """The entry's secret or its file, else the global ones, as a reference."""
        if value := self.text(key):
            return self.named(key, value)
        if file := self.text(f"{key}_file"):
            return {"file": file}
        if value := self.of_all(default):
            return self.account.secret(default, value)
        file = self.of_all(f"{default}_file")
        return {"file": file} if file else None

    def named(self, key: str, value: str) -> dict[str, str]:
        return self.account.secret(f"{self.receiver}_{self.kind}_{self.number}_{key}", value)

    def leave(self, key: str, reason: str) -> None:
        if key in self.document:
            self.account.leave((*self.path, key), reason)

    def give_up(self, reason: str) -> None:
        """The whole entry is not carried."""
        self.account.give_up(self.path, reason)

    def common(self, *, sends_resolved: bool) -> dict[str, Any]:
        """`send_resolved`, written out wherever Alertmanager's own default is another than ours."""
        given = self.text("send_resolved")
        wanted = is_true(given) if given else sends_resolved
        return {} if wanted and not given else {"send_resolved": wanted}


def is_template(value: Any) -> bool:
    return isinstance(value, str) and "{{" in value


def webhook(entry: Entry) -> dict[str, Any] | None:
    if is_template(entry.document.get("url")):
        entry.give_up("Its address is a Go template. Make a receiver for each address, and a route to each.")
        return None
    url = _address(entry, "url")
    if url is None:
        entry.give_up("It has no address.")
        return None
    found: dict[str, Any] = {"url": url}
    if entry.text("max_alerts"):
        found["max_alerts"] = int(entry.text("max_alerts"))
    return found | http(entry) | entry.common(sends_resolved=True)


def email(entry: Entry) -> dict[str, Any] | None:
    to = [address for _, address in getaddresses([entry.text("to")])]
    if not all(map(_is_mail, to)) or not to:
        entry.give_up("Its 'to' is no mail address but a Go template, or nothing. Make a receiver for each address.")
        return None
    found: dict[str, Any] = {"to": to[0] if len(to) == 1 else to}
    for key, default in (
        ("from", "smtp_from"),
        ("smarthost", "smtp_smarthost"),
        ("auth_username", "smtp_auth_username"),
    ):
        if is_template(entry.document.get(key)):
            entry.leave(key, TEMPLATE)
        elif value := entry.text(key, default):
            found[key] = value
    if "auth_username" not in found:
        entry.leave("auth_password", "A password belongs to a user, and 'auth_username' is missing.")
    elif password := entry.secret("auth_password", "smtp_auth_password"):
        found["auth_password"] = password
    found["require_tls"] = is_true(entry.text("require_tls", "smtp_require_tls") or DEFAULT_MAIL_TLS)
    for key in ("headers", "html", "text"):
        entry.leave(key, OWN_TEXT)
    for key in ("auth_secret", "auth_secret_file", "auth_identity"):
        entry.leave(key, OTHER_SIGN_IN)
    entry.leave("hello", "Fleetledger greets with the machine's own name.")
    return found | _tls(entry, entry.document.get("tls_config"), "tls_config") | entry.common(sends_resolved=False)


def slack(entry: Entry) -> dict[str, Any] | None:
    url = entry.secret("api_url", "slack_api_url")
    if url is None:
        entry.give_up("It has no address, nor has 'global' one. Fleetledger needs an incoming webhook's address.")
        return None
    found: dict[str, Any] = {"url": url}
    for key in ("channel", "username"):
        if is_template(entry.document.get(key)):
            entry.leave(key, f"{TEMPLATE} The webhook's own {key} is used.")
        elif value := entry.text(key):
            found[key] = value
    for key in entry.document:
        if key not in {"api_url", "api_url_file", "channel", "username", "send_resolved", "http_config"}:
            entry.leave(key, TEMPLATE if is_template(entry.document[key]) else OWN_TEXT)
    return found | http(entry, headers=False) | entry.common(sends_resolved=False)


def pagerduty(entry: Entry) -> dict[str, Any] | None:
    key = entry.secret("routing_key")
    if key is None:
        entry.give_up(
            "It has no routing_key. Fleetledger speaks PagerDuty's Events API v2: add an integration of that kind."
        )
        return None
    found: dict[str, Any] = {"routing_key": key}
    if url := entry.text("url", "pagerduty_url"):
        found["url"] = url
    severity = text_of(entry.document, "severity")
    if severity in {"critical", "error", "warning", "info"}:
        found["severity"] = entry.text("severity")
    else:
        entry.leave("severity", f"{TEMPLATE} An alert's own severity is told.")
    for name in entry.document:
        if name not in {"routing_key", "routing_key_file", "url", "severity", "send_resolved", "http_config"}:
            entry.leave(name, OWN_TEXT)
    return found | http(entry, headers=False) | entry.common(sends_resolved=True)


def http(entry: Entry, *, headers: bool = True) -> dict[str, Any]:
    """What `http_config`, the entry's own or the global one, becomes: a header with the permission, and TLS."""
    own = entry.document.get("http_config")
    document = own if isinstance(own, dict) else entry.defaults.get("http_config")
    path: Path = (*entry.path, "http_config") if isinstance(own, dict) else ("global", "http_config")
    if not isinstance(document, dict):
        return {}
    account = entry.account
    for key in ("proxy_url", "proxy_from_environment", "no_proxy", "proxy_connect_header"):
        if key in document:
            account.leave((*path, key), NO_PROXY)
    if "oauth2" in document:
        account.leave((*path, "oauth2"), NO_OAUTH)
    for key in ("follow_redirects", "enable_http2"):
        if key in document:
            account.leave((*path, key), "Fleetledger follows no redirects and speaks HTTP/1.1 here.")
    found = _tls(entry, document.get("tls_config"), "tls_config", path)
    written = _headers(entry, document, path) if headers else {}
    return found | ({"headers": written} if written else {})


def _headers(entry: Entry, document: Document, path: Path) -> dict[str, Any]:
    """Those of `http_headers` that say one thing, and the permission."""
    given = document.get("http_headers")
    found: dict[str, Any] = {}
    for name, said in given.items() if isinstance(given, dict) else ():
        at: Path = (*path, "http_headers", name)
        words = [(kind, word) for kind, listed in said.items() for word in listed] if _is_lists(said) else []
        if len(words) != 1:
            entry.account.leave(at, "A header says one thing here. Add it by hand under 'headers'.")
            continue
        entry.account.carry(at)
        ((kind, word),) = words
        is_open = kind == "values" and not SECRET_WORD.search(name)
        found[name] = word if is_open else {"file": word} if kind == "files" else entry.named(name, word)
    authorization = _authorization(entry, document, path)
    return found | ({"Authorization": authorization} if authorization else {})


def _is_lists(said: Any) -> bool:
    """Whether `said` is `values`, `secrets` or `files` with their texts."""
    return isinstance(said, dict) and all(
        kind in {"values", "secrets", "files"}
        and isinstance(words, list)
        and all(isinstance(one, str) for one in words)
        for kind, words in said.items()
    )


def _authorization(entry: Entry, document: Document, path: Path) -> dict[str, str] | None:
    given = document.get("authorization")
    account = entry.account
    if isinstance(given, dict) and text_of(given, "credentials"):
        account.carry((*path, "authorization"))
        return entry.named("authorization", f"{text_of(given, 'type') or 'Bearer'} {given['credentials']}")
    if text_of(document, "bearer_token"):
        account.carry((*path, "bearer_token"))
        return entry.named("authorization", f"Bearer {document['bearer_token']}")
    basic = document.get("basic_auth")
    if isinstance(basic, dict) and text_of(basic, "password"):
        account.carry((*path, "basic_auth"))
        pair = f"{text_of(basic, 'username')}:{basic['password']}".encode()
        return entry.named("authorization", f"Basic {base64.b64encode(pair).decode()}")
    for key in ("authorization", "basic_auth", "bearer_token_file"):
        if key in document:
            account.leave((*path, key), FROM_FILE)
    return None


def _tls(entry: Entry, document: Any, key: str, above: Path | None = None) -> dict[str, Any]:
    path: Path = (*(entry.path if above is None else above), key)
    if not isinstance(document, dict):
        return {}
    found: dict[str, Any] = {}
    if text_of(document, "ca_file"):
        found["ca_file"] = document["ca_file"]
        entry.account.carry((*path, "ca_file"))
    if text_of(document, "insecure_skip_verify"):
        found["insecure_skip_verify"] = is_true(document["insecure_skip_verify"])
        entry.account.carry((*path, "insecure_skip_verify"))
    for name, reason in _OF_TLS.items():
        if name in document:
            entry.account.leave((*path, name), reason)
    return found


def _address(entry: Entry, key: str) -> str | dict[str, str] | None:
    """In the clear only where nothing in it looks like a permission."""
    url = text_of(entry.document, key)
    if not url:
        return entry.secret(key)
    entry.account.carry((*entry.path, key))
    return url if is_plain_address(url) and not _TOKEN_LIKE.search(urlsplit(url).path) else entry.named(key, url)


def _is_mail(address: str) -> bool:
    return re.fullmatch(r"[^\s@{}]+@[^\s@{}]+", address) is not None


_OF_TLS: Mapping[str, str] = {
    **dict.fromkeys(("cert", "cert_file", "cert_ref", "key", "key_file", "key_ref"), NO_CLIENT_CERTIFICATE),
    **dict.fromkeys(("server_name", "min_version", "max_version"), OWN_NAME),
    "ca": "Write it into a file of its own, and name it under 'ca_file'.",
}
CHANNELS: Mapping[str, tuple[str, Callable[[Entry], dict[str, Any] | None]]] = {
    "webhook_configs": ("webhook", webhook),
    "email_configs": ("email", email),
    "slack_configs": ("slack", slack),
    "pagerduty_configs": ("pagerduty", pagerduty),
}
