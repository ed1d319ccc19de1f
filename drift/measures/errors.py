"""What native computation refuses, each with its own sentence and the fix in it."""

NAMES_SHOWN = 20


class MeasureError(Exception):
    """A refusal whose text is one sentence for a person."""


class UnknownMethodError(MeasureError):
    def __init__(self, method: str, known: tuple[str, ...]) -> None:
        super().__init__(f"No method is called '{method}'. Known: {', '.join(known)}.")


class WrongKindError(MeasureError):
    def __init__(self, method: str, column: str, kind: str) -> None:
        super().__init__(f"Method '{method}' cannot score '{column}', which is {kind}. Choose another or leave it out.")


class EmptyColumnError(MeasureError):
    def __init__(self, column: str, window: str) -> None:
        super().__init__(f"Column '{column}' has no value in the {window} window, so there is nothing to compare.")


class NotApplicableError(MeasureError):
    def __init__(self, method: str, column: str, reason: str) -> None:
        super().__init__(f"Method '{method}' gives no score for '{column}': {reason}")


class UnreadableWindowError(MeasureError):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The window '{name}' cannot be read: {reason}")


class MissingColumnError(MeasureError):
    def __init__(self, column: str, known: tuple[str, ...]) -> None:
        shown = ", ".join(known[:NAMES_SHOWN])
        super().__init__(
            f"No column is called '{column}'. The window has: {shown}{', ...' if len(known) > NAMES_SHOWN else ''}."
        )


class OtherBucketsError(MeasureError):
    def __init__(self, column: str) -> None:
        super().__init__(
            f"Counts of '{column}' were made with other buckets. Count both windows by one version of the reference."
        )
