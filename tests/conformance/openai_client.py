"""Drives Chat Completions with OpenAI's own client and checks that the client understands them.

Usage: openai_client.py BASE_URL, with a fake that takes scripts under /_fake/. Runs with openai 3.52.0.
"""

import json
import sys
import urllib.request

import openai

BASE = sys.argv[1]
MODEL, SMALL = "gpt-6-luna", "llama-4"


def script(*cues):
    request = urllib.request.Request(BASE + "/_fake/script", json.dumps(cues).encode(), method="POST")
    urllib.request.urlopen(request).read()


def client(key="good-key", retries=0):
    return openai.OpenAI(api_key=key, base_url=BASE + "/v1", max_retries=retries)


def ask(prompt="hi", model=MODEL, **options):
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": prompt}]
    return CLIENT.chat.completions.create(model=model, messages=messages, **options)


def refusal(action):
    try:
        action()
    except openai.APIError as error:
        return error
    raise AssertionError("the call was not refused")


def words_and_usage_are_understood():
    reply = ask("How do ducks fly?", temperature=0.2, seed=1, reasoning_effort="low", max_completion_tokens=100)
    assert "ducks" in reply.choices[0].message.content and reply.choices[0].finish_reason == "stop", reply
    assert reply.model == "gpt-6-luna-2026-09-01" and reply.usage.completion_tokens_details.reasoning_tokens == 8
    assert reply.usage.prompt_tokens_details.cached_tokens == 2


def strict_schemas_are_kept():
    from pydantic import BaseModel

    class Duck(BaseModel):
        name: str
        wings: int

    messages = [{"role": "user", "content": "a duck"}]
    reply = CLIENT.chat.completions.parse(model=MODEL, messages=messages, response_format=Duck)
    assert isinstance(reply.choices[0].message.parsed, Duck), reply
    loose = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "object", "properties": {"a": {}}}}}
    assert refusal(lambda: ask(response_format=loose)).status_code == 400


def pictures_may_be_shown():
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}}]
    reply = CLIENT.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
    assert "What is it?" in reply.choices[0].message.content


def a_refusal_has_its_own_place():
    script({"finish": "refusal", "text": "No."})
    message = ask().choices[0].message
    assert message.refusal == "No." and message.content is None


def streams_come_in_pieces_with_usage_at_the_end():
    chunks = list(ask("one two three four", stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "You said: one two three four" and len(chunks) > 4
    assert not chunks[-1].choices and chunks[-1].usage.total_tokens > 0
    assert not any(chunk.usage for chunk in ask("one two", stream=True))


def an_error_in_the_middle_of_a_stream_is_raised():
    script({"failsAfter": 2})
    assert refusal(lambda: list(ask("one two three four", stream=True)))


def a_small_server_knows_another_limit_and_counts_nothing():
    reply = ask("a rather long question for so few tokens", model=SMALL, max_tokens=3)
    assert reply.choices[0].finish_reason == "length" and reply.usage is None
    assert refusal(lambda: ask(max_tokens=3)).status_code == 400
    assert ask("a rather long question", max_completion_tokens=3).choices[0].finish_reason == "length"


def unknown_members_are_refused():
    assert refusal(lambda: ask(extra_body={"top_k": 3})).status_code == 400


def vectors_come_in_both_forms():
    embed = lambda **options: CLIENT.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=256, **options)
    packed, plain = embed(), embed(encoding_format="float")
    assert [len(item.embedding) for item in packed.data] == [256, 256]
    assert packed.data[0].embedding == plain.data[0].embedding and packed.usage.prompt_tokens == 2


def models_are_listed():
    assert MODEL in [model.id for model in CLIENT.models.list()]


def keys_are_looked_at():
    error = refusal(lambda: client(key="bad-key").models.list())
    assert isinstance(error, openai.AuthenticationError) and error.code == "invalid_api_key"


def refusals_have_their_classes():
    kinds = [(400, openai.BadRequestError), (403, openai.PermissionDeniedError), (404, openai.NotFoundError),
             (429, openai.RateLimitError), (500, openai.InternalServerError), (503, openai.InternalServerError)]
    for status, kind in kinds:
        script({"status": status, "code": "insufficient_quota", "message": "Sorry."})
        error = refusal(ask)
        assert isinstance(error, kind) and error.code == "insufficient_quota" and "Sorry." in error.message, error


def a_patient_client_gets_through_a_rate_limit():
    script({"status": 429, "headers": {"retry-after-ms": "10"}}, {"status": 503, "headers": {"retry-after": "0"}})
    messages = [{"role": "user", "content": "hi"}]
    assert client(retries=2).chat.completions.create(model=MODEL, messages=messages).choices


CLIENT = client()
CHECKS = [check for name, check in list(globals().items()) if "_" in name and getattr(check, "__module__", "") == "__main__"]

for check in CHECKS:
    try:
        check()
    except Exception as problem:
        print(f"openai {openai.__version__}: {check.__name__}", file=sys.stderr)
        raise problem
print(f"openai {openai.__version__}: {len(CHECKS)} checks")
