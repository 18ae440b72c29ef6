"""Which implementation runs, what import costs and touches, and that steps take no memory."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastopt
from fastopt import backend

TESTS = Path(__file__).parent
BLOCKED = "import sys; sys.modules['fastopt._core'] = None\n"  # as if it had never been built
REPORT = """
try:
    import fastopt
    print("imported", fastopt.info()["backend"])
except ImportError as error:
    print(error)
"""


def run(code, cwd, *arguments, **environment):
    """Runs `code` in a Python of its own, without this one's FASTOPT_ settings; what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FASTOPT_", "PYTEST_"))}
    done = subprocess.run([sys.executable, *arguments, "-c", code], cwd=cwd, env=kept | environment, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, capture_output=True)  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


# --- the definitions run the whole library ----------------------------------------------------------------------------

SCENARIO = """
import copy, json, pickle, sys
import numpy as np
import fastopt
from fastopt import optim
from fastopt.optim.rules import RULES

rng = np.random.default_rng(20261122)
arrays, words = {}, []

def draw():
    return {"w": rng.standard_normal((5, 7)), "b": rng.standard_normal(7).astype(np.float32), "s": rng.standard_normal(()),
            "t": np.asarray(rng.standard_normal((4, 3)), np.float32).T[::-1], "e": np.zeros((0, 3))}

def keep(key, opt, params):
    states = {f"{i}.{name}": value for i, state in opt.state_dict()["state"].items() for name, value in state.items()}
    for name, value in (dict(params) | states).items():
        arrays[f"{key}.{name}"] = np.array(value)
    norm, skipped, nonfinite = opt.last_step
    arrays[f"{key}.norm"] = np.array(np.nan if norm is None else norm)
    words.append([key, opt.steps, skipped, repr(nonfinite), repr(opt)])

for name, rule in RULES.items():  # every optimizer under every preset: a dict, ema, a schedule, an option changed on the way
    for like in rule.presets:
        params = draw()
        opt = getattr(fastopt, name)(params, lr=fastopt.schedules.Exponential(0.1, gamma=0.5), ema=0.9, like=like)
        for step in range(5):
            grads = draw() | ({"b": None} if step == 1 else {})
            if step == 3:
                grads["t"][1, 2] = np.inf
            opt.step(grads, clip_norm=1.0, clip_value=1.5, grad_scale=2.0, skip_nonfinite=True, clip_each=step % 2 == 1)
            keep(f"{name}.{like}.{step}", opt, params)
            if "weight_decay" in opt.param_groups[0]:
                opt.param_groups[0]["weight_decay"] = 0.01 * step
        arrays.update({f"{name}.{like}.ema.{key}": value for key, value in opt.ema().items()})

params = draw()  # groups; what is copied, pickled, saved and loaded goes on alike; no clipping, then Inf that is not skipped
opt = fastopt.AdamW([{"params": params["w"], "lr": 0.1}, {"params": [params["b"], params["s"]], "ema": 0.5}], amsgrad=True)
opt.step([draw()["w"], [None, draw()["s"]]])
opt = pickle.loads(pickle.dumps(copy.deepcopy(opt)))
optim.save("state.npz", opt)
(w,), (b, s) = ([p.copy() for p in group["params"]] for group in opt.param_groups)
opt = fastopt.AdamW([{"params": w}, {"params": [b, s], "ema": 0.9}])
optim.load("state.npz", opt)
for value in (1.0, np.inf):
    grads = draw()
    opt.step([grads["w"] * value, [grads["b"], grads["s"]]], clip_norm=0.5)
    opt.step([grads["w"], [grads["b"], grads["s"]]], clip_norm=0.5, clip_each=True)
    keep(f"groups.{value}", opt, {f"{i}{j}": p for i, g in enumerate(opt.param_groups) for j, p in enumerate(g["params"])})

w, g = np.ones(4), np.ones(4)
w.flags.writeable = False
a = np.ones(6)
for bad in (  # refused in the same words
    lambda: fastopt.SGD(w), lambda: fastopt.SGD([a[:4], a[3:]]), lambda: fastopt.SGD(np.ones(3, int)), lambda: fastopt.SGD([None]),
    lambda: fastopt.Adam(a, lr=np.nan), lambda: fastopt.Adam(a, betas=(1.5, 0.9)), lambda: fastopt.Lion(a, like="torch"),
    lambda: fastopt.SGD(a).step(np.ones(5)), lambda: fastopt.SGD(a).step(np.ones(6, np.float32)), lambda: fastopt.SGD(a).step(a),
    lambda: fastopt.SGD([a]).step([a.copy(), a.copy()]), lambda: fastopt.SGD({"a": a}).step({"b": a.copy()}),
    lambda: fastopt.SGD(a).step(a.copy(), clip_norm=-1), lambda: fastopt.SGD().step(a), lambda: fastopt.SGD(a, learning_rate=1),
    lambda: fastopt.SGD(a).load_state_dict({}), lambda: fastopt.set_num_threads(0),
):
    try:
        bad()
        words.append("nothing raised")
    except Exception as error:
        words.append(f"{type(error).__name__}: {error}")
assert (a == 1).all()
np.savez("arrays.npz", **arrays)
json.dump({"words": words, "info": fastopt.info()}, open("words.json", "w"))
"""


