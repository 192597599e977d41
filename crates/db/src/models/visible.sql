-- The models a company ($1) may see: the seeded ones and its own, each with what the company has
-- chosen about it. Its revision moves with the row, with the choice, and with every change of what
-- the default of its kind is.
WITH visible AS (
    SELECT m.id, m.provider, m.model, m.name, m.aliases, m.label, m.kind, m.description, m.capabilities, m.prices,
           coalesce(c.is_active, m.is_active) AS is_active,
           coalesce(c.is_active, m.is_active) AND coalesce(d.model_id = m.id, m.is_default) AS is_default,
           m.company_id IS NULL AS is_global,
           m.retires_on, m.replaced_by, m.source, m.checked_on, m.provider_key_id, m.created_at,
           greatest(m.updated_at, c.updated_at, d.updated_at) AS revision
    FROM models m
    LEFT JOIN model_choices c ON c.company_id = $1 AND c.model_id = m.id
    LEFT JOIN model_defaults d ON d.company_id = $1 AND d.kind = m.kind
    WHERE m.company_id = $1 OR m.company_id IS NULL
)
