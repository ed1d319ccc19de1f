"""A message in words: its title, and its alerts as plain lines."""

from collections.abc import Iterable

from monitoring.alerts.message import AlertLine, Message
from monitoring.alerts.oncall.links import VALID

MAX_LINES = 30
LINK_NAMES = ("runbook_url", "dashboard_url")
LINK_HOLDS = f"The link works for {VALID.days} days, and asks before it acknowledges."
PREFIXES = {
    "test": "[TEST] ",
    "canary": "[CANARY] ",
    "fallback": "[FALLBACK] ",
    "page": "[PAGE] ",
    "verification": "[CODE] ",
}


def title(message: Message) -> str:
    """As Alertmanager's: `[FIRING:2] GpuIdle team=vision`, on one line; without alerts it says the note's beginning."""
    parts = [_state(message), *(_pairs(message) if message.alerts else [message.note.partition(". ")[0]])]
    return one_line(" ".join(parts))


def one_line(text: str, limit: int = 250) -> str:
    """Without line ends, which headers may not hold."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def name(alert: AlertLine) -> str:
    return alert.labels.get("alertname", alert.fingerprint)


def summary(alert: AlertLine) -> str:
    """What is wrong, in the words of whoever wrote the rule."""
    return next((alert.annotations[key] for key in ("summary", "description") if alert.annotations.get(key)), "")


def mark(alert: AlertLine) -> str:
    """What a reader must know before anything else."""
    if alert.status != "firing":
        return "resolved"
    if alert.is_stale:
        return "unknown: its sender is silent"
    return "firing, acknowledged" if alert.is_acknowledged else "firing"


def labels(alert: AlertLine) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(alert.labels.items()) if key != "alertname")


def links(alert: AlertLine) -> list[str]:
    """Where a reader may go on; whatever is no address is left out, since a channel may take it for a command."""
    found = [alert.url, *(alert.annotations.get(key, "") for key in LINK_NAMES), alert.generator_url]
    return [link for link in found if link.startswith(("https://", "http://"))]


def note(message: Message) -> str:
    """The sentence before the alerts: who is paged, or what a person is told. Empty where there is none."""
    page = message.page
    return message.note or (f"{page.person}, you are paged ({page.why})." if page else "")


def plain(message: Message, limit: int = MAX_LINES) -> str:
    """The whole message as text: the note, how to acknowledge, then each alert, at most `limit` of them."""
    shown = (*message.firing, *message.resolved)
    blocks = [said] if (said := note(message)) else []
    if message.page:
        blocks.append(f"Acknowledge: {message.page.url}\n{LINK_HOLDS}")
    blocks += [_block(alert) for alert in shown[:limit]]
    if len(shown) > limit:
        blocks.append(f"… and {len(shown) - limit} more.")
    return "\n\n".join([*blocks, message.external_url]).strip() + "\n"


def _block(alert: AlertLine) -> str:
    times = f"since {alert.starts_at:%Y-%m-%d %H:%M:%S} UTC"
    if alert.ends_at:
        times += f" until {alert.ends_at:%Y-%m-%d %H:%M:%S} UTC"
    lines = [f"{name(alert)} ({mark(alert)}), {times}", summary(alert), labels(alert), *links(alert)]
    return "\n".join(line for line in lines if line)


def _state(message: Message) -> str:
    prefix = PREFIXES.get(message.kind, "")
    if message.firing:
        return f"{prefix}[FIRING:{len(message.firing)}]"
    return f"{prefix}[RESOLVED:{len(message.resolved)}]" if message.alerts else prefix.strip()


def _pairs(message: Message) -> Iterable[str]:
    """The group's labels, or the common ones where the group has none; the name first and bare."""
    known = dict(message.group_labels) or message.common_labels
    first = known.pop("alertname", message.common_labels.get("alertname", ""))
    return [*([first] if first else []), *(f"{key}={value}" for key, value in sorted(known.items()))]
