"""Commands as processes of their own that need not load the program first: each is forked.

Loading costs more than most commands do. One process loads both programs once and forks for every
command; what is forked has its own pipes, environment and folder, and runs to its own exit. A node
that serves one command's test is forked too; terminals, the nodes they are walked on, drills of
several nodes and whatever is killed are started whole, as a shell starts them.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread

WORD_BYTES_MAX = 1 << 20
STATUS_BYTES = 64


def run(argv, environment, given, timeout_s, folder=None):
    """Run a program: `argv` is its name and arguments. Return its exit status and what it said.

    Args:
        folder: Where it runs; None: here.

    Raises:
        TimeoutExpired: It was ended for taking longer than this.
    """
    started = Started(argv, environment, folder)
    said = started.communicate(given, timeout_s)
    return started.returncode, *said


class Started:
    """A forked command that runs: what a test needs of `Popen`, with bytes in its pipes."""

    def __init__(self, argv, environment, folder=None):
        self._word, theirs = socket.socketpair()
        stdin, stdout, stderr = os.pipe(), os.pipe(), os.pipe()
        word = {"argv": argv, "environment": environment, "folder": str(folder or Path.cwd())}
        with theirs:
            ends = [theirs.fileno(), stdin[0], stdout[1], stderr[1]]
            socket.send_fds(_forker(), [b"+"], ends)
        for end in ends[1:]:
            os.close(end)
        self._word.sendall(json.dumps(word).encode())
        self._word.shutdown(socket.SHUT_WR)
        self.args, self.returncode = argv, None
        self.stdin = os.fdopen(stdin[1], "wb")
        self.stdout, self.stderr = os.fdopen(stdout[0], "rb"), os.fdopen(stderr[0], "rb")
        self.pid = int(self._word.recv(STATUS_BYTES))

    def poll(self):
        """Return its exit status; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout=None):
        """Return its exit status once it has ended."""
        if self.returncode is None:
            self._word.settimeout(timeout)
            try:
                said = self._word.recv(STATUS_BYTES)
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired(self.args, timeout) from None
            self.returncode = int(said)
            self._word.close()
        return self.returncode

    def send_signal(self, number):
        """Send it a signal, unless it has ended and its number is somebody else's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def communicate(self, given=b"", timeout=None):
        """Give it all its input; return the rest of what it said, once it has ended.

        Raises:
            TimeoutExpired: It was ended for taking longer than this.
        """
        said = [b"", b""]
        readers = [
            Thread(target=_read_all, args=(pipe, said, at))
            for at, pipe in enumerate((self.stdout, self.stderr))
        ]
        for reader in readers:
            reader.start()
        with suppress(BrokenPipeError), self.stdin as pipe:
            pipe.write(given)
        try:
            self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
            raise
        for reader in readers:
            reader.join(timeout)
        return tuple(said)


def _read_all(pipe, said, at):
    with pipe:
        said[at] = pipe.read()


@cache
def _forker():
    """Return the socket of the process that has loaded everything; it ends when this one does."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        loaded = subprocess.Popen(
            [sys.executable, "-m", "tests.process.prepared", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),), stdin=subprocess.DEVNULL, close_fds=True,
        )  # fmt: skip
    atexit.register(lambda: (ours.close(), loaded.wait()))
    return ours


def _serve(door):
    """Fork for every command that is asked for, until nobody holds the other end."""
    import fieldnode.commands
    import fieldnode.serving
    import hq.cli
    import hq.serving
    import hq.web

    assert fieldnode.commands and fieldnode.serving and hq.cli and hq.serving and hq.web
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, ends, *_ = socket.recv_fds(door, 1, 4)
        if not asked:
            return
        if os.fork():
            for end in ends:
                os.close(end)
            continue
        door.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _attend(socket.socket(fileno=ends[0]), ends[1:])


def _attend(asker, ends):
    """Be the parent of one command: fork it, say who it is, and how it ended."""
    word = b""
    while part := asker.recv(WORD_BYTES_MAX):
        word += part
    pid = os.fork()
    if not pid:
        asker.close()
        _become(json.loads(word), ends)
    for end in ends:
        os.close(end)
    asker.sendall(f"{pid:<{STATUS_BYTES - 1}}\n".encode())
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):
        asker.sendall(f"{os.waitstatus_to_exitcode(status):<{STATUS_BYTES - 1}}\n".encode())
    os._exit(0)


def _become(word, ends):
    """Run the command in this process, and end it as the interpreter would."""
    for number, end in enumerate(ends):
        os.dup2(end, number)
        os.close(end)
    os.environ.clear()
    os.environ.update(word["environment"])
    os.chdir(word["folder"])
    app, *args = word["argv"]
    sys.argv = [f"{app}/__main__.py", *args]
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        errors = "backslashreplace" if name == "stderr" else "strict"
        buffering = 1 if name == "stderr" else -1
        opened = open(number, mode, buffering, "utf-8", errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, opened)
    from importlib import import_module

    status = 1
    try:
        import_module(f"{app}.cli").main(prog_name=f"python -m {app}")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
    with suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
