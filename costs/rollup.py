"""Sums of allocation lines: costs by day, model and workload, and the draft statements of a period."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from django.db import connection

from costs.models import AllocationRun, Posting, PostingKind, Statement, StatementState

_COST_DAYS = """
INSERT INTO costs_costday (run_id, account_id, day, gpu_model, workload_id, cost, idle)
SELECT run_id, account_id, day, gpu_model, workload_id, sum(amount),
    sum(CASE WHEN idle_numerator = 0 THEN 0 ELSE amount * idle_numerator / numerator END)
FROM costs_allocationline WHERE run_id = %s
GROUP BY run_id, account_id, day, gpu_model, workload_id
"""
_STATEMENT_SUMS = """
UPDATE costs_statement s SET exact = t.exact, amount_minor = t.amount_minor
FROM (SELECT statement_id, sum(exact) AS exact, sum(amount_minor) AS amount_minor FROM costs_posting GROUP BY 1) t
WHERE s.id = t.statement_id AND s.period = %s AND s.state = 'draft'
"""


def cost_days(run: AllocationRun) -> None:
    """Write a run's CostDay rows from its lines."""
    with connection.cursor() as cursor:
        cursor.execute(_COST_DAYS, [run.pk])


def post(run: AllocationRun, exact: Mapping[int, Decimal], minor: Mapping[int, int]) -> None:
    """Post a run's sums per account to the draft statements of its period."""
    for account_id in sorted(exact):
        statement, _ = Statement.objects.get_or_create(
            period=run.period, account_id=account_id, currency=run.currency, defaults={"exact": 0, "amount_minor": 0}
        )
        Posting.objects.create(
            run=run,
            statement=statement,
            account_id=account_id,
            kind=PostingKind.CHARGE,
            exact=exact[account_id],
            amount_minor=minor[account_id],
        )


def statements(period: date) -> None:
    """Sum a period's postings into its draft statements; one without postings goes."""
    Statement.objects.filter(period=period, state=StatementState.DRAFT, postings=None).delete()
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT_SUMS, [period])
