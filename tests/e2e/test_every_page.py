"""Every page in a real browser: both widths, both themes, no complaint and nothing cut off."""

import pytest
from playwright.sync_api import Browser

from drift.models import Reference
from fleetledger.fleet.models import Gpu
from monitoring.alerts.models import Alert, OutboxMessage
from tests.e2e.conftest import new_context, visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db, pytest.mark.timeout(900)]

PATHS = (
    "/",
    "/?from=now-24h&to=now",
    "/teams/",
    "/teams/vision/?from=now-7d&to=now",
    "/fleet/",
    "/fleet/nodes/",
    "/fleet/gpus/",
    "/sources/",
    "/chargeback/",
    "/bills/",
    "/alerts/",
    "/alerts/?group=none",
    "/alerts/?q=nothing-is-called-so",
    "/alerts/silences/",
    "/alerts/silences/?tab=maintenance",
    "/alerts/silences/new/",
    "/alerts/maintenance/new/",
    "/alerts/routing/?team=vision&labels=alertname%3DE2eIdle",
    "/alerts/deliveries/",
    "/alerts/rules/",
    "/alerts/history/",
    "/alerts/on-call/",
    "/alerts/escalations/",
    "/alerts/learning/",
    "/alerts/routing/import/",
    "/drift/",
    "/drift/reports/new/",
    "/drift/data/new/",
    "/drift/data/new/?kind=window&model=scratch-vit",
    "/drift/models/ranker-xl/",
    "/drift/models/scratch-vit/",
    "/drift/models/scratch-vit/references/",
    "/drift/models/scratch-vit/windows/",
    "/drift/models/scratch-vit/windows/?state=unreadable",
    "/availability/",
    "/availability/?kind=own&days=90",
    "/availability/slos/",
    "/incidents/",
    "/incidents/new/",
    "/healing/",
    "/game-days/",
    "/public/status/",
    "/drift/queue/",
    "/settings/",
    "/settings/notifications/",
    "/help/",
    "/help/runbooks/",
    "/search/?q=vision",
    "/teams/nobody-has-this-slug/",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_fits_and_breaks_no_rule(
    chromium: Browser, site: str, signed_in: str, width: int, theme: str
) -> None:
    """No console error (the content security policy speaks there too), and no sideways scrolling."""
    context = new_context(chromium, site, signed_in, width=width, theme=theme)
    seen = visit(context, site)
    gpu = Gpu.objects.select_related("node__cluster").exclude(node=None).order_by("pk").first()
    assert gpu is not None
    assert gpu.node is not None
    message = OutboxMessage.objects.earliest("pk")
    silent = Alert.objects.get(name="E2eSilent")
    found = (
        f"/fleet/gpus/{gpu.uuid}/",
        f"/fleet/nodes/{gpu.node.cluster.name}/{gpu.node.name}/",
        f"/drift/references/{Reference.objects.latest('pk').pk}/",
        f"/alerts/{silent.pk}/",
        f"/alerts/deliveries/{message.pk}/",
    )
    too_wide = []
    for path in (*PATHS, *found):
        seen.open(path)
        body = seen.page.locator("html")
        if body.evaluate("element => element.scrollWidth - element.clientWidth") > 0:
            too_wide.append(path)
    context.close()
    expected = [complaint for complaint in seen.complaints if "nobody-has-this-slug" in complaint]
    assert (too_wide, [complaint for complaint in seen.complaints if complaint not in expected]) == ([], [])
