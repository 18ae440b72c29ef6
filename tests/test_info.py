"""fastopt.info(): every fact that a report of a problem needs, right, and nothing private."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastopt
from fastopt import _info
from fastopt.__main__ import main

FACTS = """version backend path installed isa isas openmp num_threads region_ns cpus cpus_of_machine cpu_quota runtimes python
implementation numpy blas compiler flags cython platform libc machine cpu cpu_features caches floating_point environment
warnings""".split()


def test_facts():
    facts = fastopt.info()
    assert list(facts) == FACTS
    assert json.loads(json.dumps(facts)) == facts
    assert all(value or value in (None, 0, False, [], {}) for value in facts.values())
    documented = fastopt.info.__doc__
    assert [name for name in FACTS if not re.search(rf"\b{name}\b", documented)] == []
    assert facts["implementation"].startswith(platform.python_implementation())
    assert facts["cpus"] <= facts["cpus_of_machine"] == os.cpu_count()


def test_what_it_was_built_with(compiled):
    facts = fastopt.info()
    assert re.match(r"(gcc|clang) \d+\.\d+", facts["compiler"])
    assert "-O3" in facts["flags"]
    assert "-ffast-math" not in facts["flags"]
    assert ("-fopenmp" in facts["flags"]) == facts["openmp"]
    assert re.fullmatch(r"3\.\d+\.\d+", facts["cython"])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_machine(compiled):
    facts = fastopt.info()
    assert facts["cpu"] != "unknown"
    assert facts["cpu_features"]
    if "avx2" in facts["isas"]:
        assert "AVX2" in facts["cpu_features"]
    if facts["openmp"]:
        assert any(name.startswith("libgomp") and count >= 1 for name, count in facts["runtimes"].items())
    if "openblas" in facts["blas"]:
        assert any("openblas" in name for name in facts["runtimes"])


def test_names_of_runtimes():
    taken = ["libgomp.so.1", "libgomp-a34b3233.so.1.0.0", "libomp.so.5", "libiomp5.so", "libscipy_openblas64_-32a4b2.so",
             "libopenblasp-r0.3.29.so", "libmkl_rt.so.2", "libomp140.x86_64.dll"]  # fmt: skip
    left = ["libc.so.6", "libompi.so", "_core.cpython-311-x86_64-linux-gnu.so", "libgompertz.so"]
    assert [name for name in taken + left if _info.RUNTIMES.fullmatch(name)] == taken


def run(code, folder, python=sys.executable, **environment):
    done = subprocess.run([python, "-c", code], cwd=folder, env={**os.environ, **environment}, text=True, capture_output=True,
                          timeout=120)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


SHOW = "import json, fastopt; print(json.dumps(fastopt.info()))"


def test_the_environment_without_what_is_private(tmp_path):
    secret = str(tmp_path / "someone")
    facts = run(SHOW, tmp_path, OMP_NUM_THREADS="3", FASTOPT_DATA=secret, KMP_BLOCKTIME="0", MKL_NUM_THREADS="1",
                API_TOKEN="s3cr3t", HOME=secret, USER="someone",
                PYTHONPATH=os.path.dirname(os.path.dirname(fastopt.__file__)))  # fmt: skip
    told = facts["environment"]
    assert told["FASTOPT_DATA"] == "(a path)"
    assert (told["OMP_NUM_THREADS"], told["KMP_BLOCKTIME"], told["MKL_NUM_THREADS"]) == ("3", "0", "1")
    text = json.dumps(facts)
    assert "s3cr3t" not in text
    assert "someone" not in text
    assert platform.node() not in text.replace("localhost", "") or len(platform.node()) < 5


@pytest.mark.skipif(platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc", reason="needs MXCSR in glibc's fenv_t")
@pytest.mark.parametrize(("bits", "rounding", "subnormals"), [
    (0, "nearest", "kept"), (0x8000, "nearest", "flushed"), (0x40, "nearest", "flushed"), (0x2000, "down", "kept"),
    (0x4000, "up", "kept"), (0x6000, "to zero", "kept"),
])  # fmt: skip
def test_the_state_of_the_floating_point_unit(bits, rounding, subnormals):
    import ctypes

    libm, before = ctypes.CDLL("libm.so.6"), (ctypes.c_uint * 8)()
    libm.fegetenv(before)
    changed = (ctypes.c_uint * 8)(*before)
    changed[7] |= bits  # MXCSR
    libm.fesetenv(changed)
    try:
        found = _info._floating_point(np)
    finally:
        libm.fesetenv(before)
    assert (found["rounding"], found["subnormals"]) == (rounding, subnormals)


@pytest.mark.parametrize(("link", "said"), [
    (None, "from a package index by pip, cp311-cp311-linux_x86_64"),
    ({"url": "file:///home/someone/fastopt", "dir_info": {}}, "from a folder by pip, cp311-cp311-linux_x86_64"),
    ({"url": "file:///home/someone", "dir_info": {"editable": True}}, "from a folder, editable by pip, cp311-cp311-linux_x86_64"),
    ({"url": "file:///home/someone/x.whl", "archive_info": {}}, "from a file by pip, cp311-cp311-linux_x86_64"),
    ({"url": "https://someone@x/y", "vcs_info": {"vcs": "git"}}, "from a version control system by pip, cp311-cp311-linux_x86_64"),
])  # fmt: skip
def test_where_it_was_installed_from(link, said, tmp_path, monkeypatch):
    import importlib.metadata

    folder = tmp_path / "fastopt-9.dist-info"
    folder.mkdir()
    (folder / "INSTALLER").write_text("pip\n")
    (folder / "WHEEL").write_text("Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n")
    if link is not None:
        (folder / "direct_url.json").write_text(json.dumps(link))
    (tmp_path / "fastopt").symlink_to(Path(fastopt.__file__).parent)
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: importlib.metadata.PathDistribution(folder))
    assert _info._installed() == said
    (tmp_path / "fastopt").unlink()
    (tmp_path / "fastopt").mkdir()
    assert _info._installed() == "no: these are its sources"


def test_nothing_of_it_is_necessary(monkeypatch):
    """Where the system tells nothing, the rest is told."""
    monkeypatch.setattr(_info, "_lines", lambda path: [])
    monkeypatch.setattr(np, "show_config", lambda mode: {})
    monkeypatch.setattr(platform, "processor", lambda: "")
    facts = fastopt.info()
    assert list(facts) == FACTS
    assert (facts["cpu"], facts["caches"], facts["runtimes"], facts["blas"]) == ("unknown", {}, {}, "unknown")


def test_text(capsys, monkeypatch):
    monkeypatch.setenv("OMP_SCHEDULE", "static")
    assert main(["info"]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert list(lines) == FACTS
    assert "OMP_SCHEDULE=static" in lines["environment"]
    assert "rounding=nearest, subnormals=kept" in lines["floating_point"]
    assert lines["warnings"] == "none"
