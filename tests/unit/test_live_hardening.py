"""What a process that holds patient data asks of the kernel."""

import json
import subprocess
import sys

ASK = """
import json, os, resource
from protocols.live.hardening import dumpable, harden
before = dumpable()
done = harden()
made = os.open("made", os.O_CREAT | os.O_WRONLY, 0o666)
print(json.dumps([before, done, dumpable(), resource.getrlimit(resource.RLIMIT_CORE),
                  os.fstat(made).st_mode & 0o777]))
"""


def test_core_dumps_are_off_and_new_files_are_private(tmp_path):
    # In a process of its own: the test runner keeps its umask and its cores.
    ran = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, cwd=tmp_path,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip

    assert json.loads(ran.stdout) == [True, True, False, [0, 0], 0o600]
