SELECT 'sums' AS fault, to_jsonb(s) AS kept, to_jsonb(c) AS found
FROM (SELECT run_id, column_index, queued, running, completed, malformed, failed, cancelled, cached, graded,
             grade_sum, passed, malformed_ungraded, tokens_in, tokens_out, tokens_thinking, cost, grader_cost
      FROM run_columns) s
JOIN (SELECT run_id, column_index,
             count(*) FILTER (WHERE status = 'queued') AS queued,
             count(*) FILTER (WHERE status = 'running') AS running,
             count(*) FILTER (WHERE status = 'completed') AS completed,
             count(*) FILTER (WHERE status = 'malformed') AS malformed,
             count(*) FILTER (WHERE status = 'failed') AS failed,
             count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
             count(*) FILTER (WHERE cached) AS cached,
             count(grade) AS graded, coalesce(sum(grade), 0) AS grade_sum,
             count(*) FILTER (WHERE grade >= 500000) AS passed,
             count(*) FILTER (WHERE status = 'malformed' AND grade IS NULL) AS malformed_ungraded,
             sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, sum(tokens_thinking) AS tokens_thinking,
             sum(cost) AS cost, sum(grader_cost) AS grader_cost
      FROM cells GROUP BY run_id, column_index) c USING (run_id, column_index)
WHERE (s.queued, s.running, s.completed, s.malformed, s.failed, s.cancelled, s.cached, s.graded, s.grade_sum, s.passed,
       s.malformed_ungraded, s.tokens_in, s.tokens_out, s.tokens_thinking, s.cost, s.grader_cost)
   IS DISTINCT FROM
      (c.queued, c.running, c.completed, c.malformed, c.failed, c.cancelled, c.cached, c.graded, c.grade_sum, c.passed,
       c.malformed_ungraded, c.tokens_in, c.tokens_out, c.tokens_thinking, c.cost, c.grader_cost)
UNION ALL
SELECT 'latencies', to_jsonb(kept), to_jsonb(found)
FROM (SELECT * FROM run_latencies WHERE cell_count <> 0) kept
FULL JOIN (SELECT run_id, column_index, latency_bucket AS bucket, count(*)::integer AS cell_count FROM cells
           WHERE latency_bucket IS NOT NULL GROUP BY 1, 2, 3) found USING (run_id, column_index, bucket)
WHERE kept.cell_count IS DISTINCT FROM found.cell_count
UNION ALL
SELECT 'open', to_jsonb(r.open_cells), to_jsonb(c.open) FROM runs r
JOIN (SELECT run_id, count(*) FILTER (WHERE status IN ('queued', 'running')) AS open FROM cells GROUP BY 1) c
  ON c.run_id = r.id WHERE r.open_cells <> c.open OR (r.open_cells > 0) <> (r.finished_at IS NULL)
UNION ALL
SELECT 'money', to_jsonb(r.spent), jsonb_build_object('attempts', a.cost, 'cells', c.cost) FROM runs r
LEFT JOIN (SELECT run_id, coalesce(sum(cost), 0) AS cost,
                  coalesce(sum(reserved) FILTER (WHERE state = 'open'), 0) AS reserved,
                  coalesce(sum(reserved) FILTER (WHERE state = 'lost'), 0) AS lost FROM attempts GROUP BY 1) a ON a.run_id = r.id
LEFT JOIN (SELECT run_id, sum(cost + grader_cost) AS cost FROM cells GROUP BY 1) c ON c.run_id = r.id
WHERE r.spent <> coalesce(a.cost, 0) OR r.spent <> coalesce(c.cost, 0) OR r.reserved <> coalesce(a.reserved, 0)
   OR r.unresolved <> coalesce(a.lost, 0) OR r.spent + r.reserved + r.unresolved > r.budget
UNION ALL
SELECT 'events', to_jsonb(r.last_event), to_jsonb(e) FROM runs r
LEFT JOIN (SELECT run_id, count(*) AS events, max(number) AS last FROM run_events GROUP BY 1) e ON e.run_id = r.id
WHERE e.events IS DISTINCT FROM r.last_event OR e.last IS DISTINCT FROM r.last_event
UNION ALL
SELECT 'grades', to_jsonb(g), NULL
FROM (SELECT cell_id, round, source, count(*) AS times FROM grades WHERE source <> 'manual' GROUP BY 1, 2, 3) g
WHERE g.times > 1
UNION ALL
SELECT 'attempts left open', to_jsonb(a), NULL FROM attempts a JOIN runs r ON r.id = a.run_id
WHERE a.state = 'open' AND r.open_cells = 0
