"""What incidents refuse, each with its own sentence and the fix in it."""

from monitoring.alerts.errors import AlertsError, ConflictError, NotFoundError


class IncidentError(AlertsError):
    """Something that was asked of an incident and does not fit; `field` names the part."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class NoSuchIncidentError(NotFoundError):
    def __init__(self, incident_id: int) -> None:
        super().__init__(f"No incident has the number {incident_id}, or none that you may see.")


class NoSuchFollowUpError(NotFoundError):
    def __init__(self, follow_up_id: int) -> None:
        super().__init__(f"No follow-up of this incident has the number {follow_up_id}.")


class StillOpenError(ConflictError):
    def __init__(self, other_id: int) -> None:
        super().__init__(
            f"The same alerts belong to incident {other_id}, which is not resolved. Resolve that one first."
        )


class ChangedMeanwhileError(ConflictError):
    def __init__(self, by: str) -> None:
        super().__init__(
            f"{by or 'Somebody'} has changed the postmortem meanwhile. Take over what they wrote, then save."
        )
