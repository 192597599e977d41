-- How many passages viewer $2 of company $1 would have to compare in documents $3 (all when empty)
-- under model $4, and, when that is more than $5, the company's partition if its index is finished.
WITH model AS (
    SELECT id FROM embedding_models WHERE name = $4
), visible AS (
    SELECT coalesce(sum(d.live_chunks), 0)::bigint AS candidates
    FROM documents d JOIN model ON model.id = d.live_model_id
    WHERE d.company_id = $1 AND (d.owner_id = $2 OR d.visibility = 'company')
      AND d.live_generation > 0 AND (cardinality($3) = 0 OR d.id = ANY ($3))
)
SELECT coalesce((SELECT id FROM model), 0::smallint) AS model_id,
       visible.candidates,
       CASE WHEN visible.candidates > $5 THEN (
           SELECT part.name
           FROM (SELECT e.tableoid::regclass::text AS name
                 FROM chunk_embeddings e WHERE e.company_id = $1 LIMIT 1) part
           JOIN pg_index i ON i.indexrelid = to_regclass(part.name || '_hnsw') AND i.indisvalid
       ) END AS partition
FROM visible
