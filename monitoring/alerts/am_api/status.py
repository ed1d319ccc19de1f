"""What clients ask before anything else: version, configuration, receivers, whether it is ready, and its metrics."""

import platform
from datetime import UTC, datetime
from typing import Final

from django.http import HttpResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from fleetledger.web.accounts.reads import product_version
from monitoring.alerts import alertmanager_yaml, trees
from monitoring.alerts.am_api import answers
from monitoring.alerts.am_api.entrance import Call, endpoint, reading
from monitoring.alerts.am_api.listing import open_alerts

SPOKEN: Final = "0.25.0"  # the version whose API this is: clients choose by it what they ask
VERSION: Final = {
    "branch": "fleetledger",
    "buildDate": "",
    "buildUser": "",
    "goVersion": f"python{platform.python_version()}",
    "revision": product_version(),
    "version": SPOKEN,
}
_STARTED_AT: Final = datetime.now(UTC)  # of this process, as the machine's clock has it


def shown(call: Call) -> HttpResponse:
    """GET status; `config.original` is the routing tree as Alertmanager's configuration, secrets redacted."""
    original = alertmanager_yaml.original(trees.tree_for(call.tenant.team_id))
    document = {
        "cluster": {"peers": [], "status": "disabled"},
        "config": {"original": original},
        "uptime": answers.instant(_STARTED_AT),
        "versionInfo": VERSION,
    }
    return answers.document(document)


def receiver_names(call: Call) -> HttpResponse:
    """GET receivers."""
    return answers.document([{"name": name} for name in trees.tree_for(call.tenant.team_id).receivers])


def fine(_call: Call) -> HttpResponse:
    """GET /-/ready and /-/healthy: who was let in was answered by the database."""
    return HttpResponse("OK", content_type="text/plain; charset=utf-8")


def counted(call: Call) -> HttpResponse:
    """GET /metrics: the version, by which karma knows an Alertmanager, and this tenant's alerts."""
    registry = CollectorRegistry()
    labels = {"branch": VERSION["branch"], "goversion": VERSION["goVersion"], "revision": VERSION["revision"]}
    info = Gauge("alertmanager_build_info", "The API's version.", [*labels, "version"], registry=registry)
    info.labels(**labels, version=SPOKEN).set(1)
    states = Gauge("alertmanager_alerts", "How many alerts by state.", ["state"], registry=registry)
    found = [alert.is_suppressed for alert in open_alerts(call.tenant)]
    states.labels(state="active").set(found.count(False))
    states.labels(state="suppressed").set(found.count(True))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


status = endpoint(**reading(shown))
receivers = endpoint(**reading(receiver_names))
ready = endpoint(**reading(fine))
metrics = endpoint(**reading(counted))
