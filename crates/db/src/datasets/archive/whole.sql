-- The first version that has another number of rows than it says, or 0 if two contents of a row hold at
-- the same time. Counted by what comes and goes with each version. $1 the numbers by version.
SELECT number FROM (
    SELECT 0 AS number
    FROM (SELECT since, lag(COALESCE(until, 2147483647)) OVER (PARTITION BY row_index ORDER BY since) AS before
          FROM staged_rows) AS contents
    WHERE since < before
    UNION ALL
    SELECT promised.version::integer
    FROM unnest($1) WITH ORDINALITY AS promised (row_count, version)
    LEFT JOIN (
        SELECT version, sum(difference) AS difference
        FROM (SELECT since AS version, count(*) AS difference FROM staged_rows GROUP BY since
              UNION ALL
              SELECT until, -count(*) FROM staged_rows WHERE until IS NOT NULL GROUP BY until) AS both_ways
        GROUP BY version
    ) AS changes ON changes.version <= promised.version
    GROUP BY promised.version, promised.row_count
    HAVING COALESCE(sum(changes.difference), 0) <> promised.row_count
) AS wrong
ORDER BY number
LIMIT 1
