DROP TABLE generation_folds;
DROP TABLE generation_days;
DROP TABLE generation_hours;
DROP TABLE generation_events;
