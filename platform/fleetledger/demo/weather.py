"""What goes wrong with a node between two maintenance days: silences, power cuts, XIDs and garbage."""

from dataclasses import dataclass
from functools import lru_cache

from fleetledger.demo.dice import Dice, key, mix
from fleetledger.demo.inventory import Node
from fleetledger.demo.outages import ORIGIN, ZONE_LOST
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S

BLOCK_S = 28 * DAY_S
SEED = 4101
_WEEK_S = 7 * DAY_S
_XIDS = ((31, 4), (43, 4), (13, 3), (94, 2), (63, 2), (48, 1), (79, 1))


@dataclass(frozen=True, slots=True, order=True)
class Silence:
    """No samples at the scrapes of [start, end). `powerless`: the node was off, so that its counters start anew."""

    start: int
    end: int
    powerless: bool


@dataclass(frozen=True, slots=True)
class Weather:
    """One block of a node's life; it opens with maintenance."""

    start: int
    end: int
    silences: tuple[Silence, ...]
    xids: tuple[tuple[tuple[int, int], ...], ...]
    garbage: tuple[tuple[int, ...], ...]


def block_of(node: Node, at: int) -> int:
    return (at - ORIGIN - _phase(node)) // BLOCK_S


def weather(node: Node, block: int) -> Weather:
    start = ORIGIN + _phase(node) + block * BLOCK_S
    end = start + BLOCK_S
    dice = Dice(SEED, 1, node.index, block)
    silences = _apart([*_own_silences(dice, start), *_shared_silences(node, start, end)], end)
    gpus = range(len(node.gpus))
    xids = tuple(_xids(dice, start) for _ in gpus)
    garbage = tuple(tuple(_moment(dice, start) for _ in range(dice.weigh(((0, 7), (1, 2), (2, 1))))) for _ in gpus)
    return Weather(start, end, silences, xids, garbage)


@lru_cache(maxsize=1024)
def _phase(node: Node) -> int:
    """Each node has its own maintenance day and morning hour."""
    return (mix(SEED, 2, node.index) % 28) * DAY_S + (5 + mix(SEED, 3, node.index) % 5) * HOUR_S


def _own_silences(dice: Dice, start: int) -> list[Silence]:
    lost = [GRID_S] * dice.between(3, 8) + [3 * GRID_S] * dice.between(0, 3)
    gone = [dice.span(6, 150) for _ in range(dice.weigh(((0, 5), (1, 3), (2, 1))))]
    found = [Silence(start, start + dice.span(12, 30), powerless=True)]
    found += [_silence(_moment(dice, start), length) for length in lost + gone]
    if dice.chance(0.3):
        at = _moment(dice, start)
        found.append(Silence(at, at + dice.span(25, 600), powerless=True))
    return found


def _shared_silences(node: Node, start: int, end: int) -> list[Silence]:
    """Now and then a cluster's monitoring is away, or a zone is, and all nodes there fall silent together."""
    lost = ZONE_LOST.within(start + HOUR_S, end - 2 * HOUR_S) if node.zone in ZONE_LOST.zones else ()
    found = [_silence(one.start, one.end - one.start) for one in lost]
    for week in range(start // _WEEK_S, end // _WEEK_S + 1):
        dice = Dice(SEED, 4, key(node.cluster), week)
        at = week * _WEEK_S + dice.between(0, _WEEK_S // GRID_S - 1) * GRID_S
        if dice.chance(0.12) and start + HOUR_S < at < end - 2 * HOUR_S:
            found.append(_silence(at, dice.span(8, 70)))
    return found


def _silence(at: int, length: int) -> Silence:
    return Silence(at, at + length, powerless=False)


def _moment(dice: Dice, start: int) -> int:
    """On the grid, after maintenance and early enough to be over before the next."""
    return start + 2 * HOUR_S + dice.between(0, (BLOCK_S - 14 * HOUR_S) // GRID_S) * GRID_S


def _apart(silences: list[Silence], end: int) -> tuple[Silence, ...]:
    """In order, leaving out what touches an earlier one: between two silences there are at least two samples."""
    kept: list[Silence] = []
    for silence in sorted(silences):
        if silence.end < end and (not kept or silence.start >= kept[-1].end + 2 * GRID_S):
            kept.append(silence)
    return tuple(kept)


def _xids(dice: Dice, start: int) -> tuple[tuple[int, int], ...]:
    count = dice.weigh(((0, 17), (1, 2), (2, 1)))
    return tuple(sorted((_moment(dice, start), dice.weigh(_XIDS)) for _ in range(count)))
