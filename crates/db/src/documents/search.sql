-- Passages that viewer $2 of company $1 may see, in documents $3 (all when empty): words $4, vector
-- $5 of model $6, lists of $7, score from $8, at most $9.
WITH visible AS MATERIALIZED (
    SELECT id, file_name, live_generation, live_model_id
    FROM documents
    WHERE company_id = $1 AND (owner_id = $2 OR visibility = 'company')
      AND live_generation > 0 AND (cardinality($3) = 0 OR id = ANY ($3))
), LISTS, found AS (
    FOUND
)
SELECT c.id AS chunk_id, c.document_id, v.file_name, c.text, found.score, c.heading_path, c.page,
       c.char_start, c.char_end, found.semantic_rank, found.keyword_rank
FROM found
JOIN chunks c ON c.company_id = $1 AND c.id = found.chunk_id
JOIN visible v ON v.id = c.document_id
WHERE found.score >= $8
ORDER BY found.score DESC, c.id
LIMIT $9
