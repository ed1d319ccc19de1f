"""Blocks come compressed: the database need not try again."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("costs", "0003_run_names_its_parts")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE costs_deliveryblock ALTER COLUMN content SET STORAGE EXTERNAL",
            "ALTER TABLE costs_deliveryblock ALTER COLUMN content SET STORAGE EXTENDED",
        )
    ]
