"""Which query types are there, and what do people ask in each? Read from a YAML file of examples.

builtin: true            # keep the built-in types and add to them; without it these types replace them
types:
  refund:
    - I want my money back.
    - The parcel arrived broken, how do I get a refund?
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from router.errors import ConfigInvalid
from router.query_types import UNKNOWN

BUILTIN = Path(__file__).with_name("builtin.yaml")
FEWEST_EXAMPLES = 2
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, where PyYAML was built with it
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FORM = "a query type has a name and a list of texts"


def read_examples(path: Path | None = None) -> Mapping[str, tuple[str, ...]]:
    """Type -> its examples, at least two types. None: the built-in ones.

    Raises: ConfigInvalid, one line for each problem, with file, line and key.
    """
    if path is None:
        return read_examples(BUILTIN)
    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigInvalid([f"routing.query_types.examples: cannot read {path}: {exc}"]) from exc
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        problem = getattr(exc, "problem", None) or "not readable"
        raise ConfigInvalid([f"routing.query_types.examples: {where}: this is no YAML: {problem}"]) from exc
    file = _File(path)
    file.read(root)
    if not file.problems and len(file.types) < 2:
        file.problems.append(f"routing.query_types.examples: {path}: at least two types are needed")
    if file.problems:
        raise ConfigInvalid(file.problems)
    return {name: tuple(dict.fromkeys(texts)) for name, texts in file.types.items()}


class _File:
    """What was read so far, and what was wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.types: dict[str, list[str]] = {}
        self.problems: list[str] = []

    def read(self, root: yaml.Node | None) -> None:
        if not isinstance(root, yaml.MappingNode):
            self._problem(root, "", f"expected the key types; {_FORM}")
            return
        given = {key.value: (key, value) for key, value in root.value}
        for name, (key, _) in given.items():
            if name not in ("builtin", "types"):
                self._problem(key, name, "unknown key (known: builtin, types)")
        if "builtin" in given:
            _, value = given["builtin"]
            if value.tag != "tag:yaml.org,2002:bool":
                self._problem(value, "builtin", "must be true or false")
            elif yaml.safe_load(value.value):
                self.types.update({name: list(texts) for name, texts in read_examples().items()})
        if "types" not in given:
            self._problem(root, "types", f"is missing; {_FORM}")
        elif not isinstance(given["types"][1], yaml.MappingNode):
            self._problem(given["types"][1], "types", f"must be a mapping; {_FORM}")
        else:
            for key, value in given["types"][1].value:
                self._type(key, value)

    def _type(self, key: yaml.Node, value: yaml.Node) -> None:
        name = str(key.value)
        where = f"types.{name}"
        if not isinstance(key, yaml.ScalarNode) or not _NAME.fullmatch(name) or name == UNKNOWN:
            self._problem(key, where, f"is no name for a type: letters, digits, '.', '_', '-', and not {UNKNOWN!r}")
        elif not isinstance(value, yaml.SequenceNode):
            self._problem(value, where, "must be a list of texts")
        else:
            texts = []
            for place, entry in enumerate(value.value):
                if entry.tag == "tag:yaml.org,2002:str" and entry.value.strip():
                    texts.append(entry.value)
                else:
                    self._problem(
                        entry, f"{where}[{place}]", "must be a text (in quotes if it looks like a number or a key)"
                    )
            if len(set(texts)) < FEWEST_EXAMPLES and name not in self.types and len(texts) == len(value.value):
                self._problem(value, where, f"has {len(set(texts))} examples, at least {FEWEST_EXAMPLES} are needed")
            self.types.setdefault(name, []).extend(texts)

    def _problem(self, node: yaml.Node | None, key: str, what: str) -> None:
        line = f":{node.start_mark.line + 1}" if node is not None else ""
        self.problems.append(f"routing.query_types.examples: {self._path}{line}: {f'{key}: ' if key else ''}{what}")
