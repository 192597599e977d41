"""Drives a Gemini API with Google's own client and checks that the client understands it.

Usage: gemini_client.py BASE_URL API_VERSION, with a fake that takes scripts under /_fake/.
Runs with google-genai 3.4.0 and 1.75.0.
"""

import base64
import json
import sys
import urllib.request

import google.genai
from google import genai
from google.genai import errors, types

BASE, VERSION = sys.argv[1], sys.argv[2]
FLASH, LITE = "gemini-3.8-flash", "gemini-3.5-flash-lite"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def script(*cues):
    request = urllib.request.Request(BASE + "/_fake/script", json.dumps(cues).encode(), method="POST")
    urllib.request.urlopen(request).read()


def counters():
    return json.load(urllib.request.urlopen(BASE + "/_fake/counters"))


def client(key="good-key", **options):
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=BASE, api_version=VERSION, **options))


def retrying(attempts):
    return client(retry_options=types.HttpRetryOptions(attempts=attempts, initial_delay=0.01, max_delay=0.02))


def refusal(action):
    try:
        action()
    except errors.APIError as error:
        return error
    raise AssertionError("the call was not refused")


def ask(prompt="hi", model=LITE, **config):
    return CLIENT.models.generate_content(model=model, contents=prompt, config=config or None)


