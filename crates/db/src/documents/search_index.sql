by_meaning AS MATERIALIZED (
    SELECT chunk_id, 1 - distance AS score, row_number() OVER (ORDER BY distance, chunk_id) AS place
    FROM (
        (SELECT e.chunk_id, e.embedding <=> $5 AS distance
         FROM PARTITION e
         WHERE e.company_id = $1 AND e.model_id = $6 AND e.chunk_id <= 'LATEST'
           -- "IS TRUE" keeps this a filter on what the index yields, in the index's order.
           AND ((e.document_id, e.generation) IN (SELECT v.id, v.live_generation FROM visible v)) IS TRUE
         ORDER BY e.embedding <=> $5
         LIMIT greatest($7, 40))
        UNION ALL
        -- What came after the index was built; "+ 0" keeps any index on the distance out of it.
        (SELECT e.chunk_id, e.embedding <=> $5 AS distance
         FROM PARTITION e
         WHERE e.company_id = $1 AND e.model_id = $6 AND e.chunk_id > 'LATEST'
           AND ((e.document_id, e.generation) IN (SELECT v.id, v.live_generation FROM visible v)) IS TRUE
         ORDER BY (e.embedding <=> $5) + 0
         LIMIT $7)
        ORDER BY distance
        LIMIT $7
    ) nearest
)
