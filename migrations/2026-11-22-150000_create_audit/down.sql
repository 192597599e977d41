-- What was entered is lost. The triggers of the tables go with their function.
DROP FUNCTION audit_change() CASCADE;
DROP FUNCTION audit_cut(uuid, bigint), audit_append(uuid, text, text, text, jsonb, jsonb),
    audit_members(jsonb, jsonb), audit_member(text, jsonb, boolean), audit_hash(audit_entries);
DROP TABLE audit_entries, audit_heads;
DROP FUNCTION audit_refuse();
