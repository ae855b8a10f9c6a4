"""Does a real small language model answer, in a process of its own? Needs `make local-model`."""

import openai
import psutil
import pytest

from shadow.lab.errors import ChildError
from shadow.lab.local import LocalModel
from shadow.lab.tasks.extraction import read_object

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    with LocalModel(threads=1) as running:
        yield running


@pytest.fixture
def sdk(model):
    with openai.OpenAI(base_url=model.base_url, api_key="x", timeout=60) as client:
        yield client


def test_a_real_model_answers_a_chat_request(model, sdk):
    answer = sdk.chat.completions.create(
        model=model.model,
        messages=[{"role": "user", "content": "What is the capital of France? Answer briefly."}],
        max_tokens=24,
        temperature=0,
    )
    assert answer.model == model.model
    assert "Paris" in answer.choices[0].message.content
    assert answer.usage.prompt_tokens > 10
    assert 0 < answer.usage.completion_tokens <= 24


def test_it_streams_and_keeps_to_a_json_schema(model, sdk):
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    chunks = sdk.chat.completions.create(
        model=model.model,
        messages=[{"role": "user", "content": "Extract the city as JSON: The train leaves from Porto."}],
        response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": schema}},
        stream=True,
        max_tokens=48,
        temperature=0,
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert isinstance(read_object(text)["city"], str)


def test_it_is_gone_after_stopping():
    children = {child.pid for child in psutil.Process().children()}
    with LocalModel() as model:
        (started,) = {child.pid for child in psutil.Process().children()} - children
        assert model.base_url.startswith("http://127.0.0.1:")
    assert not psutil.pid_exists(started)


def test_a_file_that_is_no_model_is_an_error_and_leaves_nothing_behind(tmp_path):
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"not a model")
    children = {child.pid for child in psutil.Process().children()}
    with pytest.raises(ChildError, match="before it was ready"):
        LocalModel(file).start()
    assert {child.pid for child in psutil.Process().children()} == children
