"""What the rivals share: the same provider in batches of 100, and a line on stdin as the start signal,
so that imports and set-up are outside the measured time on every side."""

import json
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

import orjson
import requests
import urllib3

BATCH = 100
DIMENSIONS = 1536
AT_ONCE = 16
CHUNK = 1600
OVERLAP = 240
MODEL = "models/gemini-embedding-001"


class Provider:
    """batchEmbedContents through the client and the parser that most people take."""

    def __init__(self, url):
        self.url = f"{url}/v1beta/{MODEL}:batchEmbedContents"
        self.headers = {"content-type": "application/json", "x-goog-api-key": "a-key"}
        self.session = requests.Session()
        self.session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))

    def post(self, body):
        answer = self.session.post(self.url, data=json.dumps(body), headers=self.headers)
        answer.raise_for_status()
        return answer.json()

    def embed(self, texts):
        body = {
            "requests": [
                {
                    "model": MODEL,
                    "content": {"parts": [{"text": text}]},
                    "taskType": "RETRIEVAL_DOCUMENT",
                    "outputDimensionality": DIMENSIONS,
                }
                for text in texts
            ]
        }
        return [one["values"] for one in self.post(body)["embeddings"]]

    def embed_many(self, batches):
        """All batches, several calls at once, in order."""
        with ThreadPoolExecutor(AT_ONCE) as threads:
            yield from threads.map(self.embed, batches)


class FastProvider(Provider):
    """The same through the fastest client and parser there are for Python."""

    def __init__(self, url):
        super().__init__(url)
        self.pool = urllib3.PoolManager(maxsize=AT_ONCE)

    def post(self, body):
        body = orjson.dumps(body)
        answer = self.pool.request("POST", self.url, body=body, headers=self.headers)
        if answer.status != 200:
            raise RuntimeError(answer.data[:200])
        return orjson.loads(answer.data)


def texts(folder):
    for path in sorted(pathlib.Path(folder).iterdir()):
        yield path.name, path.read_text()


def batches(items):
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def serve(work):
    """Calls `work(folder)` for each line of stdin and prints how many chunks it stored."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(work(line.strip()), flush=True)
