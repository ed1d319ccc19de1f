import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("alerts", "0002_clock")]

    operations = [
        migrations.RemoveConstraint(model_name="ruleinstance", name="alerts_ruleinstance_once_per_rule"),
        migrations.AddField(
            model_name="ruleinstance",
            name="team",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="fleet.team",
            ),
        ),
        migrations.AddField(model_name="rule", name="is_ours", field=models.BooleanField(default=False)),
        migrations.AddConstraint(
            model_name="ruleinstance",
            constraint=models.UniqueConstraint(
                fields=("rule", "team", "fingerprint"), name="alerts_ruleinstance_once_per_rule", nulls_distinct=False
            ),
        ),
    ]
