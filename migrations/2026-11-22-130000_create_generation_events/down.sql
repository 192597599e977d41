DROP TABLE generation_events;
DROP FUNCTION keep_before_fold();
DROP TABLE generation_folds;
DROP TABLE generation_sums;
ALTER TABLE prompts DROP COLUMN issue_id, DROP COLUMN request_id, DROP COLUMN template_id;
