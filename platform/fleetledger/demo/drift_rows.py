"""Rows of a model that looks for scratches on parts, a file a day: computed here, and drifting since its lamps age."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Min

from drift.ingest import Sender
from drift.models import DataWindow, Model
from drift.native import references, windows
from drift.windows import ReportWindow
from fleetledger.demo.dice import Dice, key
from fleetledger.demo.work import DAY_S
from fleetledger.lib.buckets import DAY, floor

MODEL = "scratch-vit"
SEED = 4105
MOST_DAYS = 30
REFERENCE_ROWS, ROWS, ROWS_OF_A_PART = 3000, 400, 150
LAMPS_AGE_FROM_DAY = 24
"""Counted from the first window: pictures get darker from then on, and the model is wrong more often."""
A_PART_ON_DAY, SENSOR_OFF_ON_DAY = 17, 11
SENSOR_OFF = 0.15  # of the rows of that day
WRONG, WRONG_AT_LAST = 0.04, 0.2
DARKER = 9  # of brightness, once lamps are old: about one standard deviation
AGED_AFTER_DAYS = 3
INSPECTED_DAYS_AGO = 60
SENDER = Sender(name="inspection job")
HEADER = ("id", "at", "brightness", "exposure_ms", "humidity", "line", "part", "said", "score", "label")
LINES, PARTS = ("north", "south", "test"), (("gear", 5), ("housing", 3), ("shaft", 2))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a day is. `age` of the lamps goes from 0 to 1."""

    age: float = 0.0
    without_humidity: float = 0.0
    rows: int = ROWS
    is_complete: bool = True

    @property
    def wrong(self) -> float:
        return WRONG + (WRONG_AT_LAST - WRONG) * self.age


def write(now: datetime, days: int) -> int:
    """Take in the reference and those of the last days that are not here yet, in their order; gives how many days."""
    model = Model.objects.select_related("owner").filter(name=MODEL, removed_at=None).first()
    if model is None:
        return 0
    if references.active(model.pk) is None:
        _send_reference(model, now)
    today = floor(now, DAY)
    held = DataWindow.objects.filter(model=model)
    first = held.aggregate(first=Min("window_from"))["first"] or today - DAY * min(days, MOST_DAYS)
    known = set(held.values_list("window_from", flat=True))
    starts = [today - DAY * ago for ago in range(min(days, MOST_DAYS), 0, -1)]
    wanted = [start for start in starts if start >= first and start not in known]
    for start in wanted:
        _send(model, start, circumstances((start - first) // DAY))
    return len(wanted)


def circumstances(day: int) -> Circumstances:
    """Of a day, counted from the first window."""
    if day == A_PART_ON_DAY:
        return Circumstances(rows=ROWS_OF_A_PART, is_complete=False)
    if day == SENSOR_OFF_ON_DAY:
        return Circumstances(without_humidity=SENSOR_OFF)
    return Circumstances(age=min(max(day - LAMPS_AGE_FROM_DAY + 1, 0) / AGED_AFTER_DAYS, 1.0))


def content(start: int, how: Circumstances) -> bytes:
    """The rows of the day that begins at `start` (seconds since 1970), as CSV."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_rows(start, how))
    return told.getvalue().encode()


def _send_reference(model: Model, now: datetime) -> None:
    start = floor(now, DAY) - DAY * INSPECTED_DAYS_AGO
    stream = io.BytesIO(content(int(start.timestamp()), Circumstances(rows=REFERENCE_ROWS)))
    note = "Parts that people inspected before the model went live"
    references.receive_now(model, stream, name=f"{MODEL}-reference.csv", note=note, sender=SENDER)


def _send(model: Model, start: datetime, how: Circumstances) -> None:
    stream, window = io.BytesIO(content(int(start.timestamp()), how)), ReportWindow(start, start + DAY)
    name = f"{MODEL}-{start:%Y-%m-%d}.csv"
    windows.receive_now(model, stream, window, name=name, is_complete=how.is_complete, sender=SENDER)


def _rows(start: int, how: Circumstances) -> Iterator[tuple[str | int | float, ...]]:
    dice = Dice(SEED, key(MODEL), start)
    for place in range(how.rows):
        is_scratched, is_wrong = dice.chance(0.25), dice.chance(how.wrong)
        seems_scratched = is_scratched is not is_wrong
        score = dice.between(600, 990) if seems_scratched else dice.between(10, 400)
        yield (
            f"{start // DAY_S}-{place}",
            datetime.fromtimestamp(start + place * DAY_S // how.rows, UTC).isoformat(),
            round(_near(dice, 620, 90) / 10 - DARKER * how.age, 1),
            _near(dice, 80, 22) / 10,
            "" if dice.chance(how.without_humidity) else _near(dice, 410, 60) / 10,
            dice.pick(LINES),
            dice.weigh(PARTS),
            "scratch" if seems_scratched else "clean",
            score / 1000,
            "scratch" if is_scratched else "clean",
        )


def _near(dice: Dice, middle: int, spread: int) -> int:
    """Much like a normal distribution: the sum of three even ones."""
    return middle + sum(dice.between(-spread, spread) for _ in range(3))
