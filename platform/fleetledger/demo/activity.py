"""How busy a unit is: a level for each hour with a ripple of 120 samples that sums to zero, so that sums are exact."""

from fleetledger.demo.dice import Dice, mix
from fleetledger.demo.inventory import Unit
from fleetledger.demo.work import GRID_S, HOUR_S, SATURDAY, Lease, local_hour, weekday

FULL = 1000  # activity is counted in permille
SAMPLES = HOUR_S // GRID_S
_VARIANTS = 16
_DAY_CURVE = (14, 10, 8, 8, 9, 14, 24, 38, 56, 72, 84, 92, 96, 94, 92, 95, 98, 100, 96, 88, 74, 56, 38, 22)


def _ripple(variant: int) -> tuple[int, ...]:
    """120 numbers within +-10; each ten of them move around one base, and bases and moves sum to zero."""
    dice = Dice(77, variant)
    half = [dice.between(0, 6) for _ in range(6)]
    values: list[int] = []
    for base in dice.shuffled(half + [-value for value in half]):
        moves = [dice.between(0, 4) for _ in range(5)]
        values += [base + move for move in dice.shuffled(moves + [-move for move in moves])]
    return tuple(values)


def _sums(values: tuple[int, ...]) -> tuple[int, ...]:
    total, sums = 0, [0]
    for value in values:
        total += value
        sums.append(total)
    return tuple(sums)


RIPPLES = tuple(_ripple(variant) for variant in range(_VARIANTS))
RIPPLE_SUMS = tuple(_sums(ripple) for ripple in RIPPLES)


class Rhythm:
    """The activity of the units of one cluster's clock. `coarse` boards report whole percents only."""

    def __init__(self, utc_offset_h: int, *, coarse: bool = False) -> None:
        self._offset_s = utc_offset_h * HOUR_S
        self._coarse = coarse

    def at(self, lease: Lease, unit: Unit, at: int) -> int:
        """Permille at the sample of instant `at`."""
        level, swing, variant = self._hour(lease, unit, at // HOUR_S)
        return level + swing * RIPPLES[variant][at % HOUR_S // GRID_S]

    def total(self, lease: Lease, unit: Unit, start: int, end: int) -> int:
        """The sum of `at` over the samples of [start, end), exact, in one step per hour."""
        total = 0
        while start < end:
            hour = start // HOUR_S
            stop = min(end, (hour + 1) * HOUR_S)
            level, swing, variant = self._hour(lease, unit, hour)
            first, last = (start - hour * HOUR_S) // GRID_S, (stop - hour * HOUR_S) // GRID_S
            sums = RIPPLE_SUMS[variant]
            total += level * (last - first) + swing * (sums[last] - sums[first])
            start = stop
        return total

    def _hour(self, lease: Lease, unit: Unit, hour: int) -> tuple[int, int, int]:
        """Level, swing and variant of the ripple: level +- 10 x swing stays within 0 and FULL."""
        if lease.workload is None:
            return 0, 0, 0
        luck = mix(lease.seed, hour)
        level = self._level(lease, hour * HOUR_S, luck)
        if level:
            level = min(FULL, max(10, level + (luck >> 4 * (unit.gpu % 8) & 15) - 8))
        room = min(level, FULL - level, 120)
        variant = (luck >> 40) + unit.gpu + (unit.gi_id or 0) & (_VARIANTS - 1)
        if self._coarse:
            return level // 10 * 10, 10 * (min(level // 10 * 10, FULL - level // 10 * 10) >= 100), variant  # noqa: PLR2004
        return level, room // 10, variant

    def _level(self, lease: Lease, at: int, luck: int) -> int:
        assert lease.workload is not None  # noqa: S101 asked for held units alone
        if at >= lease.idle_from:
            return 0
        move = (luck >> 32) % 121 - 60
        match lease.workload.kind:
            case "training":
                return 430 + move if luck % 100 < 4 else 855 + lease.seed % 90 + move // 2  # noqa: PLR2004 an evaluation
            case "serving":
                curve = _DAY_CURVE[local_hour(at, self._offset_s)]
                weekend = 62 if weekday(at, self._offset_s) >= SATURDAY else 100
                return 30 + curve * weekend * (420 + lease.seed % 400) // 10_000 + move // 3
            case "interactive":
                return self._at_a_desk(at, luck)
            case _:
                return 500 + lease.seed % 260 + move

    def _at_a_desk(self, at: int, luck: int) -> int:
        """People think more than they compute, and are away at night."""
        works = 9 <= local_hour(at, self._offset_s) < 19 and weekday(at, self._offset_s) < SATURDAY  # noqa: PLR2004
        if luck % 100 < (34 if works else 96):
            return 0
        return 60 + (luck >> 8) % 560
