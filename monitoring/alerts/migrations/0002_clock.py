"""`app_now()`: the one clock of alerting, the database's own, which tests can shift."""

from django.db import migrations

CREATE = """
CREATE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT coalesce((SELECT fixed_at FROM alerts_clock), clock_timestamp())
       + coalesce((SELECT shift FROM alerts_clock), interval '0')
$$
"""


class Migration(migrations.Migration):

    dependencies = [('alerts', '0001_initial')]

    operations = [migrations.RunSQL(CREATE, "DROP FUNCTION app_now()")]
