"""Makes Spyne 2.14 importable on Python 3.12 and later, and without a warning on 3.11.

Spyne carries a copy of `six` whose importer has only the methods that Python 3.12 removed (`find_module`,
`load_module`) and 3.11 warns of. The copy is loaded here before anything of Spyne is, and its importer given today's
methods, as six 1.16 has them. On 3.13 the package legacy-cgi stands in for the removed `cgi`.
"""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

SIX = "spyne.util.six"


def install() -> None:
    """Load Spyne's `six` and mend its importer; does nothing the second time."""
    if SIX in sys.modules:
        return
    package = importlib.util.find_spec("spyne")
    assert package is not None  # noqa: S101 - for the types: Spyne is installed
    assert package.origin is not None  # noqa: S101 - for the types: Spyne is installed
    spec = importlib.util.spec_from_file_location(SIX, Path(package.origin).parent / "util" / "six.py")
    assert spec is not None  # noqa: S101 - for the types: Spyne is installed
    assert spec.loader is not None  # noqa: S101 - for the types: Spyne is installed
    module = sys.modules[SIX] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    importer: Any = next(finder for finder in sys.meta_path if getattr(finder, "name", "") == SIX)

    def find_spec(self: Any, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name in self.known_modules else None

    def create_module(self: Any, spec: ModuleSpec) -> ModuleType:
        return self.load_module(spec.name)

    def exec_module(self: Any, module: ModuleType) -> None:
        """`create_module` returned a module that was executed before."""

    for method in (find_spec, create_module, exec_module):
        setattr(type(importer), method.__name__, method)
