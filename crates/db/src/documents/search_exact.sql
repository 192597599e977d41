by_meaning AS MATERIALIZED (
    SELECT chunk_id, 1 - distance AS score, row_number() OVER (ORDER BY distance, chunk_id) AS place
    FROM (
        SELECT e.chunk_id, e.embedding <=> $5 AS distance
        FROM visible v
        JOIN chunk_embeddings e
            ON e.company_id = $1 AND e.document_id = v.id AND e.generation = v.live_generation
        WHERE v.live_model_id = $6
        -- "+ 0" keeps any index on the distance out of it.
        ORDER BY (e.embedding <=> $5) + 0
        LIMIT $7
    ) nearest
)
