"""docs/security.md lists every place that touches objects of somebody else's making, and this keeps the list whole."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/nswire"
# What opens, looks at, copies or asks an object; closing comes with each of them.
CALLS = frozenset(
    "open fdopen stat lstat fstat statvfs readlink listdir scandir lexists exists isfile isdir is_file is_dir realpath "
    "resolve getsize read_bytes read_text write_bytes write_text ioctl setns pidfd_open _syscall statx connect "
    "posix_spawn fork Popen run system mkstemp".split()
)
ROW = re.compile(r"^\| `(\w+/\w+\.py)` \| (`[^|]*`) \|", re.MULTILINE)


def places(file: Path) -> set[str]:
    """The functions of a file that call one of these."""
    found = set()

    def walk(node: ast.AST, inside: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
                walk(child, (*inside, child.name))
                continue
            if isinstance(child, ast.Call):
                name = getattr(child.func, "id", None) or getattr(child.func, "attr", None)
                if name in CALLS:
                    found.add(".".join(inside))
            walk(child, inside)

    walk(ast.parse(file.read_text()), ())
    return found


def listed() -> dict[str, set[str]]:
    """The places that the page lists, by file."""
    made: dict[str, set[str]] = {}
    for file, names in ROW.findall((ROOT / "docs/security.md").read_text()):
        made.setdefault(file, set()).update(re.findall(r"`([^`]+)`", names))
    return made


def test_every_place_is_listed() -> None:
    """Of the room that touches a machine: with what it touches, whose that is, and who does it."""
    there = {f"host/{file.name}": places(file) for file in (SOURCE / "host").glob("*.py")}
    assert {file: names for file, names in there.items() if names} == listed()


def test_no_other_room_touches_a_machine() -> None:
    """What reads, resolves, draws and tells has no way to anything but through `System`."""
    for room in (
        "model",
        "codec",
        "sources",
        "kinds",
        "resolve",
        "facets",
        "discover",
        "owners",
        "path",
        "handles",
    ):
        for file in (SOURCE / room).rglob("*.py"):
            names = {
                name
                for name in _imports(file)
                if name in {"fcntl", "socket", "subprocess", "ctypes", "pathlib"}
            }
            assert names <= {"socket", "pathlib"}, f"{file} imports {names}"


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_only_the_child_touches_what_is_foreign() -> None:
    """The main process has these functions, too, and never calls them."""
    foreign = {"open_namespace", "open_namespace_in_root", "namespace_of_socket", "inode_of_socket"} | {
        "namespace_of_tun", "macvtap", "device", "open_path_in_root",
    }  # fmt: skip
    for file in SOURCE.rglob("*.py"):
        if file.name in ("descriptors.py", "foreign.py", "syscalls.py") or file.is_relative_to(
            SOURCE / "lab"
        ):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "syscalls":
                assert node.attr not in foreign, f"{file} calls syscalls.{node.attr}"
