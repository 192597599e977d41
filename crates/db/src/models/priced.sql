-- Models of a provider ($2) that an answer's version ($3) may be of: their names begin it, or it is an alias of theirs.
SELECT * FROM visible
WHERE provider = $2 AND (starts_with($3, model) OR $3 = ANY (aliases))
ORDER BY $3 = model DESC, $3 = ANY (aliases) DESC, length(model) DESC, is_global, id