def test_the_definitions_alone_give_the_same(tmp_path, compiled):
    """The whole library without the extension, against the whole library with it: to rounding, and to the letter."""
    results = []
    for name, code in (("compiled", SCENARIO), ("reference", BLOCKED + SCENARIO)):
        folder = tmp_path / name
        folder.mkdir()
        run(code, folder, FASTOPT_BACKEND=name)
        with np.load(folder / "arrays.npz") as file:
            results.append((dict(file), json.loads((folder / "words.json").read_text())))
        assert results[-1][1]["info"]["backend"] == name
    (got, said), (want, meant) = results
    assert got.keys() == want.keys()
    assert len(got) > 1000
    for key, array in got.items():
        assert (array.dtype, array.shape) == (want[key].dtype, want[key].shape), key
        tolerance = 2e-6 if array.dtype == np.float32 or key.endswith("norm") else 1e-13
        np.testing.assert_allclose(array, want[key], tolerance, tolerance, err_msg=key)
    assert said["words"] == meant["words"]
    assert sum(word == "nothing raised" for word in said["words"]) == 0
    skipped = [word for word in said["words"] if word[2] is True]
    assert len(skipped) > 20
    assert {word[3] for word in skipped} == {"('t', (1, 2))"}


@pytest.mark.parametrize(("code", "environment", "words"), [
    (BLOCKED, {}, ["fastopt._core does not load", "pip install", "FASTOPT_BACKEND=reference"]),
    (BLOCKED, {"FASTOPT_BACKEND": "compiled"}, ["fastopt._core does not load", "pip install", "FASTOPT_BACKEND=reference"]),
    (BLOCKED, {"FASTOPT_BACKEND": "reference"}, ["imported reference"]),
    ("", {}, ["imported compiled"]),
    ("", {"FASTOPT_BACKEND": "numpy"}, ["FASTOPT_BACKEND", "'numpy'", "'compiled'", "'reference'"]),
    ("", {"FASTOPT_BACKEND": "Reference"}, ["FASTOPT_BACKEND", "'Reference'", "'compiled'", "'reference'"]),
    ("", {"FASTOPT_ISA": "sse9"}, ["FASTOPT_ISA", "sse9", *backend.core.isas()]),
])  # fmt: skip
def test_choice_of_the_backend(code, environment, words, tmp_path, compiled):
    said = run(code + REPORT, tmp_path, **environment)
    assert all(word in said for word in words), said


@pytest.mark.parametrize("isa", backend.core.isas())
def test_every_target_can_be_forced(isa, tmp_path, compiled):
    said = run("""
import numpy as np, fastopt
params = [np.ones(100), np.ones(100, np.float32)]
fastopt.SGD(params, lr=0.1).step([np.full_like(p, 2) for p in params])
print(fastopt.info()["isa"], *(sorted(set(p.round(6).tolist())) for p in params))
""", tmp_path, FASTOPT_ISA=isa)  # fmt: skip
    assert re.fullmatch(rf"{isa} \[0\.8\] \[0\.80*\d*\]", said), said


