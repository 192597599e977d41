-- These messages, job $1 in epoch $2, are lost: their jobs wait for another dispatch. A job that was
-- dispatched anew since, or claimed, is left alone.
UPDATE jobs SET dispatched_at = NULL
FROM unnest($1, $2) AS lost (id, epoch)
WHERE jobs.id = lost.id AND jobs.epoch = lost.epoch AND jobs.state = 'queued'
