"""Sends one message by one kind of channel; whatever happens is an outcome."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from monitoring.alerts.channels import apprise, email, pagerduty, slack, webhook
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import UnansweredError, UnusableError
from monitoring.alerts.channels.verdicts import Outcome, refused, retry
from monitoring.alerts.message import Message

Channel = Callable[[Message, Mapping[str, Any], Deadline], Outcome]
CHANNELS: Mapping[str, Channel] = {
    "webhook": webhook.send,
    "email": email.send,
    "slack": slack.send,
    "pagerduty": pagerduty.send,
    "apprise": apprise.send,
}
log = structlog.get_logger(__name__)


def send(kind: str, message: Message, config: Mapping[str, Any], deadline_s: float) -> Outcome:
    """Tell the destination within `deadline_s`, all in all. `config` has its secrets resolved."""
    channel = CHANNELS.get(kind)
    if channel is None:
        return refused(f"No channel is called '{kind}'.")
    try:
        return channel(message, config, Deadline(deadline_s))
    except UnansweredError as error:
        return retry(str(error))
    except UnusableError as error:
        return refused(str(error))
    except Exception as error:  # noqa: BLE001 a channel's own mistake must not lose the message
        # neither its words nor its trace: both may hold the address with the secret
        log.error("alerts.channel_broke", kind=kind, error=type(error).__name__)  # noqa: TRY400
        return retry(f"The channel broke ({type(error).__name__}).")
