DROP TABLE dataset_rows;
DROP TABLE dataset_versions;
DROP TABLE datasets;
