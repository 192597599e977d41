DROP TABLE prompt_label_moves, prompt_labels, prompt_versions, prompts;
DROP FUNCTION keep_prompt_versions();
