"""A thousand models with ninety days of reports each, their findings and what they cost, and a large snapshot."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from drift.models import Model
from tests import world as fleet

MODELS, DAYS, TEAMS, COLUMNS = 1000, 90, 20, 20
START = datetime(2026, 9, 1, tzinfo=UTC)
SNAPSHOT_BYTES = 1_200_000
FILL = """
    INSERT INTO drift_report (model_id, state, generation, tool, tool_version, digest, window_from, window_to,
        is_dated, dated_by, received_at, share, drift_share, is_drifted, "columns", drifted_columns, note)
    SELECT m.id, 'imported', 'evidently-e', 'evidently', '', md5(m.id || ' ' || d.at), d.at, d.at + interval '1 day',
        true, 'asked', d.at + interval '25 hours', (m.id %% 7) / 10.0, 0.5, m.id %% 7 > 4, %(columns)s,
        2 * (m.id %% 7), ''
    FROM drift_model m, generate_series(%(start)s, %(end)s, interval '1 day') AS d(at)
"""
SCORES = """
    INSERT INTO drift_score (report_id, position, "column", kind, method, method_as_written, value, threshold,
        threshold_assumed, direction, is_drifted, engine, engine_version, recipe)
    SELECT r.id, c.at, 'column_' || c.at, 'drift', 'psi', 'psi', (r.id + c.at) %% 100 / 500.0, 0.1, false, 'large',
        (r.id + c.at) %% 100 >= 50, 'evidently', '', ''
    FROM drift_report r JOIN drift_model m ON m.id = r.model_id, generate_series(1, %(columns)s) AS c(at)
    WHERE m.name LIKE 'model-00%%'
"""
FINDINGS = """
    INSERT INTO drift_finding (model_id, team_id, signal, kind, severity, state, summary, columns, evidence, flaps,
        is_quiet, opened_at, closed_at, due_at, review, verdict)
    SELECT m.id, m.owner_id, 'column:c' || f.at, 'drift', (ARRAY['low', 'medium', 'high'])[1 + (m.id + f.at) %% 3],
        CASE WHEN f.at < 3 THEN 'open' ELSE 'closed' END, 'It drifts.', '[]', '{}', 1, false, %(end)s,
        CASE WHEN f.at < 3 THEN NULL ELSE %(end)s::timestamptz END, %(end)s, 'waiting', ''
    FROM drift_model m, generate_series(0, 9) AS f(at)
"""
MITIGATIONS = """
    INSERT INTO drift_mitigation (finding_id, kind, state, key, note, cost, actual, proposed_at, proposed_by, link)
    SELECT f.id, 'retrain', 'succeeded', gen_random_uuid(), '', c.cost, c.cost, now(), 'mira', ''
    FROM drift_finding f, LATERAL (
        SELECT jsonb_build_object('amount', (f.id %% 5000 / 100.0)::numeric(9, 2)::text, 'currency', 'USD',
            'price', '2.50', 'gpu_hours', '8.000', 'gpu_model', 'NVIDIA H100 80GB HBM3', 'runs', 3, 'why', '') AS cost
    ) c WHERE f.signal < 'column:c5'
"""


def fill() -> None:
    """Reports of all models, ten findings and five mitigations of each; scores of the first hundred models, 180,000."""
    teams = [fleet.team() for _ in range(TEAMS)]
    Model.objects.bulk_create(
        Model(name=f"model-{number:04}", owner=teams[number % TEAMS], importance=1 + number % 5)
        for number in range(MODELS)
    )
    terms: dict[str, Any] = {"start": START, "end": START + timedelta(days=DAYS - 1), "columns": COLUMNS}
    with connection.cursor() as cursor:
        cursor.execute(FILL, terms)
        for filling in (SCORES, FINDINGS, MITIGATIONS):
            cursor.execute(filling, terms)
        cursor.execute("ANALYZE drift_report, drift_score, drift_model, drift_finding, drift_mitigation")


def snapshot() -> bytes:
    """A saved snapshot of Evidently 0.4: plots make most of its 1.2 MB."""
    columns = {f"column_{number}": _column(f"column_{number}", number) for number in range(200)}
    table = {
        "type": "evidently:metric_result:DataDriftTableResults",
        "number_of_columns": len(columns),
        "number_of_drifted_columns": 100,
        "share_of_drifted_columns": 0.5,
        "dataset_drift": True,
        "drift_by_columns": columns,
    }
    suite = {"metrics": [], "metric_results": [table]}
    return json.dumps({"id": "x", "timestamp": "2026-11-01T06:00:00", "suite": suite, "metrics_ids": []}).encode()


def _column(name: str, number: int) -> dict[str, Any]:
    drawn = {"x": [place / 7 for place in range(90)], "y": [place / 3 for place in range(90)]}
    return {
        "column_name": name,
        "stattest_name": "K-S p_value",
        "stattest_threshold": 0.05,
        "drift_score": number / 200 * 0.1,
        "drift_detected": number < 100,
        "current": {"distribution": drawn},
        "reference": {"small_distribution": drawn},
    }
