//! What Postgres has to say of executions that are over: tasks, events and jobs, each reckoned again
//! from what it follows from.

/// What stands in the way of executions that stand still.
pub const WAITING: &str =
    "SELECT format('%s tasks are %s', count(*), status) AS word FROM execution_tasks GROUP BY status
    UNION ALL SELECT format('an execution''s job is %s: %s %s', state, wait_reason, error_message)
    FROM jobs WHERE kind = 'workflows.execute' AND state <> 'done'";

/// Tasks that have no end yet.
pub const OPEN: &str = "execution_tasks WHERE status IN ('PENDING', 'RUNNING')";

/// Tasks that were begun again, of those that ask a model.
pub const BEGUN_AGAIN: &str = "SELECT coalesce(sum(attempts - 1), 0)::bigint AS number FROM execution_tasks WHERE tokens_in > 0";

/// Of each of these there must be none.
pub const NONE: &[(&str, &str)] = &[
    (
        "executions that are not completed",
        "executions WHERE status <> 'completed' OR finished_at IS NULL OR error_code IS NOT NULL",
    ),
    (
        "tasks that are not completed",
        "execution_tasks WHERE status <> 'COMPLETED' OR result IS NULL OR error_code IS NOT NULL",
    ),
    (
        "tasks that were begun after they were completed",
        "execution_events later JOIN execution_events earlier USING (execution_id, task_id)
         WHERE earlier.kind = 'task_completed' AND later.number > earlier.number",
    ),
    (
        "tasks that were completed more or less than once",
        "(SELECT FROM execution_tasks t LEFT JOIN execution_events e ON e.execution_id = t.execution_id
              AND e.task_id = t.task_id AND e.kind = 'task_completed'
          GROUP BY t.execution_id, t.place HAVING count(e.number) <> 1) odd",
    ),
    (
        "tasks that count fewer attempts than they had, or none",
        "(SELECT FROM execution_tasks t LEFT JOIN execution_events e ON e.execution_id = t.execution_id
              AND e.task_id = t.task_id AND e.kind = 'task_started'
          GROUP BY t.execution_id, t.place HAVING count(e.number) NOT BETWEEN 1 AND t.attempts) odd",
    ),
    (
        "tasks that were begun before what they depend on was completed",
        "execution_events e JOIN executions x ON x.id = e.execution_id
         JOIN workflow_versions v ON v.id = x.version_id
         JOIN jsonb_array_elements(v.pinned -> 'tasks') t ON t ->> 'id' = e.task_id
         CROSS JOIN jsonb_array_elements_text(t -> 'dependencies') needed
         WHERE e.kind = 'task_started' AND NOT EXISTS (SELECT FROM execution_events earlier
             WHERE earlier.execution_id = e.execution_id AND earlier.task_id = needed
                 AND earlier.kind = 'task_completed' AND earlier.number < e.number)",
    ),
    (
        "executions whose events are not numbered 1, 2, 3 … up to the last",
        "executions x JOIN (SELECT execution_id, min(number), max(number), count(*) FROM execution_events
             GROUP BY 1) e ON e.execution_id = x.id
         WHERE e.min <> 1 OR e.max <> e.count OR e.max <> x.last_event",
    ),
    (
        "executions that were not queued, started and completed once each, in this order",
        "executions x WHERE ARRAY['queued', 'started', 'execution_completed'] IS DISTINCT FROM (
             SELECT array_agg(kind ORDER BY number) FROM execution_events
             WHERE execution_id = x.id AND task_id IS NULL)",
    ),
    (
        "executions without exactly one job",
        "(SELECT FROM executions x LEFT JOIN jobs j ON j.subject_id = x.id AND j.kind = 'workflows.execute'
          GROUP BY x.id HAVING count(j.id) <> 1) odd",
    ),
    (
        "jobs of executions that are not done",
        "jobs WHERE kind = 'workflows.execute' AND state <> 'done'",
    ),
    ("jobs that run", "jobs WHERE state = 'running'"),
];
