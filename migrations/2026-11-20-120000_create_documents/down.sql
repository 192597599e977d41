DROP TABLE chunk_embeddings;
DROP TABLE chunks;
DROP TABLE documents;
DROP TABLE embedding_models;
DROP EXTENSION vector;
