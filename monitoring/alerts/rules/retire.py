"""Takes a rule out of service: what fires by it resolves, since nobody would ever take it back."""

from django.db import transaction

from monitoring.alerts import door
from monitoring.alerts.models import Rule
from monitoring.alerts.rules.evaluate import reporter


@transaction.atomic
def retire(rule: Rule) -> None:
    """Forget the rule's instances and end its alerts; the rule itself stays."""
    locked = Rule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    tenants = set(locked.instances.filter(fired_at__isnull=False).values_list("team_id", flat=True))
    for team_id in tenants:
        door.report(reporter(locked), team_id, [])
    locked.instances.all().delete()
    Rule.objects.filter(pk=locked.pk).update(lease_until=None, last_error="")


@transaction.atomic
def remove(rule: Rule) -> None:
    """End the rule's alerts and delete it."""
    retire(rule)
    rule.delete()
