-- At most $3 completed documents, locked, that were made with another model than $1 or by older rules
-- than $2; none unless $1 is the model that was chosen last.
WITH chosen AS (
    SELECT id, name FROM embedding_models WHERE chosen_at IS NOT NULL ORDER BY chosen_at DESC LIMIT 1
)
SELECT d.id, d.company_id
FROM documents d
JOIN chosen ON chosen.name = $1
WHERE d.status = 'completed'
  AND (d.live_model_id IS DISTINCT FROM chosen.id OR d.live_chunker_version < $2)
ORDER BY d.id
LIMIT $3
FOR UPDATE OF d SKIP LOCKED
