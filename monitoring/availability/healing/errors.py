"""What healing and game days refuse, each with its own sentence and the fix in it."""

from monitoring.alerts.errors import AlertsError, ConflictError, NotFoundError


class HealingError(AlertsError):
    """Something that was asked and does not fit."""


class NoSuchRunError(NotFoundError):
    def __init__(self, run_id: int) -> None:
        super().__init__(f"No run has the number {run_id}, or none that you may see.")


class NoSuchGameDayError(NotFoundError):
    def __init__(self, game_day_id: int) -> None:
        super().__init__(f"No game day has the number {game_day_id}, or none that you may see.")


class DecidedError(ConflictError):
    def __init__(self, state: str, by: str) -> None:
        super().__init__(f"This run does not wait any more: it is {state}{f' by {by}' if by else ''}.")


class OnlyPeopleError(AlertsError):
    http_status = 403

    def __init__(self) -> None:
        super().__init__("A person approves what a hook does, not a program. Sign in and approve it on its page.")


class CallbackError(AlertsError):
    """A call that does not show that it comes from the hook's receiver."""

    http_status = 403
