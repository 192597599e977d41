"""A script as a good programmer would write it by hand: split, embed, one binary COPY per batch of 100 into
a plain table without search index, word index, deduplication or jobs. The third argument `fast` takes the
fastest HTTP client and JSON parser in place of the usual ones."""

import sys
import uuid

import numpy
import psycopg
from pgvector.psycopg import Vector, register_vector

import rival

database, provider_url, *how = sys.argv[1:]
provider = (rival.FastProvider if how == ["fast"] else rival.Provider)(provider_url)
connection = psycopg.connect(database, autocommit=True)
connection.execute(
    """CREATE TABLE script_chunks (id uuid PRIMARY KEY, document text NOT NULL, place integer NOT NULL,
       body text NOT NULL, embedding vector(1536) NOT NULL)"""
)
register_vector(connection)


def split(text):
    start = 0
    while start < len(text):
        end = min(start + rival.CHUNK, len(text))
        if end < len(text):
            cut = max(text.rfind("\n\n", start, end), text.rfind(". ", start, end))
            if cut > start + rival.CHUNK // 2:
                end = cut + 2
        yield text[start:end].strip()
        if end == len(text):
            return
        start = end - rival.OVERLAP


def work(folder):
    rows = [
        (name, place, body)
        for name, text in rival.texts(folder)
        for place, body in enumerate(split(text))
    ]
    batches = list(rival.batches(rows))
    vectors = provider.embed_many([[body for _, _, body in batch] for batch in batches])
    for batch, made in zip(batches, vectors):
        with connection.cursor() as cursor:
            with cursor.copy("COPY script_chunks FROM STDIN WITH (FORMAT BINARY)") as copy:
                copy.set_types(["uuid", "text", "int4", "text", "vector"])
                for (name, place, body), vector in zip(batch, made):
                    copy.write_row(
                        (uuid.uuid4(), name, place, body, Vector(numpy.asarray(vector, dtype=">f4")))
                    )
    return len(rows)


rival.serve(work)
