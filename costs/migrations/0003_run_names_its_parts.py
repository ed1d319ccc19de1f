"""A run names the parts of deliveries it divided, and adds up over just these."""

import django.contrib.postgres.fields
from django.db import migrations, models

FORWARD = r"""
CREATE OR REPLACE FUNCTION costs_run_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run costs_allocationrun%ROWTYPE;
    wrong record;
    posted record;
BEGIN
    SELECT * INTO run FROM costs_allocationrun WHERE id = NEW.id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF run.state = 'running' THEN
        RAISE EXCEPTION 'Allocation run % was left running.', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    SELECT count(*) AS n, min(id) AS first_id INTO wrong FROM (
        SELECT COALESCE(r.id, l.row_id) AS id
        FROM (
            SELECT b.id, CASE run.basis WHEN 'billed' THEN b.billed ELSE b.effective END AS amount
            FROM costs_deliverypart p
            JOIN costs_billrow b ON b.id >= p.delivery_id << 32 AND b.id < (p.delivery_id + 1) << 32
                AND b.part_id = p.id
            WHERE p.id = ANY(run.part_ids)
        ) r
        FULL JOIN (
            SELECT row_id, sum(amount) AS amount FROM costs_allocationline WHERE run_id = run.id GROUP BY row_id
        ) l ON l.row_id = r.id
        WHERE r.amount IS DISTINCT FROM l.amount
    ) differing;
    IF wrong.n > 0 THEN
        RAISE EXCEPTION 'The lines of % bill rows do not sum to their row; the first is %.', wrong.n, wrong.first_id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT COALESCE(sum(exact), 0) AS exact, COALESCE(sum(amount_minor), 0) AS amount_minor INTO posted
        FROM costs_posting WHERE run_id = run.id AND kind = 'charge';
    IF posted.exact <> run.exact OR posted.amount_minor <> run.amount_minor THEN
        RAISE EXCEPTION 'The postings of a run sum to %, its bill rows to %.', posted.exact, run.exact
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""

BACKWARD = r"""
CREATE OR REPLACE FUNCTION costs_run_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    run costs_allocationrun%ROWTYPE;
    wrong record;
    posted record;
BEGIN
    SELECT * INTO run FROM costs_allocationrun WHERE id = NEW.id;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF run.state = 'running' THEN
        RAISE EXCEPTION 'Allocation run % was left running.', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    SELECT count(*) AS n, min(id) AS first_id INTO wrong FROM (
        SELECT COALESCE(r.id, l.row_id) AS id
        FROM (
            SELECT b.id, CASE run.basis WHEN 'billed' THEN b.billed ELSE b.effective END AS amount
            FROM costs_deliverypart p
            JOIN costs_delivery d ON d.id = p.delivery_id
            JOIN costs_billrow b ON b.id >= p.delivery_id << 32 AND b.id < (p.delivery_id + 1) << 32
                AND b.part_id = p.id
            WHERE d.source_id = run.source_id AND d.state = 'imported' AND p.period = run.period
                AND p.currency = run.currency AND p.superseded_by_id IS NULL
        ) r
        FULL JOIN (
            SELECT row_id, sum(amount) AS amount FROM costs_allocationline WHERE run_id = run.id GROUP BY row_id
        ) l ON l.row_id = r.id
        WHERE r.amount IS DISTINCT FROM l.amount
    ) differing;
    IF wrong.n > 0 THEN
        RAISE EXCEPTION 'The lines of % bill rows do not sum to their row; the first is %.', wrong.n, wrong.first_id
            USING ERRCODE = 'check_violation';
    END IF;
    SELECT COALESCE(sum(exact), 0) AS exact, COALESCE(sum(amount_minor), 0) AS amount_minor INTO posted
        FROM costs_posting WHERE run_id = run.id AND kind = 'charge';
    IF posted.exact <> run.exact OR posted.amount_minor <> run.amount_minor THEN
        RAISE EXCEPTION 'The postings of a run sum to %, its bill rows to %.', posted.exact, run.exact
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("costs", "0002_guards")]

    operations = [
        migrations.AddField(
            model_name="allocationrun",
            name="part_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                default=list,
                help_text="The parts of deliveries that were live.",
                size=None,
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
