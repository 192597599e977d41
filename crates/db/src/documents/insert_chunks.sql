-- Inserts passages of document $2 (company $1, set $3). Headings come as one text.
INSERT INTO chunks (company_id, id, document_id, generation, chunk_index, text, heading_path, page,
                    char_start, char_end, sha256, terms)
SELECT $1, passage.id, $2, $3, passage.chunk_index, passage.text,
       string_to_array(passage.headings, chr(31)), passage.page, passage.char_start, passage.char_end,
       passage.sha256, passage.terms
FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12)
    AS passage (id, chunk_index, text, headings, page, char_start, char_end, sha256, terms)
