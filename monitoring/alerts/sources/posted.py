"""An alert as somebody reported it, already checked."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Posted:
    """`labels` has at least one and none that is empty. `starts_at` None is unset, `ends_at` None is still firing."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: datetime | None
    ends_at: datetime | None
    generator_url: str = ""
