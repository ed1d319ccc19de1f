"""Bill sources with their settings, checked: format, currency and basis."""

from dataclasses import dataclass

from costs.errors import BadSourceError, UnknownSourceError, UnsupportedFormatError
from costs.models import Basis
from fleetledger.fleet.models import Source, SourceKind
from fleetledger.lib.money import MINOR_UNITS


@dataclass(frozen=True, slots=True)
class BillSource:
    """A source of kind bill. `currency` is what rows have that name none, or empty."""

    id: int
    name: str
    currency: str
    basis: Basis


def named(name: str) -> BillSource:
    """The bill source of this name; raises UnknownSourceError, UnsupportedFormatError or BadSourceError."""
    sources = {source.name: source for source in Source.objects.filter(kind=SourceKind.BILL)}
    if name not in sources:
        raise UnknownSourceError(name, sources)
    return checked(sources[name])


def checked(source: Source) -> BillSource:
    wanted = str(source.config.get("format") or "focus")
    if wanted != "focus":
        raise UnsupportedFormatError(source.name, wanted)
    currency = str(source.config.get("currency") or "").upper()
    if currency and currency not in MINOR_UNITS:
        raise BadSourceError(source.name, "currency", currency, "a code of ISO 4217, such as USD")
    basis = str(source.config.get("basis") or Basis.EFFECTIVE)
    if basis not in Basis.values:
        raise BadSourceError(source.name, "basis", basis, "effective or billed")
    return BillSource(source.pk, source.name, currency, Basis(basis))
