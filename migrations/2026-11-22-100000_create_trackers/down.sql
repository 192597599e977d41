-- Trackers, their credentials and all issues are lost.
DROP TABLE tracker_deliveries, issues, tracker_syncs, tracker_grants, tracker_secrets, trackers;
