-- Stores vectors of passages of document $2 (company $1, set $3, model $4) and counts the new ones.
-- The row of the document is locked first: one that is deleted or made anew meanwhile takes no more.
WITH document AS (
    SELECT id FROM documents WHERE id = $2 AND building_generation = $3 FOR NO KEY UPDATE
), stored AS (
    INSERT INTO chunk_embeddings (company_id, chunk_id, document_id, generation, model_id, embedding)
    SELECT $1, made.chunk_id, document.id, $3, $4, made.embedding
    FROM document, unnest($5, $6) AS made (chunk_id, embedding)
    ON CONFLICT DO NOTHING
    RETURNING chunk_id
)
UPDATE documents SET chunks_embedded = chunks_embedded + (SELECT count(*)::integer FROM stored)
FROM document WHERE documents.id = document.id
