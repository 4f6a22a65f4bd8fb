"""The rooms and their import direction are the architecture; these tests guard them."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nswire

ROOT = Path(nswire.__file__).parent
# A package may import what is listed before it, never what is listed behind.
ROOMS = (
    "version", "escape", "model", "errors", "codec", "host", "sources", "kinds", "resolve", "facets", "owners", "discover", "handles",
    "path", "check", "draw", "show", "lab", "web", "cli", "start", "__main__",
)  # fmt: skip
FILES = sorted(ROOT.rglob("*.py"))
TRAVELS = (
    "live.py netns_worker.py proc.py process.py descriptors.py foreign.py apart.py budget.py state_files.py ovs_client.py genetlink.py "
    "jsonrpc.py firewall_tools.py syscalls.py system.py"
).split()
TRAVELLING = {"nswire.host", *(f"nswire.host.{name.removesuffix('.py')}" for name in TRAVELS)}
LONGEST = 500  # lines; a longer file is two rooms that were not told apart


def imports(file: Path) -> set[str]:
    """The modules that a file imports, wherever in it, as absolute names."""
    found = set()
    package = [ROOT.name, *file.relative_to(ROOT).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            found.add(".".join([*base, *([node.module] if node.module else [])]))
            found |= {
                ".".join([*base, *([node.module] if node.module else []), alias.name]) for alias in node.names
            }
    return found


def room(file: Path) -> str:
    """The room that a file lies in."""
    part = file.relative_to(ROOT).parts[0]
    return part.removesuffix(".py")


def test_every_folder_is_a_room() -> None:
    """A new room is a decision, so it has to be written into the list."""
    assert {room(file) for file in FILES} <= {*ROOMS, "__init__"}


def test_imports_go_one_way() -> None:
    """A package may import those that are listed before it, and none of those behind."""
    wrong = []
    for file in FILES:
        if room(file) == "__init__":
            continue
        allowed = ROOMS[: ROOMS.index(room(file)) + 1]
        for name in imports(file):
            parts = name.split(".")
            if parts[0] == "nswire" and len(parts) > 1 and (ROOT / parts[1]).is_dir():
                wrong += [] if parts[1] in allowed else [f"{file.relative_to(ROOT)} imports {name}"]
    assert not wrong


# path/ is a tower: each part may import those before it, never one behind, types included
TOWER = (
    "values", "bounds", "branching", "sysctls", "fib", "sizes", "conntrack", "netfilter.compare", "supposed", "context", "netfilter", "mtu", "devices", "l2",
    "ip", "trace", "endpoints", "query",
)  # fmt: skip


def modules_of_path() -> dict[str, set[str]]:
    """The modules of path/ (without `nswire.path.`), and those of them that each imports, for types alone as well."""
    files = {
        file: file.relative_to(ROOT / "path").with_suffix("").parts for file in (ROOT / "path").rglob("*.py")
    }
    names = {
        file: ".".join(parts).removesuffix("__init__").removesuffix(".") for file, parts in files.items()
    }
    known = {f"nswire.path.{name}": name for name in names.values() if name}
    found = {}
    for file, name in names.items():
        asked = imports(file)
        # `from package import module` is the module's, not the package's
        deep = {
            one
            for one in asked
            if one in known and not any(o.startswith(f"{one}.") and o in known for o in asked)
        }
        found[name] = {known[one] for one in deep} - {name}
    return found


def test_path_has_no_circle() -> None:
    """No file of path/ knows, over whatever others, one that knows it: each can be read with those below it alone."""
    list(graphlib.TopologicalSorter(modules_of_path()).static_order())  # CycleError names the circle


def test_path_is_a_tower() -> None:
    """query > trace > ip > l2 > devices > mtu > netfilter > context > values, as the package's docstring says."""

    def storey(name: str) -> int:
        best = max((one for one in TOWER if name == one or name.startswith(f"{one}.")), key=len, default=None)
        assert best is not None, f"path/{name} has no place in the tower"
        return TOWER.index(best)

    graph = modules_of_path()
    graph.pop("")  # names alone
    wrong = [
        f"{name} imports {one}"
        for name, found in graph.items()
        for one in found
        if storey(one) > storey(name)
    ]
    assert not wrong
    assert graph["query"]  # it was looked at


def test_the_travelling_part_needs_the_standard_library_alone() -> None:
    """`live.py` is to be sent to machines where nothing is installed."""
    assert not [
        f"{name} imports {module}"
        for name in TRAVELS
        for module in imports(ROOT / "host" / name)
        if module.split(".")[0] not in sys.stdlib_module_names
        and not {module, module.rpartition(".")[0]} & TRAVELLING
    ]


def test_the_lab_needs_the_standard_library_alone() -> None:
    """The demo builds its network on machines without iproute2."""
    for file in (ROOT / "lab").rglob("*.py"):
        for module in imports(file):
            top = module.split(".")[0]
            assert top in sys.stdlib_module_names or module.startswith("nswire.lab"), (
                f"{file.name} imports {module}"
            )


