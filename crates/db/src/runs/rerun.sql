-- Makes cell $2 of run $1 wait again as if nothing had been answered: its next round.
UPDATE cells SET status = 'queued', stage = 'generate', round = round + 1, tries = 0,
    not_before = NULL, output_raw = NULL, output_parsed = NULL, grader_output = NULL, grade = NULL,
    grade_source = NULL, manual_grade = 'unset', checks = NULL, latency_ms = NULL, latency_bucket = NULL,
    cached = false, error_code = NULL, error_message = NULL, model_version = NULL
WHERE run_id = $1 AND id = $2
