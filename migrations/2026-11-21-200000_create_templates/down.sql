DROP TABLE prompt_template_versions, prompt_templates;
DROP FUNCTION keep_prompt_template_versions();
