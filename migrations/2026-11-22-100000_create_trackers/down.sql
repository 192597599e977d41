-- Trackers, their credentials and all issues are lost.
DROP TRIGGER jobs_of_trackers ON jobs;
DROP FUNCTION follow_tracker_jobs();
DELETE FROM jobs WHERE kind LIKE 'trackers.%';
DROP TABLE tracker_deliveries, issues, tracker_syncs, tracker_grants, tracker_secrets, trackers;
