"""`python -m shadow.documents.generate`: write the generated pages, or with --check say which are out of date."""

from __future__ import annotations

import sys
from pathlib import Path

from shadow.documents import commands, configuration

ROOT = Path(__file__).resolve().parents[2]


def pages() -> dict[str, str]:
    """Path below the project -> what should stand there."""
    return {"docs/configuration.md": configuration.page(), "docs/cli.md": commands.page()}


def outdated(root: Path = ROOT) -> list[str]:
    """The pages whose file says something else."""
    return [name for name, text in pages().items() if not _says(root / name, text)]


def write(root: Path = ROOT) -> list[str]:
    """Write the pages that changed; returns their paths."""
    changed = outdated(root)
    for name in changed:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(pages()[name], encoding="utf-8")
    return changed


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def main() -> int:
    """Exit code 1 if --check finds a page out of date."""
    check = sys.argv[1:] == ["--check"]
    changed = outdated() if check else write()
    for name in changed:
        sys.stdout.write(f"{name}: {'out of date, run `make docs`' if check else 'written'}\n")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