def test_what_speaks_http_knows_nothing_of_nswire() -> None:
    """The front has no privileges, and nothing in its memory that is worth having: whatever it says, the worker said."""
    pending, seen = [ROOT / "web" / "http_server.py"], set()
    while pending:
        file = pending.pop()
        seen.add(file)
        own = {name for name in imports(file) if name.startswith("nswire.")}
        assert all(name == "nswire.web" or name.startswith("nswire.web.") for name in own), (file, own)
        found = {ROOT.parent.joinpath(*name.split(".")).with_suffix(".py") for name in own}
        pending += [one for one in found if one.exists() and one not in seen]


def test_the_extra_is_imported_by_the_served_page_alone() -> None:
    """Everything else has to work where Starlette and uvicorn are not installed."""
    for file in FILES:
        if room(file) != "web":
            assert not {"starlette", "uvicorn"} & {name.split(".")[0] for name in imports(file)}, file


@pytest.mark.parametrize("pure", ["model", "codec", "kinds", "resolve", "facets", "handles", "draw"])
def test_pure_rooms_do_no_io(pure: str) -> None:
    """Facts and conclusions are made of values: nothing in these rooms opens, connects or runs anything."""
    forbidden = {"subprocess", "threading", "fcntl", "ctypes", "pathlib", "shutil", "tempfile"}
    for file in (ROOT / pure).rglob("*.py") if (ROOT / pure).is_dir() else ():
        assert not forbidden & {name.split(".")[0] for name in imports(file)}, file
        calls = {
            n.func.id
            for n in ast.walk(ast.parse(file.read_text()))
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
        }
        assert "open" not in calls, file


@pytest.mark.parametrize("pure", ["resolve", "handles", "draw", "show"])
def test_what_tells_gets_no_inspector(pure: str) -> None:
    """They get a topology, and what that says is all they know: an enriched one is a value (tests/show/test_enriched.py)."""
    asks = {"nswire.model.inspector", "nswire.discover", "nswire.host.client", "nswire.host.live"}
    for file in (ROOT / pure).rglob("*.py"):
        assert not {
            name for name in imports(file) if any(f"{name}.".startswith(f"{one}.") for one in asks)
        }, file


def test_no_file_outgrows_its_package() -> None:
    """A long file is two things that nobody told apart."""
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in FILES}
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


def test_the_core_names_no_source_and_no_kind() -> None:
    """Adding a kind or a source touches one file and one row, so the engine must not know any."""
    from nswire import facets, kinds, sources

    words = {row.name for table in (kinds.TABLE, sources.TABLE, facets.TABLE) for row in table}
    for file in [*(ROOT / "discover").glob("*.py"), ROOT / "resolve" / "peers.py"]:
        strings = {
            n.value
            for n in ast.walk(ast.parse(file.read_text()))
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        }
        assert not words & strings, file


def test_the_public_names() -> None:
    """What is public is a promise, and it is all that is there."""
    assert sorted(nswire.__all__) == nswire.__all__
    own = {name for name, value in vars(nswire).items() if callable(value) and not name.startswith("_")}
    lazy = {name for names in nswire._HOMES.values() for name in names}
    assert set(nswire.__all__) == own | lazy | {"__version__"}
    assert all(getattr(nswire, name).__doc__ for name in nswire.__all__ if name != "__version__")
    assert (ROOT / "py.typed").exists()
    with pytest.raises(AttributeError):
        _ = nswire.nothing


def test_importing_it_costs_nothing() -> None:
    """A program that may need nswire later must not pay for it now."""
    code = "import sys; before = set(sys.modules); import nswire; print(len({'msgspec', 'click', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"


def test_scan_stays_a_function() -> None:
    """No package of ours may be called like a public function: importing it would replace the function."""
    for name in ("scan", "load", "record", "find"):
        assert not (ROOT / name).exists()
        assert not (ROOT / f"{name}.py").exists()


def test_no_two_files_of_tests_have_one_name() -> None:
    """tests/ is no package, so a name is a module's: with two of one name nothing at all is collected."""
    names = [file.name for file in (ROOT.parent.parent / "tests").rglob("test_*.py")]
    assert not {name for name in names if names.count(name) > 1}


def test_the_page_lists_the_packages_in_import_order() -> None:
    """docs/architecture.md has the only list for people, and every file that it names by its package is there."""
    page = (ROOT.parent.parent / "docs" / "architecture.md").read_text()
    listed = re.findall(r"^\| `(\w+)/` \|", page, re.MULTILINE)
    assert listed == [name for name in ROOMS if (ROOT / name).is_dir()]
    answers = re.findall(r"^\| [^|`]*(?:`\w+`[^|`]*)?\| `([\w/]+\.\w+)` \|$", page, re.MULTILINE)
    assert len(answers) == 11
    named = {
        name
        for name in re.findall(r"`(\w+/[\w/]+\.(?:py|js))`", page)
        if (ROOT / name.split("/")[0]).is_dir()
    }
    assert not {name for name in {*answers, *named} if not (ROOT / name).is_file()}
