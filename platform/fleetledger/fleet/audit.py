"""Names the models whose every change is kept with who made it and when."""

from auditlog.registry import auditlog

from fleetledger.fleet import models


def register() -> None:
    """Tell the audit log what to watch; secrets and heartbeat fields stay out of it."""
    for model in (models.Team, models.Membership, models.Cluster, models.OwnershipRule, models.Pool, models.MigSlice):
        auditlog.register(model)
    auditlog.register(models.User, exclude_fields=["password", "last_login"])
    auditlog.register(models.Node, exclude_fields=["last_sample_at"])
    auditlog.register(models.Gpu, exclude_fields=["last_sample_at"])
    auditlog.register(models.Source, include_fields=["name", "kind", "cluster", "enabled", "config"])
    auditlog.register(models.ApiToken, exclude_fields=["digest", "last_used_at"])
