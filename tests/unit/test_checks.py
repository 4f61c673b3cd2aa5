"""The two checks of our own: each must find what is planted and pass what is honest."""

import pytest

from scripts.purity import impurities
from scripts.tracked import findings


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.urandom(32)",
        "from os import urandom as fresh\nfresh(32)",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "from datetime import date as day\nday.today()",
        "import time as clock\nclock.monotonic",
        "def late():\n    from time import time\n    return time()",
        "import nacl.utils\nnacl.utils.random(24)",
        "from nacl.signing import SigningKey\nSigningKey.generate()",
        "from uuid import uuid4\nuuid4()",
        "import random\nrandom.random()",
        "from random import Random\nRandom()",
        "import asyncio\nasyncio.sleep(1)",
        "print('patient')",
    ],
)
def test_reaching_for_the_world_is_found(source):
    assert list(impurities(source))


@pytest.mark.parametrize(
    "source",
    [
        "from random import Random\ndef drill(seed: int) -> Random:\n    return Random(seed)",
        "from datetime import datetime\ndatetime.fromtimestamp(0)",
        "import os\nos.fsync(3)",
        "class Now:\n    time: int\n\ndef at(now: Now) -> int:\n    return now.time",
        "from nacl.signing import SigningKey\nSigningKey(bytes(32))",
    ],
)
def test_what_is_given_is_not_reaching(source):
    assert not list(impurities(source))


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "home/ann/notes",
        "open('/" + "work/main/x')",
        "C:" + "\\Users\\ann",
        "--index" + "-url https://example.org/simple",
        "https://files.python" + "hosted.org/packages/x.whl",
        '"resolved": ' + '"https://example.org/x.tgz"',
        "# TO" + "DO: later",
    ],
)
def test_what_others_must_not_install_is_found(line):
    assert [number for number, _ in findings(f"first\n{line}\n")] == [2]


@pytest.mark.parametrize(
    "line", ["$root/work/x", "https://example.org/home/ann", "tests/work/x", "todo"]
)
def test_ordinary_lines_pass(line):
    assert not list(findings(line))
