"""Something of an escalation that should have moved and did not."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LATE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Stuck:
    """`what`: a sentence; `since`: when it was due."""

    escalation: str
    what: str
    since: datetime
