"""Who and what exists: people, teams, the machines they share, and who may see what."""

import uuid
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Role(models.TextChoices):
    VIEWER = "viewer", "Viewer"
    LEAD = "lead", "Lead"
    FINANCE = "finance", "Finance"
    SRE = "sre", "SRE"
    ADMIN = "admin", "Admin"


class User(AbstractUser):
    """A person who signs in. `role` holds for the whole fleet; a membership's role for one team and those below it."""

    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)
    time_zone = models.CharField(max_length=64, default="UTC")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="fleet_user_role_known")
        ]


class Team(models.Model):
    """Who pays. Teams form a tree; `cost_center` is what finance calls this team."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    cost_center = models.CharField(max_length=64, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "slug"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(parent=F("id")), name="fleet_team_is_not_its_own_parent"),
            models.CheckConstraint(condition=~Q(slug=""), name="fleet_team_has_slug"),
        ]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's role in a team; it reaches the teams below."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "user"], name="fleet_membership_once_per_team"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="fleet_membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.team}"


class Cluster(models.Model):
    name = models.CharField(max_length=200, unique=True)
    provider = models.CharField(max_length=64, blank=True)
    region = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Node(models.Model):
    """A machine. `provider_id` ties it to bill rows (their ResourceId's last segment); `gpus`: what it should have."""

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="nodes")
    name = models.CharField(max_length=253)
    provider_id = models.CharField(max_length=500, blank=True, db_index=True)
    gpus = models.PositiveSmallIntegerField(null=True, blank=True)
    declared = models.BooleanField(default=False, help_text="Named in the configuration, not only seen in telemetry.")
    first_seen_at = models.DateTimeField(auto_now_add=True)
    last_sample_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["cluster__name", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cluster", "name"], name="fleet_node_once_per_cluster")
        ]

    def __str__(self) -> str:
        return self.name


class SourceKind(models.TextChoices):
    PROMETHEUS = "prometheus", "Prometheus"
    EXPORTERS = "exporters", "Exporters"
    NVML = "nvml", "NVML"
    BILL = "bill", "Bill"


class Source(models.Model):
    """Where facts come from. `config` holds the kind's own keys as in the configuration file, secrets as references."""

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=16, choices=SourceKind)
    cluster = models.ForeignKey(Cluster, null=True, blank=True, on_delete=models.PROTECT, related_name="sources")
    enabled = models.BooleanField(default=True)
    config = models.JSONField(default=dict)
    watermark_at = models.DateTimeField(null=True, blank=True, help_text="Facts are complete up to this instant.")
    last_attempt_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=SourceKind.values), name="fleet_source_kind_known")
        ]

    def __str__(self) -> str:
        return self.name


class Gpu(models.Model):
    """One physical GPU, known by its UUID alone. It exists from its first sample until it is retired."""

    uuid = models.CharField(max_length=96, unique=True)
    model = models.CharField(max_length=200, blank=True)
    node = models.ForeignKey(Node, null=True, blank=True, on_delete=models.PROTECT, related_name="gpu_set")
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.SET_NULL, related_name="gpus")
    device_index = models.CharField(max_length=32, blank=True)
    memory_mib = models.PositiveIntegerField(null=True, blank=True)
    slices = models.PositiveSmallIntegerField(
        default=7, help_text="Compute slices of the model under MIG: 7, or 4 on A30."
    )
    first_sample_at = models.DateTimeField(null=True, blank=True)
    last_sample_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["node__cluster__name", "node__name", "device_index", "uuid"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(uuid=""), name="fleet_gpu_has_uuid"),
            models.CheckConstraint(condition=Q(slices__gte=1), name="fleet_gpu_has_slices"),
            models.CheckConstraint(
                condition=Q(retired_at__isnull=True)
                | Q(first_sample_at__isnull=True)
                | Q(retired_at__gte=F("first_sample_at")),
                name="fleet_gpu_retired_after_first_sample",
            ),
        ]

    def __str__(self) -> str:
        return self.uuid


