"""Are recordings replayed and counted as they should be, and is a wrong reading noticed? On exchanges written by hand."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tests" / "benchmarks" / "wire_recordings.py"
ASKED = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Well?"}]}


def sse(*payloads, named=False, done=True):
    events = [
        (f"event: {payload['type']}\n" if named else "") + f"data: {json.dumps(payload)}\n\n" for payload in payloads
    ]
    return "".join(events) + ("data: [DONE]\n\n" if done else "")


def row(
    number, provider, body, *, url="https://api.example.com/v1/chat/completions", status=200, streamed=False, **more
):
    content_type = "text/event-stream; charset=utf-8" if streamed else "application/json"
    return {
        "id": f"own-{number}",
        "provider": provider,
        "url": url,
        "method": "POST",
        "status": status,
        "request_body": json.dumps({**ASKED, "stream": streamed}),
        "response_headers": {"content-type": content_type, **more},
        "response_body": body if isinstance(body, str) else json.dumps(body),
    }


def chunk(delta, reason=None, **more):
    return {"id": "c", "model": "m-1", "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}


CALLS = [
    {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"a": 1}'}},
    {"id": "2", "type": "function", "function": {"name": "look_up", "arguments": ""}},
]
WHOLE = {
    "model": "m-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": CALLS}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 3},
}
REASONED = [
    {"choices": [], "id": "", "model": "", "prompt_filter_results": []},
    chunk({"role": "assistant", "channel": "analysis", "reasoning": "Hm."}),
    chunk({"content": "42"}, logprobs=None),
    chunk({}, "stop", x_groq={"id": "req_1"}),
    {"choices": [], "model": "m-1", "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
]
MESSAGES = "https://api.anthropic.com/v1/messages"
USAGE = {"input_tokens": 5, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3, "output_tokens": 1}
HEAD = {"id": "msg_1", "type": "message", "role": "assistant", "model": "c-1", "content": [], "usage": USAGE}
STREAM = [
    {"type": "message_start", "message": HEAD},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Forty-"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "citations_delta", "citation": {"url": "u"}}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "two"}},
    {"type": "content_block_stop", "index": 1},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a":'}},
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "1}"}},
    {"type": "content_block_stop", "index": 2},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
]
SEARCHED = {
    **HEAD,
    "content": [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "text", "text": "Found it.", "citations": [{"url": "u"}]},
    ],
    "stop_reason": "end_turn",
}
MISSING = {
    "error": {"message": "The model `m` does not exist", "type": "invalid_request_error", "code": "model_not_found"}
}
GOOD = [
    row(1, "openai", WHOLE),
    row(2, "groq", sse(*REASONED), streamed=True),
    row(3, "openai", MISSING, status=404),
    row(4, "openrouter", {"error": {"message": "Later.", "code": 429}}, status=429, **{"retry-after": "1"}),
    row(5, "groq", sse(chunk({"content": "4"}), {"error": {"message": "No."}}), streamed=True),
    row(6, "anthropic", sse(*STREAM, named=True, done=False), url=MESSAGES, streamed=True),
    row(7, "anthropic", SEARCHED, url=MESSAGES),
    row(
        8,
        "anthropic",
        {"type": "error", "error": {"type": "invalid_request_error", "message": "No."}},
        url=MESSAGES,
        status=400,
    ),
    row(9, "google", {}, url="https://example.com/v1beta/models/g:generateContent"),
    row(10, "openai", {}, url="https://api.example.com/v1/responses"),
]


def replay(path, rows):
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    ran = subprocess.run(
        [sys.executable, str(TOOL), str(path), "--json"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return ran.returncode, json.loads(ran.stdout.splitlines()[-1])


def test_every_recording_is_read_as_it_says_for_a_client_of_either_dialect(tmp_path):
    code, report = replay(tmp_path / "recordings.jsonl", GOOD)
    assert code == 0
    assert (report["recordings"], report["replayed"], report["replays"], report["streamed"]) == (10, 8, 16, 6)
    assert report["skipped"] == {"google's own shape": 1, "Responses API": 1}
    assert (report["answered"], report["with_usage"], report["with_tool_calls"]) == (8, 8, 4)
    assert sum(report["errors"].values()) == 8
    assert report["wrong"] == 0


def test_an_answer_that_cannot_be_read_is_wrong(tmp_path):
    code, report = replay(tmp_path / "recordings.jsonl", [row(1, "openai", {**WHOLE, "choices": {}})])
    assert (code, report["wrong"], report["answered"]) == (1, 2, 0)
