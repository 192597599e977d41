-- Leaves the output of cell $1 with the attempt that brought it, before another takes its place.
UPDATE attempts SET output = cells.output_raw
FROM cells
WHERE cells.id = $1 AND attempts.id = (
    SELECT a.id FROM attempts a
    WHERE a.cell_id = $1 AND a.round = cells.round AND a.stage = 'generate' AND a.state = 'settled'
      AND (a.error_code IS NULL OR a.error_code IN ('output_malformed', 'provider_refused'))
    ORDER BY a.id DESC LIMIT 1)
