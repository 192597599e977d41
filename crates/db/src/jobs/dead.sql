-- Dead letters by kind and class of failure, with the newest of each as an example; of company $1, or of all.
SELECT g.kind, g.error_class, g.jobs, g.oldest, g.newest, e.id AS example_id, e.error_message AS example
FROM (
    SELECT kind, error_class, count(*) AS jobs, min(finished_at) AS oldest, max(finished_at) AS newest,
           (array_agg(id ORDER BY id DESC))[1] AS example_id
    FROM jobs
    WHERE state = 'dead' AND ($1 IS NULL OR company_id = $1)
    GROUP BY kind, error_class) g
JOIN jobs e ON e.id = g.example_id
ORDER BY g.jobs DESC, g.kind, g.error_class