def texts_are_echoed_with_their_instruction():
    reply = ask(
        "How do ducks fly?",
        system_instruction="be brief",
        temperature=0.2,
        seed=1,
        safety_settings=[types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")],
    )
    assert "ducks" in reply.text and "be brief" in reply.text, reply
    assert reply.candidates[0].finish_reason == types.FinishReason.STOP
    usage = reply.usage_metadata
    assert usage.prompt_token_count + usage.candidates_token_count == usage.total_token_count, usage
    assert reply.model_version == LITE and reply.response_id


def a_schema_is_answered_with_an_instance():
    schema = {
        "type": "OBJECT",
        "properties": {"ok": {"type": "BOOLEAN"}, "tags": {"type": "ARRAY", "items": {"type": "STRING"}}},
        "required": ["ok"],
    }
    reply = ask(response_mime_type="application/json", response_schema=schema)
    parsed = json.loads(reply.text)
    assert parsed["ok"] is True and isinstance(parsed["tags"], list), parsed
    plain = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    assert json.loads(ask(response_mime_type="application/json", response_json_schema=plain).text) == {"n": 3}


def thinking_is_counted_apart():
    reply = ask(model=FLASH, thinking_config=types.ThinkingConfig(thinking_level="LOW", include_thoughts=True))
    thought, said = reply.candidates[0].content.parts
    assert thought.thought and not said.thought
    assert reply.usage_metadata.thoughts_token_count > 0
    calm = ask(model="gemini-2.5-flash", thinking_config=types.ThinkingConfig(thinking_budget=0))
    assert not calm.usage_metadata.thoughts_token_count
    both = types.ThinkingConfig(thinking_level="LOW", thinking_budget=5)
    assert refusal(lambda: ask(model=FLASH, thinking_config=both)).code == 400
    minimal = types.ThinkingConfig(thinking_level="MINIMAL")
    assert refusal(lambda: ask(model=FLASH, thinking_config=minimal)).code == 400


def pictures_go_in_and_come_out():
    reply = ask(["What is it?", types.Part.from_bytes(data=PIXEL, mime_type="image/png")])
    kinds = [detail.modality.value for detail in reply.usage_metadata.prompt_tokens_details]
    assert kinds == ["TEXT", "IMAGE"], kinds
    drawn = ask("a cat", model="gemini-3.1-flash-image", response_modalities=["IMAGE"])
    assert drawn.candidates[0].content.parts[0].inline_data.data == PIXEL


def another_model_may_answer():
    assert ask(model="gemini-3.5-flash").model_version == "gemini-3.6-flash"
    script({"modelVersion": FLASH})
    assert ask(model="gemini-2.5-flash").model_version == FLASH


def streams_add_up():
    whole = ask("one two three four five six seven eight nine ten").text
    pieces = list(
        CLIENT.models.generate_content_stream(model=LITE, contents="one two three four five six seven eight nine ten")
    )
    assert len(pieces) > 2 and "".join(piece.text for piece in pieces) == whole
    assert [bool(piece.candidates[0].finish_reason) for piece in pieces] == [False] * (len(pieces) - 1) + [True]
    counts = [piece.usage_metadata.candidates_token_count for piece in pieces]
    assert counts == sorted(counts), counts


def an_error_in_the_middle_of_a_stream_is_raised():
    script({"method": "streamGenerateContent", "status": 503, "afterEvents": 1})
    words = "one two three four five six"
    error = refusal(lambda: list(CLIENT.models.generate_content_stream(model=LITE, contents=words)))
    assert error.code == 503, error


def a_stream_that_is_cut_ends_in_an_error():
    script({"method": "streamGenerateContent", "breaks": "cut"})
    try:
        pieces = list(CLIENT.models.generate_content_stream(model=LITE, contents="one two three four five six"))
    except Exception:
        return
    assert not any(piece.candidates[0].finish_reason for piece in pieces)


def texts_of_the_first_embedding_model_have_a_vector_each():
    config = types.EmbedContentConfig(task_type="RETRIEVAL_DOCUMENT", title="T", output_dimensionality=768)
    vectors = CLIENT.models.embed_content(model="gemini-embedding-001", contents=["a", "b"], config=config).embeddings
    assert [len(vector.values) for vector in vectors] == [768, 768]
    assert sum(x * x for x in vectors[0].values) < 0.98, "a cut vector has not length one"
    full = CLIENT.models.embed_content(model="gemini-embedding-001", contents="a b c").embeddings[0].values
    assert len(full) == 3072 and abs(sum(x * x for x in full) - 1) < 1e-3


def texts_of_the_second_embedding_model_are_fused():
    config = types.EmbedContentConfig(output_dimensionality=768)
    vectors = CLIENT.models.embed_content(model="gemini-embedding-2", contents=["a", "b"], config=config).embeddings
    assert len(vectors) == 1 and abs(sum(x * x for x in vectors[0].values) - 1) < 1e-3


def a_batch_holds_a_hundred_texts():
    embed = lambda count: CLIENT.models.embed_content(model="gemini-embedding-001", contents=["a"] * count)
    assert len(embed(100).embeddings) == 100
    error = refusal(lambda: embed(101))
    assert error.code == 400 and "at most 100 requests" in error.message, error


def tokens_are_counted():
    assert CLIENT.models.count_tokens(model=LITE, contents="How do ducks fly?").total_tokens == 5


def models_are_listed_page_by_page():
    pager = CLIENT.models.list(config={"page_size": 5})
    assert len(pager.page) == 5
    names = [model.name for model in pager]
    assert len(names) == len(set(names)) > 10 and f"models/{LITE}" in names
    assert not any("imagen" in name for name in names)
    model = CLIENT.models.get(model=LITE)
    assert model.input_token_limit == 1_048_576 and "generateContent" in model.supported_actions


def models_that_are_gone_are_not_found():
    for model in ["imagen-4.0-generate-001", "text-embedding-004"]:
        assert refusal(lambda: ask(model=model)).code == 404
        assert refusal(lambda: CLIENT.models.get(model=model)).code == 404


def a_patient_client_gets_through_a_rate_limit():
    patient, before = retrying(3), counters()["answers"].get("429", 0)
    script({"times": 2, "status": 429, "quota": "perMinute", "retrySeconds": 0.01})
    assert patient.models.generate_content(model=LITE, contents="hi").text
    assert counters()["answers"]["429"] == before + 2


def a_spent_quota_has_three_details():
    script({"status": 429, "quota": "perDay", "retrySeconds": 20.2})
    error = refusal(ask)
    assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
    kinds = [detail["@type"].rsplit(".")[-1] for detail in error.details["error"]["details"]]
    assert kinds == ["QuotaFailure", "Help", "RetryInfo"], kinds


def keys_are_looked_at():
    bad = client(key="bad-key")
    error = refusal(lambda: bad.models.generate_content(model=LITE, contents="hi"))
    assert isinstance(error, errors.ClientError) and error.code == 400
    assert error.details["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def money_and_overload_have_their_codes():
    for status, kind in [(402, errors.ClientError), (403, errors.ClientError), (500, errors.ServerError),
                         (503, errors.ServerError), (504, errors.ServerError)]:
        script({"status": status})
        error = refusal(ask)
        assert error.code == status and isinstance(error, kind), error


def a_blocked_prompt_has_no_candidates():
    script({"blockReason": "PROHIBITED_CONTENT"})
    reply = ask()
    assert not reply.candidates
    assert reply.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


def replies_stop_for_other_reasons():
    script({"finishReason": "SAFETY"})
    unsafe = ask()
    assert unsafe.candidates[0].finish_reason == types.FinishReason.SAFETY and not unsafe.text
    short = ask("a rather long question for so few tokens", max_output_tokens=3)
    assert short.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS and len(short.text) == 12
    empty = ask(model=FLASH, max_output_tokens=3)
    assert not empty.text and empty.usage_metadata.thoughts_token_count == 3


def scripted_words_are_said():
    script({"contains": "weather", "text": "It rains."})
    assert ask("ducks").text != "It rains." and ask("the weather").text == "It rains."


def unknown_fields_are_refused():
    request = urllib.request.Request(
        f"{BASE}/{VERSION}/models/{LITE}:generateContent",
        json.dumps({"contents": [{"parts": [{"text": "hi", "txet": 1}]}]}).encode(),
        {"x-goog-api-key": "good-key", "content-type": "application/json"},
    )
    try:
        urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        assert error.code == 400 and "txet" in json.load(error)["error"]["message"]
        return
    raise AssertionError("an unknown field was taken")


CLIENT = client()
CHECKS = [check for name, check in list(globals().items()) if "_" in name and getattr(check, "__module__", "") == "__main__"]

for check in CHECKS:
    try:
        check()
    except Exception as problem:
        print(f"google-genai {google.genai.__version__}: {check.__name__}", file=sys.stderr)
        raise problem
print(f"google-genai {google.genai.__version__}: {len(CHECKS)} checks")