def test_the_suite_refuses_to_compare_the_definitions_with_themselves(tmp_path):
    arguments = [str(TESTS / "test_parity.py"), "-k", "sgd", "-q", "-p", "no:cacheprovider"]
    said = run(f"import pytest; print(pytest.main({arguments}) == 1)", tmp_path, FASTOPT_BACKEND="reference")
    assert said.endswith("True"), said
    assert "would compare the definitions with themselves" in said
    assert not re.search(r"\d passed|\d skipped|\d failed", said), said  # errors only


# --- import and info --------------------------------------------------------------------------------------------------


def test_import_is_lean_and_silent(tmp_path):
    """Nothing but NumPy; what few need is loaded when first touched, and no warning is given by anything public."""
    foreign = "torch tensorflow keras jax optax sklearn scipy pandas matplotlib tqdm hypothesis pytest".split()
    later = ["fastopt.testing", "fastopt.data", "fastopt.bench", "fastopt.demo", "fastopt.kernels"]
    said = run(f"""
import sys
import fastopt
assert not [name for name in {foreign + later} if name in sys.modules]
for name in ("testing", "data", "kernels", "reference", "optim"):
    assert getattr(fastopt, name) is sys.modules["fastopt." + name]
assert set(fastopt.__all__) <= set(dir(fastopt)) and len(set(fastopt.__all__)) == len(fastopt.__all__)
for module in (fastopt, fastopt.kernels, fastopt.reference, fastopt.optim, fastopt.optim.schedules):
    assert all(getattr(module, name) is not None for name in module.__all__)
fastopt.info(), repr(fastopt.Adam())
""", tmp_path, "-W", "error")  # fmt: skip
    assert said == ""


def test_unknown_names():
    with pytest.raises(AttributeError, match="module 'fastopt' has no attribute 'Adamm'"):
        fastopt.Adamm  # noqa: B018
    with pytest.raises(ImportError, match="Adamm"):
        from fastopt import Adamm  # noqa: F401
    assert not hasattr(fastopt, "os")


def test_info(monkeypatch, compiled):
    info = fastopt.info()
    told = "version backend path isa isas openmp num_threads region_ns cpus python numpy platform warnings".split()
    assert set(info) >= set(told)
    assert (info["version"], info["backend"], info["numpy"]) == (fastopt.__version__, "compiled", np.__version__)
    assert Path(info["path"]).is_file()
    assert info["path"] == compiled.__file__ != backend.__file__
    assert info["isa"] in info["isas"]
    assert info["isas"][-1] == "baseline"
    assert info["num_threads"] == fastopt.get_num_threads() >= 1
    assert json.loads(json.dumps(info)) == info
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    monkeypatch.delenv("OMP_PROC_BIND", raising=False)
    assert fastopt.info()["warnings"] == []
    monkeypatch.setenv("OMP_PROC_BIND", "true")
    assert "OMP_PROC_BIND" in fastopt.info()["warnings"][0]


# --- memory -----------------------------------------------------------------------------------------------------------

MEMORY = """
import copy, gc, sys, tracemalloc, weakref
import numpy as np
import fastopt
from fastopt.optim.rules import RULES

def status(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) * 1024

def reset_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
"""
needs_proc = pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="no /proc/self/clear_refs")
LARGE = """
n = 1_000_000
def draw():
    return [np.ones(n), np.ones((1000, 1000), np.float32).T, np.ones(2 * n)[::2], np.ones(n, np.float32)[::-1]]

fastopt.set_num_threads(2)
grads = draw()
for name, rule in RULES.items():
    asked = {"momentum": 0.9, "centered": True, "amsgrad": True}
    options = {key: value for key, value in asked.items() if key in rule.defaults(next(iter(rule.presets)))}
    opt = getattr(fastopt, name)(draw(), ema=0.9, **options)
    ways = {"plain": {}, "clipped": dict(clip_norm=1.0, clip_value=0.5, grad_scale=2.0, skip_nonfinite=True)}
    for options in ways.values():
        opt.step(grads, **options)
    for way, options in ways.items():
        reset_peak()
        before = status("VmRSS")
        tracemalloc.start()
        opt.step(grads, **options)
        python, process = tracemalloc.get_traced_memory()[1], status("VmHWM") - before
        tracemalloc.stop()
        print(name, way, python, process)
    del opt
    gc.collect()
"""


