DROP INDEX models_provider_key;
ALTER TABLE models DROP COLUMN provider_key_id CASCADE;
DROP TABLE provider_keys;
