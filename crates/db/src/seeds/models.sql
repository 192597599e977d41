-- Brings the seeded models in line with the reviewed file ($1, one object for each). What is the same already is not
-- written, so that its revision stays; what companies have chosen lies in other tables and is not touched.
INSERT INTO models AS m (id, provider, model, name, aliases, label, kind, description, capabilities, prices, is_default,
                         retires_on, replaced_by, source, checked_on)
SELECT id, provider, model, model, aliases, label, kind, description, capabilities, prices, is_default,
       retires_on, replaced_by, source, checked_on
FROM jsonb_to_recordset($1) AS s (
    id uuid, provider text, model text, aliases text[], label text, kind text, description text, capabilities jsonb,
    prices jsonb, is_default boolean, retires_on date, replaced_by text, source text, checked_on date)
ON CONFLICT ON CONSTRAINT models_model_key DO UPDATE SET
    name = excluded.name, aliases = excluded.aliases, label = excluded.label, kind = excluded.kind,
    description = excluded.description, capabilities = excluded.capabilities, prices = excluded.prices,
    is_default = excluded.is_default, retires_on = excluded.retires_on, replaced_by = excluded.replaced_by,
    source = excluded.source, checked_on = excluded.checked_on
WHERE (m.name, m.aliases, m.label, m.kind, m.description, m.capabilities, m.prices, m.is_default, m.retires_on,
       m.replaced_by, m.source, m.checked_on)
    IS DISTINCT FROM
      (excluded.name, excluded.aliases, excluded.label, excluded.kind, excluded.description, excluded.capabilities,
       excluded.prices, excluded.is_default, excluded.retires_on, excluded.replaced_by, excluded.source,
       excluded.checked_on)
