-- The newest comments of some requests, each from the end of its index; of each the oldest first.
-- $1 the requests, $2 how many of each.
SELECT c.*
FROM unnest($1) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT id, number, request_id, author_id, author_name, author_role, content, created_at
    FROM request_comments
    WHERE request_id = wanted.id
    ORDER BY number DESC
    LIMIT $2
) AS c
ORDER BY c.request_id, c.number
