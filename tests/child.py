"""A Python of its own for what must not happen in the one that runs the tests: forks, hangs, settings that are read once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

TESTS = Path(__file__).parent


def run(code, cwd, timeout=60, prelude="", quiet=True, **environment):
    """Runs `code`, without this process's settings of OpenMP, where the helpers of the tests can be imported.

    It is killed, and its children, where it hangs. It must end with exit code 0 and, if quiet, say nothing on stderr; that forks
    and threads do not go together, which Python 3.12 and later always say, does not count. Returns what it printed.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    ours = {"PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONWARNINGS": "ignore::DeprecationWarning"}  # fmt: skip
    process = subprocess.Popen([sys.executable, "-c", prelude + code], cwd=cwd, env=kept | ours | environment, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)  # fmt: skip
    hangs = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
    hangs.start()
    out, err = process.communicate()
    hangs.cancel()
    assert process.returncode == 0, "hangs" if process.returncode == -signal.SIGKILL else err + out
    assert not (quiet and err), err
    return out.strip()


def fork(task):
    """For the code that run runs: task() in a forked child, which must end by itself, and well."""
    pid = os.fork()
    if pid == 0:
        try:
            task()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