class MigSlice(models.Model):
    """A GPU instance: `gi_id` and profile with the share of its GPU's compute slices, while it was seen."""

    gpu = models.ForeignKey(Gpu, on_delete=models.CASCADE, related_name="mig_slices")
    gi_id = models.PositiveSmallIntegerField()
    profile = models.CharField(max_length=32)
    slices = models.PositiveSmallIntegerField()
    first_sample_at = models.DateTimeField()
    last_sample_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["gpu_id", "gi_id", "first_sample_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gpu", "gi_id", "profile"], name="fleet_migslice_once_per_profile"),
            models.CheckConstraint(condition=Q(slices__gte=1), name="fleet_migslice_has_slices"),
        ]

    def __str__(self) -> str:
        return f"{self.profile} #{self.gi_id}"


class Workload(models.Model):
    """What held a GPU: a pod (or a Slurm job) of a namespace. `kind` is its class from a configured label or empty."""

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="workloads")
    namespace = models.CharField(max_length=253, blank=True)
    name = models.CharField(max_length=253)
    kind = models.CharField(max_length=64, blank=True)
    owner = models.CharField(max_length=253, blank=True)
    first_seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["cluster__name", "namespace", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cluster", "namespace", "name"], name="fleet_workload_once_per_namespace")
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class OwnershipRule(models.Model):
    """Whose usage or bill rows match. Rules are asked by `position`; the first that is in force and matches wins.

    `match` has the configuration's keys: cluster, namespace, node, workload, gpu_model, pool (anchored regular
    expressions) and tags (literal values of bill tags). `valid_from` and `valid_until` are days in UTC, half-open.
    """

    position = models.PositiveIntegerField()
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="ownership_rules")
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    match = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="fleet_ownershiprule_ends_after_it_starts",
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.team}"


class IdlePolicy(models.TextChoices):
    KEEP = "keep", "Keep as idle"
    OWNER = "owner", "Charge the owner"
    SHARE = "share", "Share in proportion"


class SharePolicy(models.TextChoices):
    SLICES = "slices", "Compute slices"
    MEMORY = "memory", "Memory"
    DOMINANT = "dominant", "Dominant"


class Pool(models.Model):
    """GPUs that are priced and shared alike; the first pool in order whose `match` fits a GPU has it."""

    position = models.PositiveIntegerField()
    name = models.CharField(max_length=100, unique=True)
    match = models.JSONField(default=dict)
    idle = models.CharField(max_length=8, choices=IdlePolicy, default=IdlePolicy.KEEP)
    share = models.CharField(max_length=8, choices=SharePolicy, default=SharePolicy.SLICES)
    owner = models.ForeignKey(Team, null=True, blank=True, on_delete=models.PROTECT, related_name="pools")

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(idle__in=IdlePolicy.values), name="fleet_pool_idle_known"),
            models.CheckConstraint(condition=Q(share__in=SharePolicy.values), name="fleet_pool_share_known"),
            models.CheckConstraint(condition=~Q(idle="owner") | Q(owner__isnull=False), name="fleet_pool_owner_named"),
        ]

    def __str__(self) -> str:
        return self.name


class ApiToken(models.Model):
    """A program's key: `fl_<prefix>_<secret>`, of which only the SHA-256 is kept.

    `scopes` are read, write, admin, narrowed as read:costs. A token with a team sees that team and those below it.
    """

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=32))
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="tokens")
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return self.name


class JobState(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class Job(models.Model):
    """Progress of long work, for the page and the API."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=JobState, default=JobState.QUEUED)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True, blank=True)
    message = models.TextField(blank=True)
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict, blank=True)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="fleet_job_state_known")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class IdempotencyKey(models.Model):
    """A client's key with the answer it got, so that a repeated request is answered the same and done once."""

    principal = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["principal", "key"], name="fleet_idempotencykey_once_per_principal")
        ]

    def __str__(self) -> str:
        return self.key
