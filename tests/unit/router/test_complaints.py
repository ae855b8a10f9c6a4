"""Is a provider's complaint understood, whoever says it and in whichever words?"""

import json

import pytest

from router.complaints import complaint_kind

CONTEXT = [
    "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
    "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens",
    "prompt is too long: 213462 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length",
    "Input is too long for requested model.",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000",
    "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
    "Please reduce the length of the messages or completion.",
    "the request exceeds the available context size, try increasing it",
    "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097. Given: 4000",
]


def said(message, **more):
    return json.dumps({"error": {"message": message, "type": "invalid_request_error", **more}}).encode()


@pytest.mark.parametrize("message", CONTEXT)
def test_a_conversation_that_is_too_long_is_known_by_its_words(message):
    assert complaint_kind(said(message)) == "context_length"
    assert complaint_kind(json.dumps({"type": "error", "error": {"message": message}}).encode()) == "context_length"
    assert complaint_kind(json.dumps({"message": message}).encode()) == "context_length"
    assert complaint_kind(message.encode()) == "context_length"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (said("x", code="context_length_exceeded"), "context_length"),
        (said("x", type="exceed_context_size_error"), "context_length"),
        (said("The response was filtered due to the prompt", code="content_filter"), "content_filter"),
        (said("x", code="400", innererror={"code": "ResponsibleAIPolicyViolation"}), "content_filter"),
        (said("Your input was flagged by moderation"), "content_filter"),
        (said("Output blocked by content filtering policy"), "content_filter"),
        (said("This model does not support assistant message prefill."), "prefill"),
        (said("The conversation must end with a user message."), "prefill"),
        (said("Unrecognized request argument supplied: stream_options"), "stream_options"),
        (said("Unsupported value: 'temperature'", code="unsupported_value"), "unsupported"),
        (said("Web search options not supported with this model."), "unsupported"),
        (said("This model does not support effort level 'xhigh'."), "unsupported"),
        (said("The requested model 'gpt' does not exist.", code="model_not_found"), "unknown_model"),
        (b'{"message": "The provided model identifier is invalid."}', "unknown_model"),
        (said("Tool choice is required, but model did not call a tool", code="tool_use_failed"), "model_failed"),
        (b'[{"error": {"code": 400, "message": "The input token count exceeds the maximum"}}]', "context_length"),
    ],
)
def test_codes_and_words_of_other_complaints_are_known(body, kind):
    assert complaint_kind(body) == kind


@pytest.mark.parametrize(
    "body",
    [
        said("Invalid 'temperature': decimal above maximum value."),
        said("max_tokens is too large: 100000. This model supports at most 16384 completion tokens."),
        said("Error while downloading https://example.com/800x400.", code="invalid_image_url"),
        said("No tool output found for tool call call-a."),
        said("messages.2.content.2.document.source.type: Field required"),
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"error": "no"}',
        b'{"error": {"message": ["list"], "code": 7}}',
        b" " * 100_000,
    ],
)
def test_everything_else_is_the_clients_business(body):
    assert complaint_kind(body) == "other"
