"""Events for tests: sent as a program sends them, and counted as a worker counts them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift.ingest import Sender
from drift.models import DataWindow, Model, WindowSource
from drift.native import events
from drift.native.events import ReceivedEvents
from tests.drift import row_files, world

PROGRAM = Sender(name="token scoring")
HOUR = timedelta(hours=1)
Sent = list[dict[str, Any]]


def instant(minutes: float = 0) -> str:
    """Counted from world.START."""
    return (world.START + timedelta(minutes=minutes)).isoformat()


def event(minutes: float = 0, *, features: dict[str, Any] | None = None, **said: Any) -> dict[str, Any]:
    return {"at": instant(minutes), "features": features or {}, **said}


def send(model: Model, sent: Sequence[dict[str, Any]], key: str = "") -> ReceivedEvents:
    return events.receive(model, sent, key=key, sender=PROGRAM)


def counted(model: Model, sent: Sequence[dict[str, Any]], key: str = "") -> None:
    send(model, sent, key)
    events.count(model.pk)


def windows(model: Model) -> list[DataWindow]:
    """Those of events, the oldest first."""
    return list(DataWindow.objects.filter(model=model, source=WindowSource.EVENTS).order_by("window_from"))


def of_matrix(start: datetime, values: NDArray[np.float64], within: timedelta = HOUR) -> list[dict[str, Any]]:
    """Rows by columns c00, c01, ... spread over a time."""
    step = within / len(values)
    return [
        {"at": (start + step * place).isoformat(), "features": {f"c{at:02d}": value for at, value in enumerate(row)}}
        for place, row in enumerate(values.tolist())
    ]


def columns(values: NDArray[np.float64]) -> dict[str, Any]:
    return {f"c{at:02d}": values[:, at] for at in range(values.shape[1])}


def made(seed: int = 1, size: int = 300, *, hours: int = 2, ids: bool = False) -> Sent:
    """Rows of two columns over some hours; some lack a value, some have a new category."""
    chance = np.random.default_rng(seed)
    rows: Sent = []
    for place, at in enumerate(chance.uniform(0, hours * 60, size=size).tolist()):
        plan = str(chance.choice(["free", "paid", "new"], p=[0.6, 0.38, 0.02]))
        features = {"age": float(chance.normal(40, 10)), "plan": plan}
        if place % 17 == 0:
            features.pop("age")
        rows.append(event(at, features=features, **({"id": f"e{place}"} if ids else {})))
    return rows


def watched(name: str = "ranker", **fields: Any) -> Model:
    """A model by the hour with an active reference."""
    model = world.model(name, window_grain="hour", **fields)
    chance = np.random.default_rng(5)
    plans = chance.choice(["free", "paid"], size=1000, p=[0.6, 0.4]).tolist()
    row_files.reference(model, {"age": chance.normal(40, 10, size=1000).tolist(), "plan": plans})
    return model
