-- Gives passages of document $2 (company $1, set $3) the vectors that model $4 made of equal text
-- elsewhere in the company, counts them, and lists what is left without, all if lease $6 on job $5 is
-- held. The row of the document is locked first: one that is deleted or made anew meanwhile takes no
-- more. The first row is of no passage and says whether the lease is held.
WITH held AS (
    SELECT id FROM jobs WHERE id = $5 AND lease_token = $6 AND state = 'running' FOR UPDATE
), document AS (
    SELECT id FROM documents
    WHERE id = $2 AND building_generation = $3 AND EXISTS (SELECT FROM held) FOR NO KEY UPDATE
), bare AS MATERIALIZED (
    SELECT c.id, c.chunk_index, c.text, c.sha256
    FROM document JOIN chunks c ON c.document_id = document.id
    WHERE c.company_id = $1 AND c.document_id = $2 AND c.generation = $3
      AND NOT EXISTS (SELECT FROM chunk_embeddings e WHERE e.company_id = $1 AND e.chunk_id = c.id)
), reused AS (
    INSERT INTO chunk_embeddings (company_id, chunk_id, document_id, generation, model_id, embedding)
    SELECT $1, bare.id, $2, $3, $4, known.embedding
    FROM bare CROSS JOIN LATERAL (
        SELECT e.embedding
        FROM chunks same
        JOIN chunk_embeddings e ON e.company_id = $1 AND e.chunk_id = same.id
        WHERE same.company_id = $1 AND same.sha256 = bare.sha256 AND same.id <> bare.id AND e.model_id = $4
        LIMIT 1
    ) known
    ON CONFLICT DO NOTHING
    RETURNING chunk_id
), counted AS (
    UPDATE documents SET chunks_embedded = chunks_embedded + n
    FROM (SELECT count(*)::integer AS n FROM reused) new
    WHERE documents.id = $2 AND n > 0
)
SELECT NULL::uuid AS id, NULL::text AS text, NULL::bytea AS sha256, -1 AS chunk_index
FROM held
UNION ALL
SELECT id, text, sha256, chunk_index FROM bare WHERE id NOT IN (SELECT chunk_id FROM reused)
ORDER BY chunk_index
