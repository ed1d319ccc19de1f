"""The database's own guards: rows never change, lines sum to their rows, postings sum to the bill."""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION costs_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A row of % is immutable: deliver a correction instead.', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER costs_billrow_immutable BEFORE UPDATE OR DELETE ON costs_billrow
    FOR EACH ROW EXECUTE FUNCTION costs_refuse_change();
CREATE TRIGGER costs_allocationline_unchanged BEFORE UPDATE ON costs_allocationline
    FOR EACH ROW EXECUTE FUNCTION costs_refuse_change();

CREATE FUNCTION costs_refuse_late_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT part_id FROM arrived) a
        LEFT JOIN costs_deliverypart p ON p.id = a.part_id LEFT JOIN costs_delivery d ON d.id = p.delivery_id
        WHERE d.state IS DISTINCT FROM 'received'
    ) THEN
        RAISE EXCEPTION 'Rows can only be added to a delivery while it is imported.'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER costs_billrow_in_time AFTER INSERT ON costs_billrow REFERENCING NEW TABLE AS arrived
    FOR EACH STATEMENT EXECUTE FUNCTION costs_refuse_late_rows();

CREATE FUNCTION costs_refuse_late_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT run_id FROM touched) t
        LEFT JOIN costs_allocationrun r ON r.id = t.run_id
        WHERE r.state IS DISTINCT FROM 'running'
    ) THEN
        RAISE EXCEPTION 'Lines of an allocation run only change while it runs.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER costs_allocationline_in_time AFTER INSERT ON costs_allocationline REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION costs_refuse_late_lines();
CREATE TRIGGER costs_allocationline_gone_in_time AFTER DELETE ON costs_allocationline REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION costs_refuse_late_lines();

CREATE FUNCTION costs_run_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE CONSTRAINT TRIGGER costs_allocationrun_adds_up AFTER INSERT ON costs_allocationrun
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION costs_run_adds_up();
CREATE CONSTRAINT TRIGGER costs_allocationrun_still_adds_up AFTER UPDATE ON costs_allocationrun
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.state <> 'running') EXECUTE FUNCTION costs_run_adds_up();

CREATE FUNCTION costs_refuse_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A final % never changes: post an adjustment to the open period.', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER costs_allocationrun_final BEFORE UPDATE OR DELETE ON costs_allocationrun
    FOR EACH ROW WHEN (OLD.state = 'final') EXECUTE FUNCTION costs_refuse_final();
CREATE TRIGGER costs_statement_final BEFORE UPDATE OR DELETE ON costs_statement
    FOR EACH ROW WHEN (OLD.state = 'final') EXECUTE FUNCTION costs_refuse_final();

INSERT INTO costs_ledgerversion (id, version) VALUES (1, 1);
"""

BACKWARD = """
DROP TRIGGER costs_statement_final ON costs_statement;
DROP TRIGGER costs_allocationrun_final ON costs_allocationrun;
DROP TRIGGER costs_allocationrun_still_adds_up ON costs_allocationrun;
DROP TRIGGER costs_allocationrun_adds_up ON costs_allocationrun;
DROP TRIGGER costs_allocationline_gone_in_time ON costs_allocationline;
DROP TRIGGER costs_allocationline_in_time ON costs_allocationline;
DROP TRIGGER costs_allocationline_unchanged ON costs_allocationline;
DROP TRIGGER costs_billrow_in_time ON costs_billrow;
DROP TRIGGER costs_billrow_immutable ON costs_billrow;
DROP FUNCTION costs_refuse_final(), costs_run_adds_up(), costs_refuse_late_lines(), costs_refuse_late_rows(),
    costs_refuse_change();
DELETE FROM costs_ledgerversion;
"""


class Migration(migrations.Migration):
    dependencies = [("costs", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
