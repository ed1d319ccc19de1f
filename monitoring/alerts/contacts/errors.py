"""What is refused about contact methods, each with its own sentence and the fix in it."""

import math
from datetime import timedelta

from monitoring.alerts.errors import AlertsError, NotFoundError


class ContactError(AlertsError):
    """What a person gave and cannot be reached by; `key` is where it stands."""

    def __init__(self, sentence: str, key: str = "") -> None:
        super().__init__(sentence)
        self.key = key


class UnknownMethodError(NotFoundError):
    def __init__(self) -> None:
        super().__init__("There is no such contact method, or it is not yours.")


class TooSoonError(AlertsError):
    """Messages by which methods are tried are few, since they reach whomever the address belongs to."""

    http_status = 429

    def __init__(self, wait: timedelta, most: int) -> None:
        self.wait_s = max(1, math.ceil(wait.total_seconds()))
        super().__init__(f"Codes and tests are sent once a minute, {most} a day. {_again(self.wait_s)}")


def _again(seconds: int) -> str:
    if seconds <= 120:  # noqa: PLR2004 the longest time that reads well in seconds
        return f"Try again in {seconds} s."
    return f"Try again in {math.ceil(seconds / 60)} minutes."
