"""Drives the Messages API with Anthropic's own client and checks that the client understands it.

Usage: anthropic_client.py BASE_URL, with a fake that takes scripts under /_fake/. Runs with anthropic 2.11.0.
"""

import json
import sys
import urllib.request

import anthropic

BASE = sys.argv[1]
MODEL = "claude-haiku-5-5"


def script(*cues):
    request = urllib.request.Request(BASE + "/_fake/script", json.dumps(cues).encode(), method="POST")
    urllib.request.urlopen(request).read()


def client(key="good-key", retries=0, **headers):
    return anthropic.Anthropic(api_key=key, base_url=BASE, max_retries=retries, default_headers=headers or None)


NEW = {"anthropic-version": "2026-10-21"}
OLD = {"anthropic-version": "2023-06-01"}


def ask(prompt="hi", **options):
    options = {"max_tokens": 100, "extra_headers": NEW, **options}
    return CLIENT.messages.create(model=MODEL, messages=[{"role": "user", "content": prompt}], **options)


def refusal(action):
    try:
        action()
    except anthropic.APIError as error:
        return error
    raise AssertionError("the call was not refused")


def words_and_usage_are_understood():
    reply = ask("How do ducks fly?", system="be brief", stop_sequences=["END"])
    assert "ducks" in reply.content[0].text and reply.stop_reason == "end_turn", reply
    assert reply.model == MODEL + "-20261001" and reply.id == "msg_fake"
    usage = reply.usage
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (3, 2) and usage.output_tokens > 0


def the_new_version_takes_no_sampling_and_the_old_one_does():
    drawn = {"extra_body": {"temperature": 0.2}}
    error = refusal(lambda: ask(**drawn))
    assert error.status_code == 400 and "temperature: Extra inputs are not permitted" in error.message, error
    assert ask(**drawn, extra_headers=OLD).content
    assert refusal(lambda: ask(extra_headers={"anthropic-version": "2020-01-01"})).status_code == 400


def schemas_are_kept():
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"], "additionalProperties": False}
    reply = ask(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(reply.content[0].text) == {"name": "name"}
    del schema["additionalProperties"]
    assert refusal(lambda: ask(output_config={"format": {"type": "json_schema", "schema": schema}})).status_code == 400


def pictures_may_be_shown():
    source = {"type": "base64", "media_type": "image/png", "data": "cG5n"}
    assert ask([{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]).content


def replies_stop_for_other_reasons():
    assert ask("a rather long question for so few tokens", max_tokens=3).stop_reason == "max_tokens"
    script({"finish": "refusal"})
    assert ask().stop_reason == "refusal"


def streams_come_in_pieces():
    with CLIENT.messages.stream(model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "one two three"}]) as stream:
        pieces = list(stream.text_stream)
        whole = stream.get_final_message()
    assert len(pieces) > 3 and "".join(pieces) == whole.content[0].text == "You said: one two three"
    assert whole.stop_reason == "end_turn" and whole.usage.output_tokens == 6


def an_error_in_the_middle_of_a_stream_is_raised():
    script({"failsAfter": 4, "status": 529})
    assert refusal(lambda: list(ask("one two three", stream=True)))


def tokens_are_counted():
    messages = [{"role": "user", "content": "twelve chars"}]
    assert CLIENT.messages.count_tokens(model=MODEL, messages=messages).input_tokens == 3


def models_are_listed():
    assert MODEL in [model.id for model in CLIENT.models.list()]


def keys_are_looked_at():
    assert isinstance(refusal(lambda: client(key="bad-key").models.list()), anthropic.AuthenticationError)


def refusals_have_their_classes():
    kinds = [(400, anthropic.BadRequestError), (403, anthropic.PermissionDeniedError), (404, anthropic.NotFoundError),
             (429, anthropic.RateLimitError), (500, anthropic.InternalServerError), (529, anthropic.InternalServerError)]
    for status, kind in kinds:
        script({"status": status, "message": "Sorry."})
        error = refusal(ask)
        assert isinstance(error, kind) and error.status_code == status and "Sorry." in error.message, error


def a_patient_client_gets_through():
    script({"status": 429, "headers": {"retry-after": "0"}}, {"status": 529, "headers": {"retry-after": "0"}})
    messages = [{"role": "user", "content": "hi"}]
    assert client(retries=2).messages.create(model=MODEL, max_tokens=10, messages=messages).content


CLIENT = client()
CHECKS = [check for name, check in list(globals().items()) if "_" in name and getattr(check, "__module__", "") == "__main__"]

for check in CHECKS:
    try:
        check()
    except Exception as problem:
        print(f"anthropic {anthropic.__version__}: {check.__name__}", file=sys.stderr)
        raise problem
print(f"anthropic {anthropic.__version__}: {len(CHECKS)} checks")
