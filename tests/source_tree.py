"""The project's own files, for tests about the source itself."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@functools.cache
def project_files() -> tuple[Path, ...]:
    """Every file that is, or would be, committed; paths relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return tuple(path for path in map(Path, filter(None, listed)) if (ROOT / path).is_file())


def python_files(*folders: str) -> list[Path]:
    """Python files under these folders, generated migrations excepted."""
    return [
        path
        for path in project_files()
        if path.suffix == ".py" and path.parts[0] in folders and "migrations" not in path.parts
    ]


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse((ROOT / path).read_text(), filename=str(path))


def imports(path: Path) -> Iterator[str]:
    """The full dotted name of everything that a file imports, inside functions too."""
    package = list(path.with_suffix("").parts[:-1])
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{name.name}" for name in node.names)


def within(name: str, package: str) -> bool:
    """Whether a dotted name is a package or lies in it."""
    return name == package or name.startswith(f"{package}.")
