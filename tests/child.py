"""A Python of its own for what must not happen in the one that runs the tests: forks, hangs, settings that are read once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

TESTS = Path(__file__).parent


def run(code, cwd, timeout=60, prelude="", **environment):
    """Runs `code` where the helpers of the tests can be imported; kills it and its children where it hangs.

    OMP_ settings of this process are left out. It must end with exit code 0 and say nothing on stderr. Returns what it printed.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    path = os.pathsep.join([str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen([sys.executable, "-c", prelude + code], cwd=cwd, env=kept | {"PYTHONPATH": path} | environment,
                               text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True)  # fmt: skip
    hangs = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
    hangs.start()
    out, err = process.communicate()
    hangs.cancel()
    assert process.returncode == 0, "hangs" if process.returncode == -signal.SIGKILL else err + out
    assert not err, err
    return out.strip()
