"""What reviewing refuses, each with a sentence that says what to do."""

from drift.errors import DriftError


class NoSuchFindingError(DriftError):
    http_status = 404

    def __init__(self, finding_id: int) -> None:
        super().__init__(f"No finding has the number {finding_id}, or none that you may see.")


class AlreadyDecidedError(DriftError):
    http_status = 409

    def __init__(self, finding_id: int, verdict: str, by: str) -> None:
        super().__init__(f"Finding {finding_id} is decided already: {verdict}, by {by}. A decision stands.")


class SomebodyWasFirstError(DriftError):
    http_status = 409

    def __init__(self, finding_id: int) -> None:
        super().__init__(f"Somebody wrote about finding {finding_id} since you looked. Read it again, then decide.")


class SamePersonError(DriftError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__("You gave the first verdict. A production model needs a second person to confirm it.")


class NotAPersonError(DriftError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__("This is a person's to decide. Sign in, or use a token that a person made.")


class NoCommentError(DriftError):
    def __init__(self, most: int) -> None:
        super().__init__(f"A verdict needs a comment of 1 to {most} characters: say what you saw.")


class TwoPersonsError(DriftError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__(
            "Of a production model a threshold is raised only to what false alarms suggest, which two persons decided. "
            "Accept the suggestion, or give a lower one."
        )


class NoSuggestionError(DriftError):
    http_status = 409

    def __init__(self, column: str) -> None:
        super().__init__(f"No threshold is suggested for '{column[:100]}' now. See the suggestions of the model.")


class BadThresholdError(DriftError):
    def __init__(self) -> None:
        super().__init__("A threshold is a number above 0 and at most 1000000.")
