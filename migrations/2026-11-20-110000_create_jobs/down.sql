DROP TABLE job_pauses;
DROP TABLE jobs;
