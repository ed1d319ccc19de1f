"""Typed factories for the fleet: each makes one thing with sensible defaults, and names what it does not get."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from fleetledger.fleet import tokens
from fleetledger.fleet.models import (
    Cluster,
    Gpu,
    Job,
    Membership,
    MigSlice,
    Node,
    OwnershipRule,
    Pool,
    Role,
    Source,
    SourceKind,
    Team,
    User,
    Workload,
)

PASSWORD = "correct horse battery"
START = datetime(2026, 10, 1, tzinfo=UTC)
_numbers = count(1)


def user(username: str = "", *, role: str = Role.VIEWER, **fields: Any) -> User:
    """A person who can sign in with PASSWORD."""
    return User.objects.create_user(
        username=username or f"user-{next(_numbers)}", password=PASSWORD, role=role, **fields
    )


def admin(username: str = "admin") -> User:
    return user(username, role=Role.ADMIN)


def team(slug: str = "", *, parent: Team | None = None, name: str = "", cost_center: str = "") -> Team:
    slug = slug or f"team-{next(_numbers)}"
    return Team.objects.create(slug=slug, name=name or slug.title(), parent=parent, cost_center=cost_center)


def member(of: Team, *, role: str = Role.VIEWER, username: str = "") -> User:
    """A viewer of the fleet who belongs to one team."""
    person = user(username)
    Membership.objects.create(team=of, user=person, role=role)
    return person


def cluster(name: str = "c1", **fields: Any) -> Cluster:
    return Cluster.objects.get_or_create(name=name, defaults=fields)[0]


def node(name: str = "node-a", *, cluster: Cluster | None = None, **fields: Any) -> Node:
    return Node.objects.create(name=name, cluster=cluster or _default_cluster(), **fields)


def gpu(uuid: str = "", *, node: Node | None = None, model: str = "NVIDIA H100 80GB HBM3", **fields: Any) -> Gpu:
    """A GPU that exists since START, on a node of its own where none is given."""
    where = node or Node.objects.get_or_create(name="node-a", cluster=_default_cluster())[0]
    values: dict[str, Any] = {"first_sample_at": START, "last_sample_at": START, **fields}
    return Gpu.objects.create(uuid=uuid or f"GPU-{next(_numbers):08d}", node=where, model=model, **values)


def mig_slice(of: Gpu, gi_id: int, profile: str = "1g.10gb", *, slices: int = 1) -> MigSlice:
    return MigSlice.objects.create(
        gpu=of, gi_id=gi_id, profile=profile, slices=slices, first_sample_at=START, last_sample_at=START
    )


def workload(name: str = "train-0", *, namespace: str = "default", cluster: Cluster | None = None) -> Workload:
    return Workload.objects.create(name=name, namespace=namespace, cluster=cluster or _default_cluster())


def rule(
    of: Team, match: Mapping[str, Any], *, since: date | None = None, until: date | None = None, position: int = -1
) -> OwnershipRule:
    """An ownership rule, after those that exist."""
    place = position if position >= 0 else OwnershipRule.objects.count()
    return OwnershipRule.objects.create(team=of, match=dict(match), valid_from=since, valid_until=until, position=place)


def pool(name: str, match: Mapping[str, str], **fields: Any) -> Pool:
    return Pool.objects.create(name=name, match=dict(match), position=Pool.objects.count(), **fields)


def source(
    name: str = "prom1", kind: str = SourceKind.PROMETHEUS, *, cluster: Cluster | None = None, **fields: Any
) -> Source:
    place = None if kind == SourceKind.BILL else cluster or _default_cluster()
    return Source.objects.create(name=name, kind=kind, cluster=place, **fields)


def token(name: str = "program", scopes: Sequence[str] = ("read",), *, team: Team | None = None, **fields: Any) -> str:
    """A live token's secret."""
    return tokens.create(name, scopes, team=team, **fields).secret


def bearer(secret: str) -> dict[str, str]:
    """The header as Django's test client takes it: client.get(url, headers=bearer(secret))."""
    return {"authorization": f"Bearer {secret}"}


def job(kind: str = "import", **fields: Any) -> Job:
    return Job.objects.create(kind=kind, **fields)


def _default_cluster() -> Cluster:
    return Cluster.objects.get_or_create(name="c1")[0]
