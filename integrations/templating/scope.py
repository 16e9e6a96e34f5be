"""Which names a template has at one point, and which data each of them stands for."""

from dataclasses import dataclass, field

Path = tuple[str, ...]
ITEM = "[]"  # the segment that stands for "each value of this list"

# Where a value comes from. Empty: made by the template itself, so that nothing about its inside is known.
Paths = frozenset[Path]
MADE: Paths = frozenset()


def dotted(path: Path) -> str:
    """`task.notes[].text`: how a path is written for people and in the list of known names."""
    return ".".join(path).replace("." + ITEM, ITEM)


def parsed(path: str) -> Path:
    """The segments of a dotted path."""
    return tuple(segment for segment in path.replace(ITEM, "." + ITEM).split(".") if segment)


@dataclass(frozen=True, slots=True)
class Use:
    """One use of data in a template.

    `role` says what is needed of it: "value" (it is written or worked with), "list" (it is looped over), "any" (only
    whether it is there, or all of it), "alias" (it gets another name). `base` is the name it was reached by and
    `base_paths` what that name stands for.
    """

    written: str
    paths: Paths
    role: str
    line: int
    base: str
    base_paths: Paths


@dataclass
class Scope:
    """The local names at one point; `partly` are those that only some branches have set."""

    names: dict[str, Paths] = field(default_factory=dict)
    partly: set[str] = field(default_factory=set)
    in_loop: bool = False

    def copy(self, *, in_loop: bool | None = None) -> "Scope":
        return Scope(dict(self.names), set(self.partly), self.in_loop if in_loop is None else in_loop)

    def bind(self, name: str, paths: Paths) -> None:
        self.names[name] = paths
        self.partly.discard(name)

    def merge(self, branches: list["Scope"]) -> None:
        """Take over what is known behind branches of which exactly one was taken."""
        everywhere = set.intersection(*(set(branch.names) for branch in branches))
        anywhere = set.union(*(set(branch.names) | branch.partly for branch in branches))
        self.names = {
            name: MADE
            if any(not branch.names[name] for branch in branches)
            else frozenset().union(*(branch.names[name] for branch in branches))
            for name in everywhere
        }
        self.partly = anywhere - everywhere
