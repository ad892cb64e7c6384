"""What the parts may know of each other, and the size and manners of every file.

The idea: a rule that no machine holds is broken within a month. `MAY_IMPORT` is the architecture.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("tap", "exporters", "dashboard")  # in Python: mcptap.tap and so on

# part -> what it may import of ours; the longest part that fits a module counts
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "tap": (),
    "tap.version": (),
    "tap.records": (),
    "tap.record_json": ("tap.records",),
    "tap.pipe": ("tap.pipe", "tap.version"),
    "tap.redact": ("tap.redact", "tap.records"),
    "tap.dissect": ("tap.dissect", "tap.records"),
    "tap.detect": ("tap.detect", "tap.dissect", "tap.records"),
    "tap.guard": (),
    "tap.scopes": ("tap.dissect", "tap.redact", "tap.records"),
    "tap.clean": ("tap.scopes", "tap.guard", "tap.dissect", "tap.redact", "tap.records"),
    "tap.analysis": ("tap.scopes", "tap.clean", "tap.guard", "tap.dissect", "tap.redact", "tap.records"),
    "tap.scrub": ("tap.scopes", "tap.clean", "tap.guard", "tap.dissect", "tap.redact", "tap.records"),
    "exporters": (),
    "exporters.configuration": (),
    "exporters.detected": ("exporters.detected", "tap.detect"),
    "exporters.entry": ("exporters.cli.main", "tap.pipe", "tap.version"),
    "exporters.journal": ("exporters.journal", "tap"),
    "exporters.store": ("exporters.store", "exporters.journal", "tap"),
    "exporters.otlp": (
        "exporters.otlp",
        "exporters.configuration",
        "exporters.journal",
        "exporters.store.lengths",
        "tap",
    ),
    "exporters.boards": (),
    "exporters.collector": (
        "exporters.collector",
        "exporters.journal",
        "exporters.store",
        "exporters.otlp.settings",
        "exporters.otlp.marks",
        "exporters.configuration",
        "tap",
    ),
    "exporters.selftest": ("exporters.selftest", "tap.pipe.options", "tap.version"),
    "exporters.demo": ("exporters.demo", "exporters.store", "exporters.collector.client", "tap"),
    "exporters.cli": ("exporters", "tap"),
    "dashboard": ("dashboard", "exporters", "tap.detect.rule", "tap.pipe.home"),
}
STDLIB_ONLY = ("tap.version", "tap.records", "tap.pipe", "exporters.entry", "exporters.selftest.odd_server")
# the core: bytes in, values out, time is an argument
NO_WORLD = (
    "tap.records", "tap.redact", "tap.dissect", "tap.detect", "tap.guard", "tap.clean", "tap.analysis", "tap.scrub"
)  # fmt: skip
WORLD = frozenset(
    (
        "asyncio",
        "anyio",
        "io",
        "os",
        "pathlib",
        "random",
        "select",
        "socket",
        "subprocess",
        "tempfile",
        "threading",
        "time",
    )
)
SILENT = ("tap", "exporters.collector", "exporters.journal", "exporters.otlp", "exporters.store")
VAGUE = re.compile(r"(?:^|_)(?:utils?|helpers?|managers?|common|misc)(?:_|$)")

FILE_LINES, TEST_LINES, FUNCTION_LINES = 300, 400, 50
SHORT = 8  # lines; a function of no more may speak for itself
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if not {"node_modules", "__pycache__"} & set(path.parts))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def within(module: str, part: str) -> bool:
    return module == part or module.startswith(part + ".")


def top(module: str) -> str:
    return module.partition(".")[0]


def length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_table(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Hardly more than one literal that it returns, however many rows that has."""
    last = node.body[-1]
    rows = isinstance(last, ast.Return) and isinstance(last.value, ast.Tuple | ast.List | ast.Dict)
    return rows and length(node) - length(last) < SHORT


