DROP TABLE model_defaults;
DROP TABLE model_choices;
DROP TABLE models;
