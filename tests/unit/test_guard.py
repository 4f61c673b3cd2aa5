"""The sentence that stands between a wrong installation and a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from protocols.guard import AUTOMERGE, automerge_trouble, python_trouble, require_runtime

PROJECT = Path(__file__).resolve().parents[2]
WIDE = 2**63 - 1


@pytest.mark.parametrize("version", [(3, 11), (3, 12)])
def test_the_two_pythons_we_ship_for_are_taken(version):
    assert python_trouble("CPython", version, WIDE) == ""


@pytest.mark.parametrize(
    ("implementation", "version", "maxsize"),
    [
        ("CPython", (3, 10), WIDE),
        ("CPython", (3, 13), WIDE),
        ("PyPy", (3, 11), WIDE),
        ("CPython", (3, 11), 2**31 - 1),
    ],
)
def test_any_other_is_named_in_one_sentence_with_the_remedy(implementation, version, maxsize):
    said = python_trouble(implementation, version, maxsize)

    assert f"{implementation} {version[0]}.{version[1]}" in said
    assert "CPython 3.11 or 3.12" in said
    assert "\n" not in said


@pytest.mark.parametrize("version", ["", "0.1.2", "1.0.0"])
def test_only_the_measured_automerge_is_taken(version):
    assert AUTOMERGE in automerge_trouble(version)
    assert automerge_trouble(AUTOMERGE) == ""


def test_this_installation_may_run():
    require_runtime()


def test_without_any_package_the_guard_speaks_and_nothing_is_traced():
    guarded = "from protocols.guard import require_runtime; require_runtime()"
    result = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(PROJECT)!r}); {guarded}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("fieldmesh: automerge is not installed")
    assert result.stderr.count("\n") == 1
