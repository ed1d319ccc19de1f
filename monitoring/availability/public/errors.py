"""What subscribing refuses, each with its own sentence and the fix in it."""

from monitoring.alerts.errors import AlertsError


class SubscribeError(AlertsError):
    """An address that cannot be told; `field` names the part."""

    def __init__(self, sentence: str, field: str = "address") -> None:
        super().__init__(sentence)
        self.field = field


class TooManyError(AlertsError):
    http_status = 429

    def __init__(self) -> None:
        super().__init__("Too many requests came from your address. Try again in an hour.")


class GoneError(AlertsError):
    """A link that is good no more, or that we did not sign."""

    http_status = 410

    def __init__(self) -> None:
        super().__init__("This link is good no more. Subscribe again to get a new one.")
