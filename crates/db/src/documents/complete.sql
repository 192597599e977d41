-- Makes set $3 of document $2 (company $1) the one that search sees, if it is there and every passage
-- has a vector.
UPDATE documents SET
    status = 'completed', error_code = NULL, error = NULL,
    live_generation = $3, live_model_id = $4, live_chunker_version = $5,
    live_chunks = chunks_total, chunks_embedded = chunks_total
WHERE id = $2 AND building_generation = $3 AND chunks_total > 0 AND chunks_total = (
    SELECT count(*) FROM chunks c
    WHERE c.company_id = $1 AND c.document_id = $2 AND c.generation = $3
) AND NOT EXISTS (
    SELECT FROM chunks c
    WHERE c.company_id = $1 AND c.document_id = $2 AND c.generation = $3
      AND NOT EXISTS (SELECT FROM chunk_embeddings e
                      WHERE e.company_id = c.company_id AND e.chunk_id = c.id))
