-- Every edge of the graph. Kinds are constants of each branch: a branch whose kind is not asked for is
-- not read at all.
SELECT from_kind, from_id, to_kind, to_id, relation FROM (
    SELECT 'issue' AS from_kind, issue_id AS from_id, 'promptVersion' AS to_kind, prompt_version_id AS to_id,
        'generatedFor' AS relation, company_id
    FROM generation_events WHERE issue_id IS NOT NULL AND prompt_version_id IS NOT NULL
    UNION ALL
    SELECT 'issue', issue_id, 'prompt', prompt_id, 'originOf', company_id
    FROM generation_events WHERE issue_id IS NOT NULL AND prompt_id IS NOT NULL
    UNION ALL
    SELECT 'request', request_id, 'promptVersion', prompt_version_id, 'generatedFor', company_id
    FROM generation_events WHERE request_id IS NOT NULL AND prompt_version_id IS NOT NULL
    UNION ALL
    SELECT 'request', request_id, 'prompt', prompt_id, 'originOf', company_id
    FROM generation_events WHERE request_id IS NOT NULL AND prompt_id IS NOT NULL
    UNION ALL
    SELECT 'template', template_id, 'promptVersion', prompt_version_id, 'generatedWith', company_id
    FROM generation_events WHERE prompt_version_id IS NOT NULL
    UNION ALL
    SELECT 'template', template_id, 'prompt', prompt_id, 'originOf', company_id
    FROM generation_events WHERE prompt_id IS NOT NULL
    UNION ALL
    SELECT 'prompt', prompt_id, 'promptVersion', id, 'hasVersion', company_id FROM prompt_versions
    UNION ALL
    SELECT 'promptVersion', prompt_version_id, 'run', id, 'runBy', company_id
    FROM runs WHERE prompt_version_id IS NOT NULL
    UNION ALL
    SELECT 'promptVersion', grader_version_id, 'run', id, 'judged', company_id
    FROM runs WHERE grader_version_id IS NOT NULL
    UNION ALL
    SELECT 'promptVersion', prompt_version_id, 'output', id, 'brought', company_id FROM outputs
) AS edges
