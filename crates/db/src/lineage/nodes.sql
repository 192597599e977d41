-- What something is, as far as the viewer may see it: of {kind} and {id}, which each branch asks for by
-- itself, so that it is found by its key or not looked for at all.
SELECT kind, id, title, at FROM (
    SELECT 'issue' AS kind, issues.id, issues.ext_key || ' ' || issues.title AS title, issues.created_at AS at,
        issues.company_id, NULL::uuid AS owner_id, trackers.deleted_at IS NULL AS is_shared
    FROM issues JOIN trackers ON trackers.id = issues.tracker_id
    WHERE 'issue' = {kind} AND issues.id = {id}
    UNION ALL
    -- As in the lists of requests: their creators', their developers', in engineering review, and for leads all.
    SELECT 'request', id, '#' || number || ' ' || title, created_at, company_id,
        CASE WHEN assigned_to = $4 THEN assigned_to ELSE created_by END, status = 'Engineering Review' OR $5
    FROM requests
    WHERE 'request' = {kind} AND id = {id}
    UNION ALL
    SELECT 'template', id, name, created_at, company_id, NULL, deleted_at IS NULL FROM prompt_templates
    WHERE 'template' = {kind} AND id = {id}
    UNION ALL
    SELECT 'prompt', id, title, created_at, company_id, owner_id, visibility = 'company' FROM prompts
    WHERE 'prompt' = {kind} AND id = {id}
    UNION ALL
    SELECT 'promptVersion', versions.id, prompts.title || ', ' || versions.label, versions.created_at,
        versions.company_id, prompts.owner_id, prompts.visibility = 'company'
    FROM prompt_versions AS versions JOIN prompts ON prompts.id = versions.prompt_id
    WHERE 'promptVersion' = {kind} AND versions.id = {id}
    UNION ALL
    SELECT 'run', id, prompt_title || ', ' || version_label, created_at, company_id, owner_id, visibility = 'company'
    FROM runs
    WHERE 'run' = {kind} AND id = {id}
    UNION ALL
    SELECT 'output', outputs.id, file_name, outputs.created_at, outputs.company_id, prompts.owner_id,
        prompts.visibility = 'company'
    FROM outputs JOIN prompts ON prompts.id = outputs.prompt_id
    WHERE 'output' = {kind} AND outputs.id = {id}
) AS nodes
WHERE company_id = $3 AND (is_shared OR owner_id = $4)
