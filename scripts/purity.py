"""Find waiting, clocks, randomness and logs in what decides; import-linter sees only imports.

The rooms below are *given* time and entropy. A call that would fetch either by itself, through a
module they may otherwise import, is a line on stdout and exit status 1.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

DECIDING = ("protocols", "fieldnode/tui/cores")
"""Folders in which every file is checked, unless it stands in OUTSIDE."""

OUTSIDE = ("protocols/live/", "protocols/sim/cli.py", "protocols/guard.py")
"""The real world, the command around a drill, and the guard that runs before anything."""

BANNED = (
    "asyncio",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "logging",
    "nacl.public.PrivateKey.generate",
    "nacl.public.SealedBox",
    "nacl.bindings.crypto_box_keypair",
    "nacl.bindings.crypto_sign_keypair",
    "nacl.bindings.randombytes",
    "nacl.signing.SigningKey.generate",
    "nacl.utils",
    "os.getrandom",
    "os.times",
    "os.urandom",
    "random",
    "secrets",
    "socket",
    "threading",
    "time",
    "uuid.uuid1",
    "uuid.uuid4",
)
"""Dotted names, and everything below them."""

ALLOWED = ("random.Random",)
"""A seeded generator that somebody passed in. Made without a seed it is banned, see below."""

CALLS = ("breakpoint", "input", "print")
"""Builtins that talk to a terminal."""


def impurities(source: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what is wrong) for each place in a file that reaches for the world."""
    tree = ast.parse(source)
    names = _imported(tree)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _bad_call(node, names)
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner:
            dotted = _dotted(node, names)
            if dotted and _is_banned(dotted):
                yield node.lineno, dotted


def _bad_call(node: ast.Call, names: dict[str, str]) -> Iterator[tuple[int, str]]:
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield node.lineno, f"{node.func.id}()"
    if _dotted(node.func, names) == "random.Random" and not node.args:
        yield node.lineno, "random.Random() without a seed"


def _imported(tree: ast.AST) -> dict[str, str]:
    """Return what each imported name stands for, wherever in the file it was imported."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str | None:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return None
    return ".".join([names[node.id], *reversed(parts)])


def _is_banned(dotted: str) -> bool:
    if any(_covers(name, dotted) for name in ALLOWED):
        return False
    return any(_covers(name, dotted) for name in BANNED)


def _covers(name: str, dotted: str) -> bool:
    return dotted == name or dotted.startswith(f"{name}.")


def main() -> int:
    """Check the whole tree; print what was found."""
    found = 0
    for folder in DECIDING:
        for path in sorted((ROOT / folder).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if where.startswith(OUTSIDE):
                continue
            for line, what in impurities(path.read_text(encoding="utf-8")):
                print(f"{where}:{line}: {what}: take it as an argument")
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
