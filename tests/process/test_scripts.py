"""The commands of the README on machines that lack something, each played by a PATH of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = ("cat", "cp", "dirname", "flock", "grep", "mkdir", "rm", "sed", "sha256sum", "sh")

REAL_PYTHON = """#!/bin/sh
exec "{python}" -c 'import sys
program = sys.argv.pop(1 + sys.argv[1:].index("-c") + 1)
{lie}
exec(program)' "$@"
"""
"""A Python that runs what it is given after believing one untrue thing about itself."""

STUB_PYTHON = """#!/bin/sh
if [ "$1" = -c ]; then printf 'ready|CPython 3.11|%s\\n' "$0"; exit 0; fi
(exec 3<&0) 2>/dev/null || set -- stdin closed
for word in "$@"; do printf '<%s>' "$word"; done >>"$CALLS"
printf '\\n' >>"$CALLS"
case "$2 $3" in
    "venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "pip install") echo talk of pip; exit "${PIP_STATUS:-0}" ;;
esac
"""
"""A Python 3.11 that notes what it was asked and makes environments that hold itself."""

STUB_UV = """#!/bin/sh
[ "$1" = --version ] && exit 0
for word in uv "$@"; do printf '<%s>' "$word"; done >>"$CALLS"
printf '\\n' >>"$CALLS"
[ "$1" = venv ] && mkdir -p "$5/bin" && cp "$4" "$5/bin/python"
exit 0
"""


class Machine:
    """A copy of the checkout, in a folder with a space, and what is on PATH."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a copy"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        for made in (self.root, self.bin, folder / "home"):
            made.mkdir()
        listing = subprocess.run(
            ["git", "ls-files", "-z", "scripts", "requirements.lock", "pyproject.toml"],
            cwd=PROJECT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listing.split("\0")):
            (self.root / name).parent.mkdir(exist_ok=True)
            shutil.copy(PROJECT / name, self.root / name)
        for tool in TOOLS:
            if path := shutil.which(tool):
                (self.bin / tool).symlink_to(path)
        self.env = {"PATH": str(self.bin), "HOME": str(folder / "home"), "CALLS": str(self.calls)}

    def has(self, name: str, text: str) -> None:
        program = self.bin / name
        program.write_text(text)
        program.chmod(0o755)

    def run(self, script: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts from another folder and with stdin closed."""
        return subprocess.run(
            ["/bin/sh", "-c", 'exec "$0" "$@" <&-', str(self.root / "scripts" / script), *words],
            cwd="/",
            env=self.env | env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def asked(self) -> list[str]:
        """What the stubs were asked since the last look, without looks at pip's version."""
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        self.calls.unlink(missing_ok=True)
        return [line for line in lines if "<--version>" not in line]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def lying(lie: str) -> str:
    return REAL_PYTHON.format(python=sys.executable, lie=lie)


NO_VENV = 'sys.modules["ensurepip"] = None'
OLD = "import platform; sys.version_info = (3, 9, 1)"
SMALL = "sys.maxsize = 2**31 - 1"
OTHER = 'import platform; platform.python_implementation = lambda: "PyPy"'


def one_sentence(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 2, result
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("fieldmesh: ")
    return result.stderr


@pytest.mark.parametrize("script", ["demo", "test", "check", "bench", "drill"])
def test_without_python_every_command_says_what_to_install(machine: Machine, script: str) -> None:
    said = one_sentence(machine.run(script, "--json"))

    assert "no Python was found" in said
    assert "apt install python3" in said


@pytest.mark.parametrize(
    ("lie", "name"),
    [(OLD, "CPython 3.9"), (SMALL, "of 32 bits"), (OTHER, "PyPy")],
)
def test_a_wrong_python_is_named(machine: Machine, lie: str, name: str) -> None:
    machine.has("python3", lying(lie))

    said = one_sentence(machine.run("test"))

    assert name in said
    assert "CPython 3.11 or 3.12, 64-bit" in said


def test_a_python_without_venv_is_named_with_the_package_to_install(machine: Machine) -> None:
    machine.has("python3", lying(NO_VENV))

    said = one_sentence(machine.run("test"))

    assert "has no venv module" in said
    assert "python3-venv" in said


def test_a_shim_that_fails_hides_no_python_behind_it(machine: Machine) -> None:
    machine.has("python3.11", "#!/bin/sh\nexit 127\n")
    machine.has("python3.12", lying(OLD))
    machine.has("python3", STUB_PYTHON)

    assert machine.run("test").returncode == 0
    assert machine.asked()[0].startswith("<-m><venv>")


def test_a_python_kept_by_pyenv_is_found(machine: Machine) -> None:
    kept = Path(machine.env["HOME"], ".pyenv/versions/3.12.1/bin")
    kept.mkdir(parents=True)
    machine.has("python", STUB_PYTHON)
    (machine.bin / "python").rename(kept / "python")

    assert machine.run("test").returncode == 0
    assert machine.asked()[0].startswith("<-m><venv>")


def test_the_environment_is_made_once_and_only_from_the_lock(machine: Machine) -> None:
    machine.has("python3", STUB_PYTHON)

    first = machine.run("test", "-k", "two words")
    made = machine.asked()
    machine.run("test", "--all", "tests/unit")
    again = machine.asked()

    assert first.stdout == ""
    assert [line.split(">")[1] for line in made] == ["<venv", "<pip", "<pip", "<pytest"]
    assert f"<--require-hashes><-r><{machine.root}/requirements.lock>" in made[1]
    assert "<--no-deps><--no-build-isolation>" in made[2]
    assert made[3] == "<-m><pytest><-n><2><-k><two words>"
    assert again == ["<-m><pytest><-n><2><-m><><tests/unit>"]


def test_a_new_lock_is_installed_into_the_same_environment(machine: Machine) -> None:
    machine.has("python3", STUB_PYTHON)
    machine.run("test")
    machine.asked()

    with (machine.root / "requirements.lock").open("a") as lock:
        lock.write("# another version\n")
    machine.run("test")

    assert [line.split(">")[1] for line in machine.asked()] == ["<pip", "<pip", "<pytest"]


def test_a_checkout_that_moved_gets_a_new_environment(machine: Machine) -> None:
    machine.has("python3", STUB_PYTHON)
    machine.run("test")
    machine.asked()

    machine.root = machine.root.rename(machine.root.with_name("moved"))
    machine.run("test")

    assert machine.asked()[0] == f"<-m><venv><{machine.root}/.venv>"


def test_packages_that_cannot_be_had_are_asked_for_again_next_time(machine: Machine) -> None:
    machine.has("python3", STUB_PYTHON)

    failed = machine.run("test", PIP_STATUS="1")
    machine.asked()

    assert failed.returncode == 2
    assert "connect this machine to the network" in failed.stderr.splitlines()[-1]
    assert machine.run("test").returncode == 0
    assert "<pytest><-n><2>" in machine.asked()[-1]


def test_uv_is_used_where_there_is_one_and_makes_venv_needless(machine: Machine) -> None:
    machine.has("python3", STUB_PYTHON.replace("ready|", "venvless|"))
    machine.has("uv", STUB_UV)

    assert machine.run("test").returncode == 0

    asked = machine.asked()
    assert [line.partition(">")[0] for line in asked] == ["<uv", "<uv", "<uv", "<-m"]
    assert "<--require-hashes>" in asked[1]


def test_another_pythons_settings_do_not_reach_ours(machine: Machine) -> None:
    machine.has(
        "python3", STUB_PYTHON.replace("exit 0; fi", "exit 0; fi; : ${PYTHONHOME+${x?}}", 1)
    )

    assert machine.run("test", PYTHONHOME=os.devnull, PYTHONPATH="/nowhere").returncode == 0
