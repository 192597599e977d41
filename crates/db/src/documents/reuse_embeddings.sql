-- Gives passages of document $2 (company $1, set $3) the vectors that model $4 made of equal text
-- elsewhere in the company, and counts what the set has now.
WITH reused AS (
    INSERT INTO chunk_embeddings (company_id, chunk_id, document_id, generation, model_id, embedding)
    SELECT c.company_id, c.id, c.document_id, c.generation, $4, known.embedding
    FROM chunks c
    CROSS JOIN LATERAL (
        SELECT e.embedding
        FROM chunks same
        JOIN chunk_embeddings e ON e.company_id = same.company_id AND e.chunk_id = same.id
        WHERE same.company_id = $1 AND same.sha256 = c.sha256 AND same.id <> c.id AND e.model_id = $4
        LIMIT 1
    ) known
    WHERE c.company_id = $1 AND c.document_id = $2 AND c.generation = $3
    ON CONFLICT DO NOTHING
    RETURNING chunk_id
)
UPDATE documents SET chunks_embedded = chunks_embedded + n
FROM (SELECT count(*)::integer AS n FROM reused) counted
WHERE documents.id = $2 AND n > 0
