-- Stores issues $3 (of which none comes twice) of tracker $1 in company $2, each under its id there.
-- What is stored already as it came, or newer, is not written at all. Of several that say they go by
-- one key, the one that changed last has it. What was found to be gone after the tracker was asked ($4) stays so.
INSERT INTO issues (
    id, company_id, tracker_id, external_id, ext_key, key_lost, url, title, description, status, status_name,
    priority, priority_name, labels, acceptance_criteria, assignee_id, assignee_name, assignee_email,
    reporter_id, reporter_name, reporter_email, tracker_created_at, tracker_updated_at, payload)
SELECT id, $2, $1, external_id, ext_key,
    row_number() OVER (PARTITION BY ext_key ORDER BY tracker_updated_at DESC, external_id DESC) > 1,
    url, title, description, status, status_name,
    priority, priority_name, ARRAY(SELECT jsonb_array_elements_text(labels)), acceptance_criteria,
    assignee_id, assignee_name, assignee_email, reporter_id, reporter_name, reporter_email,
    tracker_created_at, tracker_updated_at, payload
FROM jsonb_to_recordset($3) AS sent (
    id uuid, external_id text, ext_key text, url text, title text, description text, status text,
    status_name text, priority text, priority_name text, labels jsonb, acceptance_criteria text,
    assignee_id text, assignee_name text, assignee_email text, reporter_id text, reporter_name text,
    reporter_email text, tracker_created_at timestamptz, tracker_updated_at timestamptz, payload jsonb)
ON CONFLICT ON CONSTRAINT issues_external DO UPDATE SET
    ext_key = excluded.ext_key, key_lost = excluded.key_lost, url = excluded.url, title = excluded.title,
    description = excluded.description, status = excluded.status, status_name = excluded.status_name,
    priority = excluded.priority, priority_name = excluded.priority_name, labels = excluded.labels,
    acceptance_criteria = excluded.acceptance_criteria, assignee_id = excluded.assignee_id,
    assignee_name = excluded.assignee_name, assignee_email = excluded.assignee_email,
    reporter_id = excluded.reporter_id, reporter_name = excluded.reporter_name,
    reporter_email = excluded.reporter_email, tracker_created_at = excluded.tracker_created_at,
    tracker_updated_at = excluded.tracker_updated_at, payload = excluded.payload, gone_at = NULL
WHERE (issues.gone_at IS NULL OR issues.gone_at <= $4)
  AND (issues.tracker_updated_at < excluded.tracker_updated_at
   OR (issues.tracker_updated_at = excluded.tracker_updated_at AND (
       issues.gone_at, issues.ext_key, issues.key_lost, issues.url, issues.title, issues.description,
       issues.status, issues.status_name, issues.priority, issues.priority_name, issues.labels,
       issues.acceptance_criteria, issues.assignee_id, issues.assignee_name, issues.assignee_email,
       issues.reporter_id, issues.reporter_name, issues.reporter_email
   ) IS DISTINCT FROM (
       NULL::timestamptz, excluded.ext_key, excluded.key_lost, excluded.url, excluded.title, excluded.description,
       excluded.status, excluded.status_name, excluded.priority, excluded.priority_name, excluded.labels,
       excluded.acceptance_criteria, excluded.assignee_id, excluded.assignee_name, excluded.assignee_email,
       excluded.reporter_id, excluded.reporter_name, excluded.reporter_email
   )))
