"""LangChain: its text splitter and its PGVectorStore, without a search index, called as its documentation
shows, in batches of 100 through the fast client of the other rival."""

import sys

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_postgres import PGEngine, PGVectorStore
from langchain_text_splitters import RecursiveCharacterTextSplitter

import rival

database, provider_url = sys.argv[1:]


class Gemini(Embeddings):
    def __init__(self):
        self.provider = rival.FastProvider(provider_url)

    def embed_documents(self, texts):
        return [v for batch in rival.batches(texts) for v in self.provider.embed(batch)]

    def embed_query(self, text):
        return self.provider.embed([text])[0]


engine = PGEngine.from_connection_string(
    url=database.replace("postgres://", "postgresql+asyncpg://", 1)
)
engine.init_vectorstore_table(table_name="langchain_chunks", vector_size=rival.DIMENSIONS)
store = PGVectorStore.create_sync(
    engine=engine, table_name="langchain_chunks", embedding_service=Gemini()
)
splitter = RecursiveCharacterTextSplitter(
    chunk_size=rival.CHUNK, chunk_overlap=rival.OVERLAP
)


def work(folder):
    documents = splitter.split_documents(
        [
            Document(page_content=text, metadata={"source": name})
            for name, text in rival.texts(folder)
        ]
    )
    for batch in rival.batches(documents):
        store.add_documents(batch)
    return len(documents)


rival.serve(work)
