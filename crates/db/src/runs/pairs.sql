-- The grades of column $3 of runs $1 and $2, by row and repetition.
SELECT a.row_index,
       CASE WHEN a.status = 'malformed' THEN coalesce(a.grade, 0) ELSE a.grade END AS a,
       CASE WHEN b.status = 'malformed' THEN coalesce(b.grade, 0) ELSE b.grade END AS b
FROM cells a
JOIN cells b ON b.run_id = $2 AND b.column_index = a.column_index
    AND b.row_index = a.row_index AND b.repeat = a.repeat
WHERE a.run_id = $1 AND a.column_index = $3
ORDER BY a.row_index, a.repeat
