-- The id of model $4, and the newest finished index of the company's partition when viewer $2 of
-- company $1 would have to compare more than $5 passages in documents $3 (all when empty).
WITH model AS (
    SELECT id FROM embedding_models WHERE name = $4
), visible AS (
    SELECT coalesce(sum(d.live_chunks), 0)::bigint AS candidates
    FROM documents d JOIN model ON model.id = d.live_model_id
    WHERE d.company_id = $1 AND (d.owner_id = $2 OR d.visibility = 'company')
      AND d.live_generation > 0 AND (cardinality($3) = 0 OR d.id = ANY ($3))
)
SELECT coalesce((SELECT id FROM model), 0::smallint) AS model_id,
       CASE WHEN visible.candidates > $5 THEN (
           SELECT c.relname::text
           FROM (SELECT e.tableoid FROM chunk_embeddings e WHERE e.company_id = $1 LIMIT 1) part
           JOIN pg_index i ON i.indrelid = part.tableoid AND i.indisvalid
           JOIN pg_class c ON c.oid = i.indexrelid AND c.relname LIKE '%\_hnsw\_%'
           ORDER BY c.relname DESC LIMIT 1
       ) END AS index
FROM visible
