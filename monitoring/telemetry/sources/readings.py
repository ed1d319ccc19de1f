"""What every source hands over: series of samples per unit, the devices met, and what is wrong or missing."""

from dataclasses import dataclass, field
from enum import StrEnum

MICROSECONDS = 1_000_000


class Field(StrEnum):
    """The measures stored. Units: shares 0-1, `util` 0-100, MiB, W, mJ, degrees Celsius, MHz, a bit mask, a code."""

    GR_ACTIVE = "gr_active"
    UTIL = "util"
    SM_ACTIVE = "sm_active"
    TENSOR = "tensor"
    DRAM = "dram"
    FB_USED = "fb_used"
    FB_FREE = "fb_free"
    FB_RESERVED = "fb_reserved"
    POWER = "power"
    ENERGY = "energy"
    TEMP = "temp"
    SM_CLOCK = "sm_clock"
    MEM_CLOCK = "mem_clock"
    THROTTLE = "throttle"
    XID = "xid"


@dataclass(frozen=True, slots=True, order=True)
class Holder:
    """Who holds a unit, by the words of the source; `kind` and `owner` are the configured labels."""

    namespace: str
    workload: str
    kind: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class UnitKey:
    """A whole GPU (`gi_id` is None) or one slice of it; never the label set."""

    uuid: str
    gi_id: int | None

    def __lt__(self, other: "UnitKey") -> bool:
        return self._rank < other._rank

    @property
    def _rank(self) -> tuple[str, int]:
        """The device row stands before its slices."""
        return self.uuid, -1 if self.gi_id is None else self.gi_id


@dataclass(frozen=True, slots=True)
class Device:
    """A physical GPU as the source names it; empty texts where it does not."""

    uuid: str
    model: str
    node: str
    device_index: str


@dataclass(slots=True)
class Series:
    """The samples of one field of one unit with one holder from one replica.

    `times` are microseconds since 1970, ascending and unique; `values` stand beside them, NaN where rejected.
    """

    unit: UnitKey
    profile: str
    field: Field
    replica: str
    holder: Holder | None
    times: list[int]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Rejected:
    """One value that cannot be true; its sample still holds the unit."""

    unit: UnitKey
    field: Field
    at_us: int
    value: float


@dataclass(slots=True)
class Batch:
    """One answer of a source. What stands in `missing` is unknown, never zero."""

    series: list[Series] = field(default_factory=list)
    devices: dict[str, Device] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    nodes: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
