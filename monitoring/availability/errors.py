"""What availability refuses, each with its own sentence and the fix in it."""

from monitoring.alerts.errors import AlertsError


class AvailabilityError(AlertsError):
    """A refusal whose text is one sentence for a person; told as alerting's are."""


class PlanError(AvailabilityError):
    """Planned work that cannot be planned as asked."""


class NotFoundError(AvailabilityError):
    """What does not exist, and what another team has: the caller cannot tell which."""

    http_status = 404
