"""The dead man's switch to the outside: somebody else raises the alarm when our calls stay away."""

from datetime import datetime

import structlog
from django.conf import settings

from monitoring.alerts import vitals
from monitoring.alerts.channels import http
from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import ChannelError

EVERY_S = 60.0
DEADLINE_S = 10.0
log = structlog.get_logger(__name__)


def ping(now: datetime) -> bool:
    """Call FLEETLEDGER_DEADMAN_URL where one is set and all of alerting is healthy; whether it was called."""
    if not settings.DEADMAN_URL:
        return False
    ill = [vital for vital in vitals.all_of(now) if not vital.is_healthy]
    if ill:
        log.error("alerts.deadman_not_called", **{vital.name: vital.reason for vital in ill})
        return False
    return _call(settings.DEADMAN_URL)


def _call(url: str) -> bool:
    """The address is not logged: it may be the permission to call it."""
    try:
        answer = http.post(url, b"", {}, Deadline(DEADLINE_S))
    except ChannelError as error:
        log.warning("alerts.deadman_unreachable", error=str(error))
        return False
    if not 200 <= answer.status < 300:  # noqa: PLR2004 the class of HTTP's answers
        log.warning("alerts.deadman_refused", status=answer.status)
        return False
    return True
