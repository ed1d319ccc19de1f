"""What became of one try to tell a destination, and how an HTTP status is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

RETRIED_4XX = frozenset({408, 425, 429})
LONGEST_RETRY_AFTER_S = 3600.0


class Verdict(StrEnum):
    """`retry`: may work later. `refused`: will never work as it is."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer`: one line for people, without secrets. `accepted`: the parts of the message that were taken so far."""

    verdict: Verdict
    status: int | None = None
    answer: str = ""
    retry_after_s: float | None = None
    accepted: tuple[str, ...] = ()


def delivered(answer: str = "", status: int | None = None) -> Outcome:
    return Outcome(Verdict.DELIVERED, status, answer)


def retry(answer: str, status: int | None = None, retry_after_s: float | None = None) -> Outcome:
    return Outcome(Verdict.RETRY, status, answer, retry_after_s)


def refused(answer: str, status: int | None = None) -> Outcome:
    return Outcome(Verdict.REFUSED, status, answer)


def of_status(status: int) -> Verdict:
    """2xx is taken; 5xx, 408, 425 and 429 may work later; every other status is a refusal, a redirect too."""
    if 200 <= status < 300:  # noqa: PLR2004 the class of HTTP's answers
        return Verdict.DELIVERED
    if status >= 500 or status in RETRIED_4XX:  # noqa: PLR2004 the class of HTTP's answers
        return Verdict.RETRY
    return Verdict.REFUSED


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The header Retry-After in seconds, at most an hour; an instant counts from the answer's own Date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER_S)
    until, sent = _instant(text), _instant(headers.get("date", ""))
    if until is None:
        return None
    seconds = (until - (sent or datetime.now(UTC))).total_seconds()
    return max(0.0, min(seconds, LONGEST_RETRY_AFTER_S))


def _instant(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
