-- Makes model $1 the chosen one, unless it is already.
INSERT INTO embedding_models AS known (name, chosen_at) VALUES ($1, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET chosen_at = excluded.chosen_at
WHERE known.chosen_at IS NULL
   OR known.chosen_at < (SELECT max(other.chosen_at) FROM embedding_models other)
