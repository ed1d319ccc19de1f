"""Takes over receivers of services that Fleetledger tells by apprise: each becomes one address, which is a secret."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from monitoring.alerts.moving_in.account import text_of
from monitoring.alerts.moving_in.receivers import OWN_TEXT, Entry

NO_ADDRESS = "What it says does not make an address for {}: {} {} missing. Add it by hand under 'apprise'."
IN_A_FILE = (
    "Its secret lies in a file, but apprise's address of {} is made of it. Write the whole address into a file, and "
    "name it: apprise: [{{url: {{file: PATH}}}}]."
)
NOT_OF_ADDRESS = "It is no part of apprise's address. See apprise's page of this service for what may be added to it."
TEXTS = frozenset(
    {"title", "text", "message", "description", "subject", "html", "content", "summary", "details", "note"}
)
NO_SERVICE = "Fleetledger has no service like it. Tell it by a webhook."


def service(entry: Entry, kind: str) -> dict[str, Any] | None:
    """An entry of `apprise`; None where the service or something of its address is missing."""
    known = _SERVICES.get(kind)
    if known is None:
        entry.give_up(NO_SERVICE)
        return None
    if file := text_of(entry.document, "webhook_url_file") if known.address is _own_address else "":
        entry.account.carry((*entry.path, "webhook_url_file"))
        return _with_rest(entry, known, {"file": file})
    address = known.address(entry)
    if address is None:
        needs = ", ".join(known.needs)
        in_file = any(f"{need}_file" in entry.document for need in known.needs)
        words = IN_A_FILE if in_file else NO_ADDRESS
        entry.give_up(words.format(known.name, needs, "is" if len(known.needs) == 1 else "are"))
        return None
    if not _is_known(address):
        entry.give_up(f"What it says makes no address that is one of {known.name}. Add it by hand under 'apprise'.")
        return None
    return _with_rest(entry, known, entry.named("url", address))


def _with_rest(entry: Entry, known: "_Service", url: Mapping[str, str]) -> dict[str, Any]:
    for key in entry.document:
        if key not in {*known.needs, *(f"{need}_file" for need in known.needs), *known.also, "send_resolved"}:
            entry.leave(key, OWN_TEXT if key in TEXTS else NOT_OF_ADDRESS)
    return {"url": dict(url)} | entry.common(sends_resolved=known.sends_resolved)


def _is_known(address: str) -> bool:
    """Whether apprise makes something of it. Its plugins load old modules of Python, which warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        return apprise.Apprise.instantiate(address) is not None


class _Service:
    """`needs`: the keys of which the address is made."""

    def __init__(
        self,
        name: str,
        needs: tuple[str, ...],
        address: Callable[[Entry], str | None],
        *,
        also: tuple[str, ...] = (),
        sends_resolved: bool = True,
    ) -> None:
        self.name, self.needs, self.address = name, needs, address
        self.also, self.sends_resolved = also, sends_resolved


def _own_address(entry: Entry) -> str | None:
    """Apprise reads the addresses that these services give out themselves."""
    return entry.text("webhook_url") or None


def _telegram(entry: Entry) -> str | None:
    token, chat = entry.text("bot_token", "telegram_bot_token"), entry.text("chat_id")
    return f"tgram://{quote(token, safe=':')}/{quote(chat)}" if token and chat else None


def _opsgenie(entry: Entry) -> str | None:
    key, address = entry.text("api_key", "opsgenie_api_key"), entry.text("api_url", "opsgenie_api_url")
    region = "?region=eu" if ".eu." in address else ""
    return f"opsgenie://{quote(key, safe='')}{region}" if key else None


def _pushover(entry: Entry) -> str | None:
    user, token = entry.text("user_key"), entry.text("token")
    return f"pover://{quote(user, safe='')}@{quote(token, safe='')}" if user and token else None


def _victorops(entry: Entry) -> str | None:
    key, routing = entry.text("api_key", "victorops_api_key"), entry.text("routing_key")
    return f"victorops://{quote(routing, safe='')}@{quote(key, safe='')}" if key and routing else None


def _webex(entry: Entry) -> str | None:
    config = entry.document.get("http_config")
    authorization = config.get("authorization") if isinstance(config, dict) else None
    token = text_of(authorization, "credentials") if isinstance(authorization, dict) else ""
    room = entry.text("room_id")
    if not token or not room:
        return None
    entry.account.carry((*entry.path, "http_config", "authorization"))
    return f"webex://{quote(token, safe='')}/{quote(room, safe='')}"


def _sns(entry: Entry) -> str | None:
    given = entry.document.get("sigv4")
    signing = given if isinstance(given, dict) else {}
    access, secret, region = (text_of(signing, key) for key in ("access_key", "secret_key", "region"))
    topic = entry.text("topic_arn")
    if not (access and secret and region and topic):
        return None
    entry.account.carry((*entry.path, "sigv4"))
    return f"sns://{quote(access, safe='')}/{quote(secret, safe='')}/{region}/{quote(topic.rpartition(':')[2])}"


def _rocket_chat(entry: Entry) -> str | None:
    user, token = entry.text("token_id", "rocketchat_token_id"), entry.text("token", "rocketchat_token")
    parts = urlsplit(entry.text("api_url", "rocketchat_api_url") or "https://open.rocket.chat/")
    channel = entry.text("channel")
    if not (user and token and channel and parts.hostname):
        return None
    scheme = "rocket" if parts.scheme == "http" else "rockets"
    host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    return f"{scheme}://{quote(user, safe='')}:{quote(token, safe='')}@{host}/{quote(channel, safe='@')}?mode=token"


def _wechat(entry: Entry) -> str | None:
    corp, secret = entry.text("corp_id", "wechat_api_corp_id"), entry.text("api_secret", "wechat_api_secret")
    agent = entry.text("agent_id")
    marks = {"to_user": "@", "to_party": "%23", "to_tag": "+"}
    named = [
        f"{mark}{quote(one.strip().removeprefix('@'), safe='')}"
        for key, mark in marks.items()
        for one in entry.text(key).split("|")
        if one.strip()
    ]
    if not (corp and secret and agent and named):
        return None
    return f"wechat://{quote(corp, safe='')}:{quote(secret, safe='')}@{quote(agent)}/{'/'.join(named)}"


_SERVICES: Mapping[str, _Service] = {
    "discord_configs": _Service("Discord", ("webhook_url",), _own_address),
    "msteams_configs": _Service("Microsoft Teams", ("webhook_url",), _own_address),
    "msteamsv2_configs": _Service("Microsoft Teams", ("webhook_url",), _own_address),
    "telegram_configs": _Service("Telegram", ("bot_token", "chat_id"), _telegram),
    "opsgenie_configs": _Service("Opsgenie", ("api_key",), _opsgenie, also=("api_url",)),
    "pushover_configs": _Service("Pushover", ("user_key", "token"), _pushover),
    "victorops_configs": _Service("Splunk On-Call", ("api_key", "routing_key"), _victorops),
    "webex_configs": _Service("Webex", ("room_id", "http_config"), _webex),
    "sns_configs": _Service("Amazon SNS", ("topic_arn", "sigv4"), _sns),
    "rocketchat_configs": _Service("Rocket.Chat", ("token_id", "token", "channel"), _rocket_chat, also=("api_url",)),
    "wechat_configs": _Service(
        "WeChat", ("corp_id", "api_secret", "agent_id", "to_user"), _wechat, also=("to_party", "to_tag")
    ),
}
