"""The database's own guards: what people decided never changes."""

from django.db import migrations

TABLES = ("drift_review", "drift_thresholdchange", "drift_mitigationstep")
FORWARD = r"""
CREATE FUNCTION drift_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A row of % is history: add another one instead.', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
""" + "".join(
    f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION drift_refuse_change();\n"
    for table in TABLES
)
BACKWARD = "".join(f"DROP TRIGGER {table}_append_only ON {table};\n" for table in TABLES) + (
    "DROP FUNCTION drift_refuse_change();"
)


class Migration(migrations.Migration):
    dependencies = (("drift", "0001_initial"),)

    operations = (migrations.RunSQL(FORWARD, BACKWARD),)
