SELECT coalesce(m.chunk_id, w.chunk_id) AS chunk_id,
       -- Reciprocal rank fusion with k = 60; a list that lacks the passage adds nothing.
       (coalesce(1.0 / (60 + m.place), 0) + coalesce(1.0 / (60 + w.place), 0))::double precision AS score,
       m.place AS semantic_rank, w.place AS keyword_rank
FROM by_meaning m FULL JOIN by_words w USING (chunk_id)
