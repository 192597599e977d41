by_meaning AS MATERIALIZED (
    SELECT chunk_id, 1 - distance AS score, row_number() OVER (ORDER BY distance, chunk_id) AS place
    FROM (
        SELECT e.chunk_id, e.embedding <=> $5 AS distance
        FROM PARTITION e
        WHERE e.company_id = $1 AND e.model_id = $6
          -- "IS TRUE" keeps this a filter on what the index yields, in the index's order.
          AND ((e.document_id, e.generation) IN (SELECT v.id, v.live_generation FROM visible v)) IS TRUE
        ORDER BY e.embedding <=> $5
        LIMIT greatest($7, 40)
    ) nearest
)
