"""The database's own guard: what a reference holds never changes once it was read."""

from django.db import migrations

FORWARD = r"""
CREATE FUNCTION drift_refuse_new_reference_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'waiting' AND
        (NEW.version, NEW.model_id, NEW.file_id, NEW.rows, NEW.profile, NEW.seasons, NEW.baseline) IS DISTINCT FROM
        (OLD.version, OLD.model_id, OLD.file_id, OLD.rows, OLD.profile, OLD.seasons, OLD.baseline)
    THEN
        RAISE EXCEPTION 'A reference is history: send another version instead.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER drift_reference_immutable BEFORE UPDATE OR DELETE ON drift_reference
FOR EACH ROW EXECUTE FUNCTION drift_refuse_new_reference_rows();
"""
BACKWARD = """
DROP TRIGGER drift_reference_immutable ON drift_reference;
DROP FUNCTION drift_refuse_new_reference_rows();
"""


class Migration(migrations.Migration):
    dependencies = (("drift", "0003_native"),)

    operations = (migrations.RunSQL(FORWARD, BACKWARD),)
