DROP TRIGGER prompts_show_outputs ON prompts;
DROP FUNCTION show_outputs();
DROP TABLE outputs;
