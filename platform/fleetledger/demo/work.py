"""Who holds a lane of GPUs when: jobs, services and notebooks of one node between two maintenance days."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from fleetledger.demo.dice import Dice
from fleetledger.demo.inventory import NOBODY, TEAMS, Habit, Lane

GRID_S = 30
HOUR_S = 3600
DAY_S = 86400
NEVER = 1 << 62
FRIDAY, SATURDAY = 4, 5


@dataclass(frozen=True, slots=True)
class Workload:
    """A pod. `team` is empty where no ownership rule knows the namespace."""

    team: str
    namespace: str
    pod: str
    container: str
    kind: str
    owner: str


@dataclass(frozen=True, slots=True)
class Lease:
    """A lane held by one workload, or by none, in [start, end); from `idle_from` (a full hour) it does nothing."""

    start: int
    end: int
    workload: Workload | None
    seed: int
    idle_from: int = NEVER


def leases(lane: Lane, start: int, end: int, utc_offset_h: int, *seed: int) -> list[Lease]:
    """All of [start, end), without holes, in order."""
    dice = Dice(*seed)
    book: list[Lease] = []
    at = start
    for lease in _HABITS[lane.habit](lane, dice, start, end, utc_offset_h * HOUR_S):
        if lease.start >= end:
            break
        if lease.start > at:
            book.append(Lease(at, lease.start, None, dice.between(0, NEVER)))
        at = min(lease.end, end)
        book.append(Lease(lease.start, at, lease.workload, lease.seed, lease.idle_from))
    if at < end:
        book.append(Lease(at, end, None, 0))
    return book


def local_hour(at: int, offset_s: int) -> int:
    return (at + offset_s) % DAY_S // HOUR_S


def weekday(at: int, offset_s: int) -> int:
    """0 is Monday; 1970-01-01 was a Thursday."""
    return ((at + offset_s) // DAY_S + 3) % 7


def _training(lane: Lane, dice: Dice, start: int, end: int, offset_s: int) -> Iterator[Lease]:
    at = start + dice.span(40, 240)
    while at < end:
        team = dice.weigh(lane.teams)
        length = dice.span(5 * 60, 90 * 60)
        hangs = dice.chance(0.07)
        idle_from = -(-(at + int(length * 0.55)) // HOUR_S) * HOUR_S if hangs else NEVER
        model = dice.pick(TEAMS[team].models)
        pod = f"{model}-r{_day_number(at)}{dice.between(10, 99)}-{len(lane.units)}g-0"
        owner = dice.pick(TEAMS[team].people)
        yield _lease(at, length, Workload(team, f"{team}-train", pod, "trainer", "training", owner), dice, idle_from)
        at += length + (dice.span(6, 90) if 8 <= local_hour(at + length, offset_s) < 22 else dice.span(60, 420))  # noqa: PLR2004


def _batch(lane: Lane, dice: Dice, start: int, end: int, offset_s: int) -> Iterator[Lease]:
    at = start + dice.span(35, 90)
    while at < end:
        length = dice.span(40, 420)
        yield _lease(at, length, _batch_pod(dice.weigh(lane.teams), dice), dice)
        at += length + (dice.span(6, 30) if not 8 <= local_hour(at, offset_s) < 18 else dice.span(15, 200))  # noqa: PLR2004


def _batch_pod(team: str, dice: Dice) -> Workload:
    if team == NOBODY:
        return Workload("", NOBODY, f"scratch-{dice.word(5)}", "run", "", "")
    pod = f"{dice.pick(TEAMS[team].models)}-infer-{dice.word(5)}"
    return Workload(team, f"{team}-batch", pod, "run", "batch", dice.pick(TEAMS[team].people))


def _serving(lane: Lane, dice: Dice, start: int, end: int, offset_s: int) -> Iterator[Lease]:
    del offset_s  # a service runs by day and by night
    team = dice.weigh(lane.teams)
    service = dice.pick(TEAMS[team].services)
    at = start + dice.span(31, 45)
    while at < end:
        length = dice.span(2 * 24 * 60, 11 * 24 * 60)
        pod = f"{service}-{dice.word(9)}-{dice.word(5)}"
        yield _lease(at, length, Workload(team, f"{team}-serve", pod, "server", "serving", service), dice)
        at += length


def _interactive(lane: Lane, dice: Dice, start: int, end: int, offset_s: int) -> Iterator[Lease]:
    """Notebooks: taken in the morning, given back in the evening, or forgotten for the night or the weekend."""
    day = (start + offset_s) // DAY_S * DAY_S - offset_s
    busy_until = start
    while day < end:
        begins = day + dice.between(7 * 120 + 30, 10 * 120) * GRID_S
        ends = day + dice.between(16 * 120, 19 * 120 + 90) * GRID_S
        weekend = weekday(day, offset_s) >= SATURDAY
        taken = dice.chance(0.12 if weekend else 0.86)
        if dice.chance(0.28):
            nights = 3 if weekday(day, offset_s) == FRIDAY else 1
            ends += nights * DAY_S - dice.span(8 * 60, 11 * 60)
        team = dice.weigh(lane.teams)
        if taken and begins > busy_until:
            yield _lease(begins, ends - begins, _notebook(team, dice), dice)
            busy_until = ends + 20 * 60
        day += DAY_S


def _notebook(team: str, dice: Dice) -> Workload:
    if team == NOBODY:
        return Workload("", NOBODY, f"jupyter-guest-{dice.between(1, 9)}", "notebook", "interactive", "")
    person = dice.pick(TEAMS[team].people)
    return Workload(team, f"{team}-lab", f"jupyter-{person}", "notebook", "interactive", person)


def _spare(lane: Lane, dice: Dice, start: int, end: int, offset_s: int) -> Iterator[Lease]:
    del lane, dice, start, end, offset_s
    return iter(())


def _lease(at: int, length: int, workload: Workload, dice: Dice, idle_from: int = NEVER) -> Lease:
    return Lease(at, at + length, workload, dice.between(0, NEVER), idle_from)


def _day_number(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%j")


_HABITS: dict[Habit, Callable[[Lane, Dice, int, int, int], Iterator[Lease]]] = {
    Habit.TRAINING: _training,
    Habit.BATCH: _batch,
    Habit.SERVING: _serving,
    Habit.INTERACTIVE: _interactive,
    Habit.SPARE: _spare,
}