@needs_proc
def test_a_step_takes_no_memory(tmp_path, compiled):
    """Parameters of 4 and 8 MB, contiguous and strided: neither Python nor C takes a tenth of the smaller for a moment."""
    given_back = {"MALLOC_MMAP_THRESHOLD_": "65536"}  # by free, at once: else what the steps before took would be there
    rows = [line.split() for line in run(MEMORY + LARGE, tmp_path, **given_back).splitlines()]
    assert len(rows) == 22
    assert [row for row in rows if int(row[2]) > 50_000 or int(row[3]) > 400_000] == []


MANY = """
def draw(n):
    return [np.ones(100), np.ones((7, 9), np.float32).T, np.ones(()), np.ones(3 * n)[::-3], np.ones((0, 2))]

fastopt.set_num_threads(1)
params, grads = draw(30_000), draw(30_000)
groups = [{"params": dict(enumerate(params[:3]))}, {"params": params[3:], "lr": lambda step: 1e-3}]
opt = fastopt.Adam(groups, ema=0.9, amsgrad=True)
given = [dict(enumerate(grads[:3])), grads[3:]]

def steps(n):
    for i in range(n):
        opt.step(given, clip_norm=1.0, skip_nonfinite=True)
        opt.step([dict(enumerate([None, *grads[1:3]])), grads[3:]], clip_value=0.5)
        opt.last_step
        if i % 10 == 0:  # those that fail keep nothing, either
            for wrong in ([given[0], grads[:2]], given[0], [given[0], [grads[3].astype(np.float32), grads[4]]]):
                try:
                    opt.step(wrong)
                except (TypeError, ValueError):
                    continue
                raise AssertionError(wrong)

def lives(n):
    for _ in range(n):
        short = fastopt.Adam(draw(1000), ema=0.9)
        short.step(draw(1000))
        other = copy.deepcopy(short)
        other.load_state_dict(short.state_dict())
        fastopt.kernels.sgd(params[3], grads[3], np.ones(30_000)[::-1], step=2, momentum=0.9)

def now():
    gc.collect()
    return status("VmRSS"), len(gc.get_objects()), [sys.getrefcount(a) for a in params + grads]

for task, n in ((steps, 5000), (lives, 600)):
    task(n // 2)
    before = now()
    task(n)
    after = now()
    assert after[1] <= before[1] + 5 and after[2] == before[2], (before, after)
    print(after[0] - before[0])
"""


@needs_proc
def test_many_steps_and_many_optimizers_leave_nothing_behind(tmp_path, compiled):
    steps, lives = map(int, run(MEMORY + MANY, tmp_path).split())
    assert steps < 300_000
    assert lives < 2_000_000  # a work list is 10 kB


def test_nothing_outlives_its_last_reference(tmp_path, compiled):
    """Gradients and states may be gigabytes: no step keeps the first, and neither waits for the garbage collector."""
    run(MEMORY + """
gc.disable()
opt = fastopt.Adam([np.ones(3), np.ones(2)], ema=0.9, lr=lambda step: 0.1)
for second in (np.ones(2), None, np.ones(3)):
    grads = [np.ones(3), second]
    try:
        opt.step(grads, clip_norm=1.0)
    except ValueError:
        assert second.shape == (3,)
    gone = weakref.ref(grads[0])
    del grads
    assert gone() is None, "the step keeps a gradient"
for make in (fastopt.SGD, lambda: fastopt.SGD({"a": np.ones(3)}), lambda: copy.deepcopy(opt)):
    other = make()
    gone = weakref.ref(other)
    del other
    assert gone() is None, "an optimizer lives on in a reference cycle"
""", tmp_path)  # fmt: skip
