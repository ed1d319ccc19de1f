"""What alerting refuses, each with its own sentence and the fix in it."""


class AlertsError(Exception):
    """A refusal whose text is one sentence for a person. `http_status` is how the API tells it."""

    http_status: int = 422


class NotFoundError(AlertsError):
    """What does not exist, and what another tenant has: the caller cannot tell which."""

    http_status = 404


class ConflictError(AlertsError):
    http_status = 409
