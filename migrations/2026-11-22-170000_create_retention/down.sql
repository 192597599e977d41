DROP TABLE retention_state;
DROP TABLE retention_rules;
