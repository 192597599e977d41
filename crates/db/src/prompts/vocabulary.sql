-- The values in use, of the prompts that a person may see.
-- $1 the company, $2 the person
SELECT DISTINCT member, value
FROM prompts p
CROSS JOIN LATERAL (
    VALUES ('taskType', p.sfl_field ->> 'taskType'),
           ('aiPersona', p.sfl_tenor ->> 'aiPersona'),
           ('desiredTone', p.sfl_tenor ->> 'desiredTone'),
           ('outputFormat', p.sfl_mode ->> 'outputFormat'),
           ('lengthConstraint', p.sfl_mode ->> 'lengthConstraint')
    UNION ALL
    SELECT 'targetAudience', audience FROM jsonb_array_elements_text(p.sfl_tenor -> 'targetAudience') audience
) used (member, value)
WHERE p.company_id = $1 AND (p.owner_id = $2 OR p.visibility = 'company') AND value <> ''
LIMIT 5000
