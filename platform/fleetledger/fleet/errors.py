"""What the fleet's services refuse, each with its own sentence and the fix in it."""

from collections.abc import Iterable


class FleetError(Exception):
    """A refusal whose text is one sentence for a person. `http_status` is how the API tells it."""

    http_status: int = 422


class UnknownNameError(FleetError):
    """Something was called by a name that nothing has."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        shown = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")  # noqa: PLR2004 names that fit a line
        rest = f"Known: {shown}." if names else f"There is no {what} yet."
        super().__init__(f"No {what} is called '{name}'. {rest}")
