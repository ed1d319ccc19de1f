"""Facts are partitioned by day and hours by month, so that old ones are dropped as whole tables."""

from django.db import migrations

PARTITIONED = """
ALTER TABLE {table} RENAME TO {table}_plain;
ALTER INDEX {table}_pkey RENAME TO {table}_plain_pkey;
CREATE TABLE {table} (
    LIKE {table}_plain INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE,
    PRIMARY KEY (bucket, unit_id, workload_id)
) PARTITION BY RANGE (bucket);
DROP TABLE {table}_plain;
"""
PLAIN = """
ALTER TABLE {table} RENAME TO {table}_parts;
CREATE TABLE {table} (LIKE {table}_parts INCLUDING ALL);
DROP TABLE {table}_parts;
"""
INDEXES = """
CREATE INDEX telemetry_fact_gpu ON telemetry_fact (gpu_id, bucket);  -- one GPU's page; existence of a GPU
CREATE INDEX telemetry_gpuhour_gpu ON telemetry_gpuhour (gpu_id, bucket);  -- one GPU's page; the ledger's node hours
CREATE INDEX telemetry_gpuhour_team ON telemetry_gpuhour (team_id, bucket) WHERE team_id IS NOT NULL;  -- a team's workloads
CREATE INDEX telemetry_gpuday_team ON telemetry_gpuday (team_id, bucket) WHERE team_id IS NOT NULL;
CREATE INDEX telemetry_reading_gpu ON telemetry_reading (gpu_id, bucket DESC);  -- a counter's last value, however old
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0001_initial")]
    operations = [
        *(
            migrations.RunSQL(PARTITIONED.format(table=table), PLAIN.format(table=table))
            for table in ("telemetry_fact", "telemetry_gpuhour")
        ),
        migrations.RunSQL(INDEXES, migrations.RunSQL.noop),
    ]
