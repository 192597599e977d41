-- What these are, as far as the viewer may see them.
SELECT kind, id, title, at FROM (
    SELECT 'issue' AS kind, issues.id, issues.ext_key || ' ' || issues.title AS title, issues.created_at AS at,
        issues.company_id, NULL::uuid AS owner_id, trackers.deleted_at IS NULL AS is_shared
    FROM issues JOIN trackers ON trackers.id = issues.tracker_id
    UNION ALL
    -- As in the lists of requests: their creators', their developers', in engineering review, and for leads all.
    SELECT 'request', id, '#' || number || ' ' || title, created_at, company_id,
        CASE WHEN assigned_to = $4 THEN assigned_to ELSE created_by END, status = 'Engineering Review' OR $5
    FROM requests
    UNION ALL
    SELECT 'template', id, name, created_at, company_id, NULL, deleted_at IS NULL FROM prompt_templates
    UNION ALL
    SELECT 'prompt', id, title, created_at, company_id, owner_id, visibility = 'company' FROM prompts
    UNION ALL
    SELECT 'promptVersion', versions.id, prompts.title || ', ' || versions.label, versions.created_at,
        versions.company_id, prompts.owner_id, prompts.visibility = 'company'
    FROM prompt_versions AS versions JOIN prompts ON prompts.id = versions.prompt_id
    UNION ALL
    SELECT 'run', id, prompt_title || ', ' || version_label, created_at, company_id, owner_id, visibility = 'company'
    FROM runs
    UNION ALL
    SELECT 'output', outputs.id, file_name, outputs.created_at, outputs.company_id, prompts.owner_id,
        prompts.visibility = 'company'
    FROM outputs JOIN prompts ON prompts.id = outputs.prompt_id
) AS nodes
WHERE kind = $1 AND id = ANY ($2) AND company_id = $3 AND (is_shared OR owner_id = $4)
