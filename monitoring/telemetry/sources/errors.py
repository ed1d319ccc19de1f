"""What a source says when it cannot answer: one error, whose message is a sentence with the fix in it."""


class SourceError(Exception):
    """A source gave no usable answer; `transient` says whether trying again later may help."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient
