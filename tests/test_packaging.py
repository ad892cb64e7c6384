"""What is shipped: the wheel holds the three packages and nothing else, and works alone in a fresh environment."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

from mcptap.tap.version import VERSION

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SHIPPED = ("tap", "exporters", "dashboard")
REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
COUNT = "select count(*) as n from messages"
SEEN_S = 60.0


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that hatchling makes of this checkout."""
    target = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def contents(wheel: Path) -> dict[str, str]:
    """Name to text of every file in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_the_wheel_holds_exactly_the_files_of_the_three_packages(contents: dict[str, str]) -> None:
    in_the_tree = {
        f"mcptap/{path.relative_to(ROOT).as_posix()}"
        for package in SHIPPED
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    in_the_wheel = {name for name in contents if ".dist-info/" not in name}
    assert in_the_wheel == in_the_tree
    assert {Path(name).suffix for name in in_the_wheel} == {".py", ".typed", ".toml", ".json", ".txt"}


def test_the_wheel_says_that_it_is_typed_and_how_it_may_be_used(contents: dict[str, str]) -> None:
    information = f"mcptap-{VERSION}.dist-info"
    assert {f"mcptap/{package}/py.typed" for package in SHIPPED} <= set(contents)
    assert contents[f"{information}/licenses/LICENSE"] == (ROOT / "LICENSE").read_text()
    assert "mcptap = mcptap.exporters.entry:main" in contents[f"{information}/entry_points.txt"]


def test_mcptap_itself_is_a_namespace_so_that_others_may_add_to_it(contents: dict[str, str]) -> None:
    assert "mcptap/__init__.py" not in contents
    assert not (ROOT / ".dev/mcptap/__init__.py").exists()


def test_the_editable_package_is_the_same_tree_by_relative_links() -> None:
    links = {link.name: link.readlink() for link in (ROOT / ".dev/mcptap").iterdir()}
    assert links == {name: Path("../..") / name for name in SHIPPED}


def test_the_version_is_written_the_same_everywhere() -> None:
    assert PROJECT["project"]["version"] == VERSION
    assert f"## [{VERSION}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_dependency_is_pinned_and_locked_at_the_same_version() -> None:
    locked = {line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")}
    named = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    named += PROJECT["build-system"]["requires"]
    named += [line for extra in PROJECT["project"]["optional-dependencies"].values() for line in extra]
    assert {normal(line) for line in named} <= {normal(line) for line in locked}
    assert all("==" in line for line in locked)


def normal(requirement: str) -> str:
    return requirement.lower().replace("_", "-")


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment in which nothing but the wheel was asked for."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    install: list[str | Path] = [*pip(place / "bin"), "install", "--quiet", "--no-compile", wheel]
    answer = subprocess.run([*install, "-c", ROOT / "constraints.txt"], capture_output=True, text=True, check=False)
    if answer.returncode and "no matching distribution" in answer.stderr.lower():
        pytest.skip("needs a package index")
    assert answer.returncode == 0, answer.stderr
    return place / "bin"


def pip(programs: Path) -> list[str]:
    """Our own pip, at work in another environment."""
    return [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(programs / "python")]


def outside(program: Path, *words: str | Path, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Runs a program with a scrubbed environment, far from the checkout."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]
        [program, *words],
        cwd=program.parent,
        env={"PATH": os.defpath, "HOME": str(program.parent)},
        capture_output=True,
        check=False,
        timeout=60,
        **options,
    )


@pytest.mark.timeout(240)
def test_the_wheel_alone_records_and_answers_in_a_fresh_environment(installed: Path, fresh_home: Path) -> None:
    program, home = installed / "mcptap", ("--home", fresh_home)
    assert outside(program, "--version").stdout.decode().split() == ["mcptap", VERSION]
    echoed = outside(program, *home, "--name", "echo", "--", "cat", input=REQUEST)
    assert (echoed.returncode, echoed.stdout, echoed.stderr) == (0, REQUEST, b"")
    until = time.monotonic() + SEEN_S
    while True:
        counted = outside(program, *home, "query", "--format", "csv", COUNT)
        if counted.stdout.split() == [b"n", b"2"] or time.monotonic() > until:
            break
    assert (counted.returncode, counted.stdout.split()) == (0, [b"n", b"2"]), counted.stderr


@pytest.mark.timeout(240)
def test_the_fresh_environment_has_all_it_needs_and_nothing_of_our_tests(installed: Path) -> None:
    python = installed / "python"
    assert subprocess.run([*pip(installed), "check"], capture_output=True, check=False).returncode == 0
    assert outside(python, "-c", "import mcptap.tap, mcptap.exporters").returncode == 0
    assert outside(python, "-c", "import tests").returncode == 1
    assert outside(python, "-c", "import pytest").returncode == 1


@pytest.mark.parametrize(
    ("suite", "machine", "status"),
    [
        ("import pytest\ndef test_it(): pytest.skip('needs a tool')", {"CI": "true"}, 1),
        ("import pytest\npytest.skip('needs a tool', allow_module_level=True)", {"CI": "true"}, 2),
        ("import pytest\ndef test_it(): pytest.skip('elsewhere: of another platform')", {"CI": "true"}, 0),
        ("import pytest\ndef test_it(): pytest.skip('needs a tool')", {}, 0),
        ("", {}, 5),
    ],
    ids=["a test left out", "a file left out", "another platform's test", "a developer's machine", "no tests"],
)
def test_a_build_machine_leaves_nothing_out(suite: str, machine: dict[str, str], status: int, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(suite)
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "-p",
        "conftest",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    quiet = {name: value for name, value in os.environ.items() if name != "CI"} | machine
    ended = subprocess.run(words, env={**quiet, "PYTHONPATH": str(ROOT / "tests")}, capture_output=True, check=False)
    assert ended.returncode == status, ended.stdout.decode()


def test_the_build_machine_runs_what_everybody_runs() -> None:
    script = (ROOT / ".ci/run").read_text()
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert script.rstrip().endswith("CI=true exec make test")
