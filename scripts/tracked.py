"""Look through every tracked file for what must not be in a repository others install.

Folders of one machine, addresses of package registries, and work put off for later. Each is a line
on stdout and exit status 1.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

FILE_BYTES_MAX = 2_000_000
"""Larger files are pictures and data; text is far below."""

RULES = {
    "a folder of one machine": r"(?<![\w.$}~>])/(?:Users|farm|home|root|work)/\w",
    "a folder of one Windows machine": r"\b[A-Z]:\\Users\\",
    "the address of a package registry": (
        r"(?:pypi|pythonhosted|npmjs|yarnpkg)\.(?:org|com)/"
        r"|--(?:extra-)?index-url\s*=?\s*\w+:|\"resolved\": *\"http"
    ),
    "work put off": r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b",
}
"""What to look for, by what to call it. Spelled so that this file does not find itself."""

VENDORED = re.compile(r"\.min\.js$|/vendor/|^LICENSE$|^THIRD_PARTY_NOTICES")
"""Other people's words, kept as they came."""


def findings(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line, what it holds) for each rule that a line breaks."""
    for number, line in enumerate(text.split("\n"), 1):
        for name, pattern in RULES.items():
            if re.search(pattern, line):
                yield number, name


def tracked() -> list[str]:
    """Return the paths git tracks or is about to track, without ignored ones."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [name for name in listing.split("\0") if name]


def main() -> int:
    """Check every tracked text file; print what was found."""
    found = 0
    for name in tracked():
        path = ROOT / name
        if VENDORED.search(name) or not path.is_file() or path.stat().st_size > FILE_BYTES_MAX:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, what in findings(text):
            print(f"{name}:{number}: {what}")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
