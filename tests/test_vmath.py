"""csrc/vmath.h against the C library, for each CPU target and dtype: compiles and runs vmath_sweep.c, which judges.

A run takes a sample of the arguments; `-m slow` takes every float32 for tanh, sigmoid and exp, FASTOPT_EXHAUSTIVE=1 for all
functions, and a billion doubles (minutes a target).
"""

import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CSRC = HERE.parent / "csrc"
CC = shutil.which("cc")
FLAGS = "-std=c11 -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast -fvisibility=hidden -Wall -Wextra".split()
TARGETS = {  # name: flags, vector bytes, what /proc/cpuinfo must list
    "baseline": ("", 16, ""),
    "avx2": ("-mavx2 -mfma", 32, "avx2 fma"),
    "avx512": (
        "-mavx512f -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512",
        64,
        "avx512f avx512dq avx512bw avx512vl",
    ),
}
SAMPLE = {32: 293, 64: 997}  # every which argument; odd, or the low bits would stand still
EXHAUSTIVE = {32: 1, 64: 5}

pytestmark = [
    pytest.mark.skipif(not (CSRC / "vmath.h").exists(), reason=f"{CSRC} holds no vmath.h: not a checkout"),
    pytest.mark.skipif(CC is None, reason="no C compiler named cc"),
]


def cpu_flags():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.startswith("flags") for flag in line.split(":")[1].split()}


def program(target, bits, folder):
    """vmath_sweep.c compiled for a CPU target; the test is skipped where the machine has none such."""
    flags, vector_bytes, needed = TARGETS[target]
    missing = set(needed.split()) - cpu_flags()
    if missing:
        pytest.skip(f"this {platform.machine()} CPU has no {' '.join(sorted(missing))}")
    path = folder / "vmath_sweep"
    defines = [f"-DFO_BITS={bits}", f"-DFO_VECTOR_BYTES={vector_bytes}", f"-I{CSRC}"]
    compiled = subprocess.run(
        [CC, *FLAGS, *flags.split(), *defines, str(HERE / "vmath_sweep.c"), "-o", str(path), "-lm"],
        capture_output=True,
        text=True,
    )
    assert compiled.returncode == 0, compiled.stderr
    return str(path)


@pytest.mark.parametrize("bits", [32, 64], ids=["float32", "float64"])
@pytest.mark.parametrize("target", TARGETS)
def test_vmath_keeps_its_bounds(target, bits, tmp_path):
    stride = (EXHAUSTIVE if os.environ.get("FASTOPT_EXHAUSTIVE") == "1" else SAMPLE)[bits]
    ran = subprocess.run([program(target, bits, tmp_path), str(stride)], capture_output=True, text=True)
    print(ran.stdout)
    assert ran.returncode == 0, f"{target} float{bits}, every argument {stride} apart:\n{ran.stdout}{ran.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_every_float32(target, tmp_path):
    """All 2^32 arguments of the functions that every network calls: a minute for the three targets on two idle cores."""
    path = program(target, 32, tmp_path)
    running = [subprocess.Popen([path, "1", name], stdout=subprocess.PIPE, text=True) for name in ("vtanh", "vsigmoid", "vexp")]
    said = [process.communicate()[0] for process in running]
    print(*said)
    assert all("max" in text and process.returncode == 0 for text, process in zip(said, running)), "".join(said)
