"""The first thing each command asks: can this Python run us at all?

Imports nothing but the standard library, so that the answer is a sentence and never a traceback.
"""

from __future__ import annotations

import sys
from pathlib import Path

PYTHONS = ((3, 11), (3, 12))
"""CPython versions for which the pinned automerge has wheels."""

AUTOMERGE = "1.0.0rc1"
"""The one version whose bytes and faults were measured; others differ in both."""


def require_runtime() -> None:
    """Return if Fieldmesh can run here; otherwise end the program with one sentence and status 1.

    Raises:
        SystemExit: Not 64-bit CPython 3.11 or 3.12, or automerge is absent or another version.
    """
    trouble = python_trouble(
        _implementation(), sys.version_info[:2], sys.maxsize
    ) or automerge_trouble(_installed_version("automerge"))
    if trouble:
        raise SystemExit(f"fieldmesh: {trouble}")


def python_trouble(implementation: str, version: tuple[int, int], maxsize: int) -> str:
    """Return why this interpreter will not do and what to do, or '' when it will."""
    if implementation == "CPython" and version in PYTHONS and maxsize > 2**32:
        return ""
    bits = 64 if maxsize > 2**32 else 32
    return (
        f"this is {implementation} {version[0]}.{version[1]} of {bits} bits, and Fieldmesh needs "
        "CPython 3.11 or 3.12 of 64 bits: install one and run scripts/demo or scripts/test again."
    )


def automerge_trouble(version: str) -> str:
    """Return why this automerge ('' = absent) will not do and what to do, or '' when it will."""
    if version == AUTOMERGE:
        return ""
    state = f"automerge {version} is installed" if version else "automerge is not installed"
    return (
        f"{state}, and Fieldmesh needs exactly {AUTOMERGE}: "
        "install it with pip install -r requirements.lock."
    )


def _implementation() -> str:
    # What `platform` says, which takes longer to load than the answer is worth at every start.
    return "CPython" if sys.implementation.name == "cpython" else sys.implementation.name


def _installed_version(package: str) -> str:
    measured = f"{package}-{AUTOMERGE}.dist-info"
    if any(Path(place, measured).is_dir() for place in sys.path):
        return AUTOMERGE
    # Only a wrong installation pays for finding out which one it is.
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
