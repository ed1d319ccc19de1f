"""Evaluates rules at an instant and tells alerting what fires. A look that fails changes nothing but the rule's error.

1. Claim a due rule. 2. Look, outside of any transaction. 3. In one transaction, only if the claim still holds: move the
instances on and report, per tenant, all that fires. 4. The rule is due again at the next instant of its grid.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction

from monitoring.alerts import clock, door
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.models import Rule, RuleInstance, RuleKind
from monitoring.alerts.rules import claims, defaults, facts, promql
from monitoring.alerts.rules.claims import Claim
from monitoring.alerts.rules.found import seen
from monitoring.alerts.rules.progress import Instance, Key, Seen, Terms, advance
from monitoring.telemetry.sources.errors import SourceError

UNWATCHED = timedelta(hours=1)
"""A longer gap between good evaluations does not count towards `for`: nobody knows whether the rule held."""
UNWATCHED_INTERVALS = 10
LIMIT = 100

Down = dict[int, str]
"""Sources that did not answer, with what they said: asked once per round, so that one dead source delays nobody."""

log = structlog.get_logger(__name__)


def evaluate_due(now: datetime | None = None, limit: int = LIMIT) -> int:
    """Evaluate up to `limit` rules that are due at `now`; gives how many. Several at once are harmless."""
    at = now or clock.now()
    defaults.ensure(at)
    down: Down = {}
    done = 0
    while done < limit and (claim := claims.take(at)) is not None:
        _evaluate(claim, down)
        done += 1
    return done


def look(rule: Rule, at: datetime) -> dict[Key, Seen]:
    """For which labels the rule holds at `at`; asks and writes nothing. Raises RuleError and SourceError."""
    if rule.kind == RuleKind.PROMQL:
        return seen(rule, promql.look(rule, at))
    return seen(rule, facts.look(rule.fact, rule.options, at, rule.team_id))


def reporter(rule: Rule) -> str:
    """By which name the door knows the rule."""
    return f"rule:{rule.pk}"


def _evaluate(claim: Claim, down: Down) -> None:
    started = time.monotonic()
    try:
        found = _look_once(claim.rule, claim.at, down)
        _keep(claim, found, time.monotonic() - started)
    except (OperationalError, InterfaceError):
        raise  # the database is away: the lease runs out by itself
    except (AlertsError, SourceError) as error:
        _fail(claim, str(error), started)
    except Exception as error:
        log.exception("mistake in a rule", rule=claim.rule.name)
        _fail(claim, f"A mistake of ours ({type(error).__name__}). See the notifier's log.", started)


def _fail(claim: Claim, error: str, started: float) -> None:
    """One rule's trouble is its own: the others go on."""
    log.warning("rule not evaluated", rule=claim.rule.name, error=error)
    claims.fail(claim, error, time.monotonic() - started)


def _look_once(rule: Rule, at: datetime, down: Down) -> dict[Key, Seen]:
    if rule.source_id in down:
        raise SourceError(down[rule.source_id], transient=True)
    try:
        return look(rule, at)
    except SourceError as error:
        if error.transient and rule.source_id is not None:
            down[rule.source_id] = str(error)
        raise


@transaction.atomic
def _keep(claim: Claim, found: Mapping[Key, Seen], duration_s: float) -> None:
    rule = claims.held(claim)
    if rule is None:
        return
    rows = {(row.team_id, row.fingerprint): row for row in rule.instances.all()}
    standing = {key: _instance(row) for key, row in rows.items()}
    now = advance(standing, found, claim.at, _terms(rule, claim.at))
    _write(rule, rows, standing, now)
    _report(rule, standing, now)
    claims.succeed(rule, claim.at, duration_s)


def _terms(rule: Rule, at: datetime) -> Terms:
    gap = at - rule.evaluated_at if rule.evaluated_at else timedelta()
    tolerated = max(UNWATCHED, timedelta(seconds=UNWATCHED_INTERVALS * rule.interval_s))
    return Terms(rule.for_s, rule.keep_firing_for_s, gap if gap > tolerated else timedelta())


def _instance(row: RuleInstance) -> Instance:
    value = row.value if row.value is not None else float("nan")
    known = Seen(row.team_id, row.fingerprint, row.labels, row.annotations, value)
    return Instance(known, row.active_at, row.fired_at, row.keep_until)


def _write(
    rule: Rule, rows: Mapping[Key, RuleInstance], before: Mapping[Key, Instance], now: Mapping[Key, Instance]
) -> None:
    gone = [row.pk for key, row in rows.items() if key not in now]
    changed = [_filled(rows[key], one) for key, one in now.items() if key in rows and one != before[key]]
    new = [_filled(RuleInstance(rule=rule), one) for key, one in now.items() if key not in rows]
    if gone:
        RuleInstance.objects.filter(pk__in=gone).delete()
    if changed:
        moving = ["labels", "annotations", "value", "active_at", "fired_at", "keep_until"]
        RuleInstance.objects.bulk_update(changed, moving, batch_size=500)
    RuleInstance.objects.bulk_create(new, batch_size=500)


def _filled(row: RuleInstance, one: Instance) -> RuleInstance:
    row.team_id, row.fingerprint = one.seen.key
    row.labels, row.annotations = dict(one.seen.labels), dict(one.seen.annotations)
    row.value = one.seen.value
    row.active_at, row.fired_at, row.keep_until = one.active_at, one.fired_at, one.keep_until
    return row


def _report(rule: Rule, before: Mapping[Key, Instance], now: Mapping[Key, Instance]) -> None:
    """Tell each tenant for whom the rule fires, or did until now, all that fires."""
    firing: dict[int | None, list[door.Finding]] = defaultdict(list)
    for instance in before.values():
        if instance.is_firing:
            firing[instance.seen.team_id] = []
    for instance in now.values():
        if instance.is_firing:
            one = instance.seen
            firing[one.team_id].append(door.Finding(one.labels, one.annotations, instance.fired_at))
    for team_id, findings in firing.items():
        door.report(reporter(rule), team_id, findings)
