DROP TABLE chunk_embeddings;
DROP TABLE chunks;
DROP FUNCTION forget_embeddings;
DROP TABLE documents;
DROP TABLE embedding_models;
DROP EXTENSION vector;
