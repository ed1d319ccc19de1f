"""Typed factories of findings, as evaluation would open them."""

from datetime import datetime
from typing import Any

from drift.findings import opening
from drift.findings.evidence import Evidence, Number
from drift.findings.opening import Opening
from drift.models import Finding, FindingKind, FindingSeverity, Model
from monitoring.alerts import clock
from tests.drift import world


def finding(
    of: Model, column: str = "age", *, value: float = 0.3, at: datetime | None = None, **fields: Any
) -> Finding:
    """An open one about a column's PSI."""
    number = Number(column, "psi", value, 0.1, None, "large", is_drifted=True)
    wanted = Opening(
        f"column:{column}",
        FindingKind.DRIFT,
        fields.pop("severity", FindingSeverity.MEDIUM),
        Evidence(scores=(number,), recent=(True, True, True)),
        columns=(column,),
        window=(world.day(0).start, world.day(0).end),
        **fields,
    )
    return opening.open_finding(of, wanted, at or clock.now())