def part_of(module: str) -> str:
    return max((part for part in MAY_IMPORT if within(module, part)), key=len)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    """Everything imported anywhere in the file; ours without `mcptap.`."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("mcptap.") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides its direction"
            base = (node.module or "").removeprefix("mcptap.")
            for alias in node.names:
                yield f"{base}.{alias.name}" if is_ours(f"{base}.{alias.name}") else base


def is_ours(module: str) -> bool:
    place = ROOT / module.replace(".", "/")
    return module.startswith(OURS) and (place.is_dir() or place.with_suffix(".py").is_file())


CODE = modules(*OURS)
EVERYTHING = modules(*OURS, "benchmarks", "tests")


def of(*parts: str) -> list[Path]:
    return [path for path in CODE if any(within(dotted(path), part) for part in parts)]


def test_every_part_has_a_row_of_its_own() -> None:
    parts = {".".join(dotted(path).split(".")[:2]) for path in CODE if not within(dotted(path), "dashboard")}
    assert parts <= set(MAY_IMPORT), "a new part must say in MAY_IMPORT what it may know"


def test_a_module_imports_only_what_its_part_may_know() -> None:
    wrong = [
        f"{dotted(path)} imports {name}"
        for path in CODE
        for name in imports(path)
        if is_ours(name) and not any(within(name, row) for row in MAY_IMPORT[part_of(dotted(path))])
    ]
    assert not wrong


def test_the_hot_path_names_nothing_but_the_standard_library() -> None:
    known = {*sys.stdlib_module_names, *OURS}
    assert not [(path, name) for path in of(*STDLIB_ONLY) for name in imports(path) if top(name) not in known]


def test_the_core_touches_no_file_clock_thread_or_socket() -> None:
    assert not [(path, name) for path in of(*NO_WORLD) for name in imports(path) if top(name) in WORLD]


def test_a_file_fits_in_the_head() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in EVERYTHING}
    limits = {path: TEST_LINES if within(dotted(path), "tests") else FILE_LINES for path in EVERYTHING}
    assert not {dotted(path): count for path, count in lines.items() if count > limits[path]}


def test_a_function_fits_on_a_screen() -> None:
    assert not [
        f"{dotted(path)}.{node.name}: {length(node)} lines"
        for path in EVERYTHING
        for node in ast.walk(parsed(path))
        if isinstance(node, FUNCTION) and length(node) > FUNCTION_LINES and not is_table(node)
    ]


def test_a_file_is_named_after_what_it_holds() -> None:
    assert not [path for path in EVERYTHING if VAGUE.search(path.stem)]


def test_a_file_begins_with_one_sentence_about_itself() -> None:
    first = {path: (ast.get_docstring(parsed(path)) or "").split("\n\n")[0].rstrip() for path in CODE}
    assert not [path for path, sentence in first.items() if not sentence.endswith((".", ":"))]


def test_a_public_name_says_what_it_means() -> None:
    assert not [
        f"{dotted(path)}.{node.name}"
        for path in CODE
        for node in parsed(path).body
        if isinstance(node, (*FUNCTION, ast.ClassDef)) and node.name[0] != "_"
        if not ast.get_docstring(node) and not (isinstance(node, FUNCTION) and length(node) <= SHORT)
    ]


def test_what_runs_behind_a_host_never_prints() -> None:
    names = [(path, node) for path in of(*SILENT) for node in ast.walk(parsed(path)) if isinstance(node, ast.Name)]
    assert not [f"{path}:{node.lineno}" for path, node in names if node.id == "print"]


PERSONAL = re.compile(
    "|".join(
        (
            r"/(?:home|Users)/(?!you\b|me\b|user\b)[a-z]+/",
            r"(?<![\w.~$}-])/(?:work|root|opt|mnt)/[a-z]+/",
            r"/tmp/[a-z]+/",
            r"(?:registry\.npmjs|pypi|files\.pythonhosted)\.org",
        )
    )
)


def test_no_committed_file_names_a_place_on_somebodys_machine_or_a_registry(tracked: list[Path]) -> None:
    found = [
        f"{path}:{number}: {match[0]}"
        for path in tracked
        if path.name != Path(__file__).name
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := PERSONAL.search(line))
    ]
    assert not found


# What the wrapper really loads

SPY = """
import os, sys
spawn = os.posix_spawnp
def told(*words, **options):
    sys.stderr.write("import time: 0 | 0 | SPAWNED\\n")
    sys.stderr.flush()
    return spawn(*words, **options)
os.posix_spawnp = told
from mcptap.exporters.entry import main
main()
"""
LOADED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)
HOT = ("mcptap", "mcptap.exporters", "mcptap.exporters.entry", "mcptap.tap", "mcptap.tap.version")
SLOW = frozenset(
    (
        "argparse",
        "asyncio",
        "concurrent",
        "importlib.metadata",
        "logging",
        "subprocess",
        "threading",
        "typing",
    )
)
LATER = SLOW | frozenset(("collections", "enum", "functools", "json", "re", "signal", "socket"))


def loaded(code: str, *words: str) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return LOADED.findall(run.stderr)


@pytest.fixture
def wrapper_modules(fresh_home: Path, tool: Callable[[str], str]) -> list[str]:
    """What a whole run imports beyond a bare interpreter, in order; `SPAWNED`: the server was started."""
    bare = set(loaded("import os, sys"))
    return [name for name in loaded(SPY, "--home", str(fresh_home), "--", tool("true")) if name not in bare]


def test_wrapping_a_command_loads_no_third_party_module(wrapper_modules: list[str]) -> None:
    foreign = [
        name
        for name in wrapper_modules
        if top(name) not in {*sys.stdlib_module_names, "SPAWNED"}
        and name not in HOT
        and not within(name, "mcptap.tap.pipe")
    ]
    assert not foreign
    assert "mcptap.tap.pipe.wrapper" in wrapper_modules


def test_wrapping_a_command_never_loads_what_is_slow_to_load(wrapper_modules: list[str]) -> None:
    assert not SLOW & set(wrapper_modules)


def test_the_server_is_spawned_before_anything_else_is_loaded(wrapper_modules: list[str]) -> None:
    before = wrapper_modules[: wrapper_modules.index("SPAWNED")]
    assert not LATER & set(before)
