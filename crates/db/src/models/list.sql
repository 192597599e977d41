-- $2 kind and $3 provider if only such are wanted; $4 whether hidden ones too; $5 to $7 the last row of the page before;
-- $8 how many.
SELECT * FROM visible
WHERE ($2 IS NULL OR kind = $2) AND ($3 IS NULL OR provider = $3) AND ($4 OR is_active)
  AND ($5 IS NULL OR (provider, name, id) > ($5, $6, $7))
ORDER BY provider, name, id
LIMIT $8
