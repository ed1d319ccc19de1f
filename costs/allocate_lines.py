"""Writes allocation lines by COPY while it sums them per account and hashes them: the one writer of lines."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from django.db import connection

from costs.allocate_shares import Bearing, Share
from costs.models import Account, AccountKind, AllocationRun
from fleetledger.fleet.models import Team
from fleetledger.lib.money import EXACT, plain, split_whole

EXTRA_DIGITS = 12  # lines are exact in sum; each is cut this much further than its row
LINES_PER_COPY = 20_000
_COLUMNS = "run_id, row_id, account_id, day, gpu_model, workload_id, numerator, denominator, idle_numerator, amount"


class Accounts:
    """Accounts by what they stand for, made when first needed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], tuple[int, str]] = {}
        self._slugs = dict(Team.objects.values_list("pk", "slug"))

    def of(self, bearing: Bearing) -> tuple[int, str]:
        """The account's id and its key."""
        wanted = (bearing.kind, bearing.team_id, bearing.reason)
        if wanted not in self._known:
            account, _ = Account.objects.get_or_create(
                kind=AccountKind(bearing.kind),
                team=Team(pk=bearing.team_id) if bearing.team_id else None,
                reason=bearing.reason,
            )
            key = self._slugs[bearing.team_id] if bearing.team_id else account.key
            self._known[wanted] = (account.pk, key)
        return self._known[wanted]


class LineWriter:
    """Lines of one run. `exact` sums them per account; `digest` is the hash of all of them in order."""

    def __init__(self, run: AllocationRun, accounts: Accounts) -> None:
        self._run = run
        self._accounts = accounts
        self._waiting: list[str] = []
        self._sha = hashlib.sha256()
        self.exact: dict[int, Decimal] = defaultdict(Decimal)
        self.keys: dict[int, str] = {}
        self.row_count = 0
        self.line_count = 0

    def divide(self, row_id: int, name: str, amount: Decimal, shares: Sequence[Share]) -> None:
        """One bill row's lines: whole parts of the amount's own digits and 12 more, by largest remainder.

        `name` says which row it is wherever the ledger runs: delivery and line, not the database's id.
        """
        self.row_count += 1
        denominator = sum(share.weight_us for share in shares)
        for share, part in zip(shares, split_exactly(amount, [share.weight_us for share in shares]), strict=True):
            account_id, key = self._accounts.of(share.bearing)
            self.keys[account_id] = key
            self.exact[account_id] = EXACT.add(self.exact[account_id], part)
            self._write(row_id, name, (account_id, key), share, (denominator, plain(part)))

    def _write(self, row_id: int, name: str, account: tuple[int, str], share: Share, parts: tuple[int, str]) -> None:
        (account_id, key), (denominator, part) = account, parts
        bearing = share.bearing
        model = _escaped(bearing.gpu_model)
        workload = str(bearing.workload_id or "\\N")
        self._waiting.append(
            f"{self._run.pk}\t{row_id}\t{account_id}\t{bearing.day}\t{model}\t{workload}\t{share.weight_us}\t"
            f"{denominator}\t{share.idle_us}\t{part}\n"
        )
        self._sha.update(f"{name}\t{key}\t{bearing.day}\t{model}\t{share.weight_us}\t{denominator}\t{part}\n".encode())
        self.line_count += 1

    def flush(self, *, at_least: int = 1) -> None:
        if len(self._waiting) < at_least:
            return
        text = "".join(self._waiting)
        self._waiting.clear()
        with connection.cursor() as cursor, cursor.copy(f"COPY costs_allocationline ({_COLUMNS}) FROM STDIN") as copy:
            copy.write(text)

    @property
    def digest(self) -> str:
        return self._sha.hexdigest()


def split_exactly(amount: Decimal, weights: Sequence[int]) -> list[Decimal]:
    """Parts of an amount that sum to it exactly; one part alone is the amount itself."""
    if len(weights) == 1:
        return [amount]
    exponent = amount.as_tuple().exponent
    scale = max(0, -exponent if isinstance(exponent, int) else 0) + EXTRA_DIGITS
    whole = int(amount.scaleb(scale, EXACT))
    return [Decimal(part).scaleb(-scale, EXACT) for part in split_whole(whole, weights)]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
