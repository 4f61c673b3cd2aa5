"""Published vectors are not copied into the product; they are read from where they are kept."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of published vectors: FIELDMESH_VECTORS, or `../shared/vectors`."""
    named = os.environ.get("FIELDMESH_VECTORS")
    folder = Path(named) if named else PROJECT.parent / "shared" / "vectors"
    if not folder.is_dir():
        pytest.skip(f"no published vectors in {folder}: name their folder in FIELDMESH_VECTORS")
    return folder
