"""Running the commands as a shell would: real processes, real folders, nothing of this user's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from itertools import count

from tests.process import prepared

PASSPHRASE = "correct horse"
PATIENCE_S = 60


def environment(passphrase=PASSPHRASE):
    """What a command inherits; None = no passphrase in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIELDMESH")}
    return kept if passphrase is None else {**kept, "FIELDMESH_PASSPHRASE": passphrase}


def start(app, *args, passphrase=PASSPHRASE):
    """Start a command; its ends are pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", app, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(passphrase),
        text=True,
    )


def run(app, *args, lines=(), passphrase=PASSPHRASE):
    """Run a command to its end."""
    given = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    return finished(app, *args, inherits=environment(passphrase), given=given)


def finished(app, *args, inherits, given="", folder=None):
    """Run a command with this environment, input and folder to its end."""
    argv = [app, *map(str, args)]
    status, out, talk = prepared.run(argv, inherits, given.encode(), PATIENCE_S, folder)
    return subprocess.CompletedProcess(argv, status, out.decode(), talk.decode())


def told(app, *args, lines=()):
    """Run a command that has to succeed; return its JSON lines."""
    done = run(app, *args, lines=lines)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def init(folder, *more, app="fieldnode"):
    """Make a folder."""
    names = ("--name", folder.name, "--org", "Test")
    return told(app, "init", "--data", folder, *names, "--json", *more)[0]


@contextmanager
def serving(folder, *more, app="fieldnode", passphrase=PASSPHRASE, whole=False):
    """Run a node; yields what it said when it was ready, with its process.

    Args:
        whole: Started as a shell starts it, where the start itself is tried or waited for.
    """
    web = ("--web", "127.0.0.1:0") if app == "hq" else ()
    named = (app, "serve", "--data", folder, "--listen", "127.0.0.1:0", "--no-discovery", *web)
    if whole:
        process = start(*named, *more, passphrase=passphrase)
    else:
        process = prepared.Started([*map(str, (*named, *more))], environment(passphrase))
    try:
        said = process.stdout.readline()
        assert said, process.stderr.read()
        yield json.loads(said) | {"process": process}
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


_notes = count(1)


def patient(key, **data):
    """A line that registers a patient."""
    return {"v": 1, "kind": "patient.register", "key": key, "data": data}


def note(who, text, **more):
    """A line that writes a note on a patient."""
    key = f"note-{next(_notes)}"
    return {"v": 1, "kind": "note.add", "key": key, "patient": who, "data": {"text": text}, **more}
