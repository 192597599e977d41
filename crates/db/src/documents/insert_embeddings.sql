-- Stores vectors of passages of document $2 (company $1, set $3, model $4) and counts the new ones, if
-- lease $8 on job $7 is held. The row of the document is locked first: one that is deleted or made
-- anew meanwhile takes no more.
WITH held AS (
    SELECT id FROM jobs WHERE id = $7 AND lease_token = $8 AND state = 'running' FOR UPDATE
), document AS (
    SELECT id FROM documents
    WHERE id = $2 AND building_generation = $3 AND EXISTS (SELECT FROM held) FOR NO KEY UPDATE
), stored AS (
    INSERT INTO chunk_embeddings (company_id, chunk_id, document_id, generation, model_id, embedding)
    SELECT $1, made.chunk_id, document.id, $3, $4, made.embedding
    FROM document, unnest($5, $6) AS made (chunk_id, embedding)
    ON CONFLICT DO NOTHING
    RETURNING chunk_id
), counted AS (
    UPDATE documents SET chunks_embedded = chunks_embedded + (SELECT count(*)::integer FROM stored)
    FROM document WHERE documents.id = document.id
    RETURNING documents.id
)
SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM counted) AS counted
