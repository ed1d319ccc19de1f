"""Rows of a model's data as CSV, seeded, and what comes of them once they are taken in."""

import io
from datetime import datetime, timedelta

import numpy as np

from drift.ingest import Sender
from drift.models import DataWindow, Model, Reference
from drift.native import references, windows
from drift.windows import ReportWindow
from fleetledger.fleet.models import User
from tests.drift import world

MEANINGS = {"id": "id", "prediction": "said", "label": "label"}


def csv(seed: int = 1, rows: int = 400, *, shift: float = 0.0, wrong: float = 0.05, extra: str = "") -> bytes:
    """`age` (moved by `shift`), `device` and `said` are measured; so many labels, as a share, are `wrong`."""
    chance = np.random.default_rng(seed)
    ages, devices = chance.normal(40 + 10 * shift, 10, rows), chance.choice(["phone", "desk"], rows)
    said, misses = chance.integers(0, 2, rows), chance.random(rows) < wrong
    lines = [f"id,age,device,said,label{',' + extra if extra else ''}"]
    for place in range(rows):
        label = 1 - said[place] if misses[place] else said[place]
        cells = [f"{seed}-{place}", f"{ages[place]:.3f}", devices[place], str(said[place]), str(label)]
        lines.append(",".join([*cells, *(["1"] if extra else [])]))
    return ("\n".join(lines) + "\n").encode()


def reference(of: Model, content: bytes | None = None, *, by: User | None = None, note: str = "") -> Reference:
    """One that was read: the first is active, the next one waits for a review."""
    stream = io.BytesIO(csv() if content is None else content)
    return references.receive_now(of, stream, name="reference.csv", note=note, sender=Sender(by, "" if by else "job"))


def window(of: Model, number: int, content: bytes | None = None, *, is_complete: bool = True) -> DataWindow:
    """The computed window of a day, counted from the world's START."""
    stream = io.BytesIO(csv(100 + number) if content is None else content)
    name, sender = f"day-{number}.csv", Sender(name="job")
    return windows.receive_now(of, stream, world.day(number), name=name, is_complete=is_complete, sender=sender)


def hours(start: datetime, count: int) -> ReportWindow:
    return ReportWindow(start, start + timedelta(hours=count))
