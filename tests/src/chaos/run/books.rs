//! What Postgres has to say of a run that is over: cells, attempts, grades, events and sums, each
//! reckoned again from what it follows from.

/// What stands in the way of a run that stands still.
pub const WAITING: &str =
    "SELECT format('%s cells are %s', count(*), status) AS word FROM cells GROUP BY status
    UNION ALL SELECT format('a lane is %s: %s %s', state, wait_reason, error_message)
    FROM jobs WHERE kind = 'runs.lane'";

/// Of each of these there must be none.
pub const NONE: &[(&str, &str)] = &[
    (
        "cells that are not completed",
        "cells WHERE status <> 'completed' OR lane IS NOT NULL",
    ),
    (
        "cells without the output of their own question",
        "cells c JOIN runs r ON r.id = c.run_id
         JOIN dataset_rows d ON d.dataset_id = r.dataset_id AND d.row_index = c.row_index
         WHERE c.output_parsed IS DISTINCT FROM 'You said: Recite: ' || d.cells[1]",
    ),
    (
        "cells without exactly one grade",
        "(SELECT FROM cells c LEFT JOIN grades g ON g.cell_id = c.id AND g.round = c.round
          GROUP BY c.id HAVING count(g.id) <> 1) odd",
    ),
    (
        "cells with another grade than was given",
        "cells c JOIN grades g ON g.cell_id = c.id WHERE c.grade IS DISTINCT FROM g.grade
            OR c.grade_source IS DISTINCT FROM g.source",
    ),
    (
        "cells that succeeded more or less than once",
        "(SELECT FROM cells c LEFT JOIN run_events e ON e.cell_id = c.id AND e.kind = 'succeeded'
          GROUP BY c.id HAVING count(e.number) <> 1) odd",
    ),
    ("open attempts", "attempts WHERE state = 'open'"),
    (
        "cells that count other attempts than they had",
        "(SELECT FROM cells c LEFT JOIN attempts a ON a.cell_id = c.id
          GROUP BY c.id HAVING count(a.id) <> c.attempt_count) odd",
    ),
    (
        "cells that cost something else than their attempts",
        "(SELECT FROM cells c LEFT JOIN attempts a ON a.cell_id = c.id AND a.state = 'settled'
          GROUP BY c.id HAVING coalesce(sum(a.cost), 0) <> c.cost + c.grader_cost) odd",
    ),
    (
        "runs that spent something else than their settled attempts cost",
        "runs r WHERE spent <> (SELECT coalesce(sum(cost), 0) FROM attempts a
            WHERE a.run_id = r.id AND state = 'settled')",
    ),
    (
        "runs that spent something else than their cells cost",
        "runs r WHERE spent <> (SELECT sum(cost + grader_cost) FROM cells c WHERE c.run_id = r.id)",
    ),
    ("runs that cost nothing", "runs WHERE spent = 0"),
    ("runs that still promise money", "runs WHERE reserved <> 0"),
    (
        "runs whose unresolved money is not that of their lost attempts",
        "runs r WHERE unresolved <> (SELECT coalesce(sum(reserved), 0) FROM attempts a
            WHERE a.run_id = r.id AND state = 'lost')",
    ),
    (
        "runs that are not completed",
        "runs WHERE status <> 'completed' OR open_cells <> 0 OR finished_at IS NULL",
    ),
    (
        "runs whose events are not numbered 1, 2, 3 … up to the last",
        "runs r JOIN (SELECT run_id, min(number), max(number), count(*) FROM run_events GROUP BY 1) e
             ON e.run_id = r.id WHERE e.min <> 1 OR e.max <> e.count OR e.max <> r.last_event",
    ),
    (
        "columns whose sums are not those of their cells",
        "(SELECT run_id, column_index, queued, running, completed, malformed, failed, cancelled, cached,
                 graded, grade_sum, passed, malformed_ungraded, tokens_in, tokens_out, tokens_thinking,
                 cost, grader_cost FROM run_columns
          EXCEPT
          SELECT run_id, column_index,
                 count(*) FILTER (WHERE status = 'queued'), count(*) FILTER (WHERE status = 'running'),
                 count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'malformed'),
                 count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'cancelled'),
                 count(*) FILTER (WHERE cached), count(grade), coalesce(sum(grade), 0),
                 count(*) FILTER (WHERE grade >= 500000),
                 count(*) FILTER (WHERE status = 'malformed' AND grade IS NULL),
                 sum(tokens_in), sum(tokens_out), sum(tokens_thinking), sum(cost), sum(grader_cost)
          FROM cells GROUP BY 1, 2) odd",
    ),
    (
        "buckets of time that do not hold their cells",
        "(WITH kept AS (SELECT run_id, column_index, bucket, cell_count::bigint AS cells FROM run_latencies
                        WHERE cell_count <> 0),
               reckoned AS (SELECT run_id, column_index, latency_bucket, count(*) FROM cells
                            WHERE latency_bucket IS NOT NULL GROUP BY 1, 2, 3)
          (SELECT * FROM kept EXCEPT SELECT * FROM reckoned)
          UNION ALL (SELECT * FROM reckoned EXCEPT SELECT * FROM kept)) odd",
    ),
    (
        "responses that somebody still asks for",
        "responses WHERE reply IS NULL",
    ),
    (
        "lanes that are not done",
        "jobs WHERE kind = 'runs.lane' AND state <> 'done'",
    ),
];
