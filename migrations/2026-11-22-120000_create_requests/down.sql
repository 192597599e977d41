DROP TABLE request_activity, request_comments, request_searches, requests, request_numbers;
