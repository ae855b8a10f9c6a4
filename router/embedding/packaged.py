"""Where are the files of a model that came as a package, and which version are they?"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from router.errors import EmbeddingUnavailable


def packaged_file(package: str, path: str, *, install: str) -> Path:
    """A file inside an installed package, which is not imported. install: what to type where it is missing.

    Raises: EmbeddingUnavailable.
    """
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(place) / path).is_file():
            return Path(place) / path
    raise EmbeddingUnavailable([f"the embedding needs {package}/{path}, which is not installed: {install}"])


def fingerprint(*paths: Path) -> str:
    """Twelve hexadecimal digits that change with the content of the files. Cost: some 10 ms for 20 MB."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:12]


def readable(text: str) -> str:
    """The text without unpaired surrogates, which JSON allows and tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")
