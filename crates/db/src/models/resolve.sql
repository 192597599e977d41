-- The model that a request names by id ($2) or by name ($3), or else the default of a kind ($4), with the key that
-- serves it. What is hidden is not offered. A company's own row comes before a seeded one of the same name.
SELECT v.*, k.id AS key_id, k.base_url AS key_base_url, k.sealed AS key_sealed, k.sealing_key_id AS key_sealing_key_id
FROM visible v
LEFT JOIN LATERAL (
    SELECT * FROM provider_keys k
    WHERE k.company_id = $1 AND k.provider = v.provider
      AND CASE WHEN v.provider_key_id IS NULL THEN k.is_default ELSE k.id = v.provider_key_id END
    ORDER BY k.id DESC LIMIT 1
) k ON true
WHERE v.is_active
  AND (v.id = $2
       OR $3 IN (v.provider || '/' || v.name, v.provider || '/' || v.model, v.name, v.model)
       OR $3 = ANY (v.aliases)
       OR (v.is_default AND v.kind = $4))
ORDER BY v.is_global, $3 IN (v.provider || '/' || v.name, v.name) DESC, $3 = ANY (v.aliases), v.provider, v.id
LIMIT 1
