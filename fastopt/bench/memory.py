"""What a training step needs at its peak, beside what must be there: measured in a process of its own, on Linux.

python -m fastopt.bench.memory fastopt | torch      prints the bytes
"""

import json
import os
import subprocess
import sys

from .networks import NETWORKS, Network

NETWORK = next(net for net in NETWORKS if net.units == (1024, 2048, 2048, 1024))
SMALL = Network("", (8, 8, 8, 8), NETWORK.loss, 8)
MALLOC = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}  # what is freed goes back at once


def needed(net):
    """Bytes of parameters, gradients and Adam's two moments, and of every layer's output."""
    parameters = sum((i + 1) * o for i, o in zip(net.units, net.units[1:]))
    return 4 * (4 * parameters + net.batch * sum(net.units[1:]))


def measure(library):
    """Bytes that a training step of NETWORK took at its peak, the batch itself not counted."""
    command = [sys.executable, "-P", "-m", __name__, library]  # -P: what was installed, not the sources in this folder
    done = subprocess.run(command, env=os.environ | MALLOC, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"memory: {library} ended with code {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def _resident(row):
    """VmRSS, or VmHWM, its highest value so far, in bytes."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(row))


def _trainer(library, net, batch):
    """Three steps, to be taken: the first may make what the later ones need beside it."""
    from .. import nn
    from . import trainers

    if library == "fastopt":
        train, _ = trainers.keras_like(nn, net, *batch)
    else:
        (_, train), _ = list(trainers.torch(net, *batch).values())[-1]
    return lambda: [train() for _ in range(3)]


def _peak(library):
    batch = NETWORK.draw()
    _trainer(library, SMALL, SMALL.draw())()  # imports, threads, pages of code
    before = _resident("VmRSS")
    train = _trainer(library, NETWORK, batch)
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak begins anew: what drawing weights took is no part of a step
    train()
    return _resident("VmHWM") - before


if __name__ == "__main__":
    print(json.dumps(_peak(sys.argv[1])))
