by_words AS MATERIALIZED (
    SELECT chunk_id, score, row_number() OVER (ORDER BY score DESC, chunk_id) AS place
    FROM (
        SELECT c.id AS chunk_id, ts_rank_cd(c.terms, wanted)::double precision AS score
        FROM to_tsquery('simple', $4) wanted
        JOIN chunks c ON c.company_id = $1 AND c.terms @@ wanted
        JOIN visible v ON v.id = c.document_id AND v.live_generation = c.generation
        ORDER BY score DESC, c.id
        LIMIT $7
    ) best
)
