"""fastopt.testing.check() and `fastopt check`: agreement is said, a planted fault is found, named and placed."""

import numpy as np
import pytest

import fastopt
from fastopt import kernels
from fastopt.__main__ import main
from fastopt.testing import CASES, check
from fastopt.testing.trial import Difference

FEW = ["adam", "gemm", "mean_squared_error", "gru_forward", "gru_backward"]


def plant(monkeypatch, name, fault):
    """kernels.NAME with `fault(results, arguments)` behind it."""
    right = getattr(kernels, name)

    def wrong(*arguments, **options):
        results = right(*arguments, **options)
        return fault(results, options)

    monkeypatch.setattr(kernels, name, wrong)


def test_agreement(compiled, capsys):
    before = compiled.isa(), fastopt.get_num_threads()
    assert check(FEW, quick=True) == []
    assert (compiled.isa(), fastopt.get_num_threads()) == before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["version", fastopt.__version__]
    assert any(line.startswith("cpu_features ") for line in lines)
    assert next(line for line in lines if line.startswith("targets")) == (
        f"targets {', '.join(compiled.isas())}; float32, float64; threads "
        f"{', '.join(map(str, sorted({1, 2, 3, before[1]})))}; seed 0; quick"
    )
    assert [line.split()[0] for line in lines if " agrees in " in line] == FEW
    assert lines[-1].startswith("all 5 kernels agree, ")
    assert check("sgd", quick=True, targets="baseline", num_threads=[1], verbose=False) == []
    assert capsys.readouterr().out == ""


def test_a_fault_on_one_target(compiled, capsys, monkeypatch):
    """The last element, one part in a hundred thousand: as a wrong tail of a loop would do."""
    target = compiled.isas()[0]

    def fault(results, options):
        if compiled.isa() == target and options["param"].size:
            options["param"].reshape(-1)[-1] *= 1.00001

    plant(monkeypatch, "adam", fault)
    found = check(["sgd", "adam"], quick=True)
    assert found
    assert {(one.kernel, one.part, one.target, one.allowed) for one in found} == {("adam", "param", target, 8)}
    assert {one.dtype for one in found} == {"float32", "float64"}
    assert {one.threads for one in found} == {1, 2, 3} | {fastopt.get_num_threads()}
    double = next(one for one in found if one.dtype == "float64" and one.sizes == (70001,))
    assert double.first == (70000,)
    assert 1e-5 / 2**-52 / 4 < double.ulp < 1e-5 / 2**-52 * 4
    assert {"lr", "step"} <= set(double.options)
    out = capsys.readouterr().out
    assert "sgd                              agrees" in out
    assert f"adam                             differs in {len(found)} of " in out
    assert f"adam: {len(found)} calls differ; target {target} ({len(found)}); dtype float32 (" in out
    assert f"float64, {target}, threads " in out
    assert "ulp, at most 8 expected; 1 of 70001 are off, the first at [70000]" in out
    assert f"and {len(found) - 3} more" in out
    assert "1 of 2 kernels differ" in out


def test_bits_that_depend_on_threads(compiled, monkeypatch):
    """Within the tolerance, and yet not what is promised."""

    def fault(results, options):
        results[1].reshape(-1)[:1] *= 1 + (fastopt.get_num_threads() > 1) * np.finfo(results[1].dtype).eps
        return results

    plant(monkeypatch, "mean_squared_error", fault)
    found = check(["mean_squared_error"], quick=True, targets=compiled.isas()[:1], num_threads=[1, 2], verbose=False)
    assert found
    assert {(one.threads, one.part, one.problem) for one in found} == {(2, CASES["mean_squared_error"].results[1],
                                                                        " has other bits than with 1 threads")}  # fmt: skip


FAULTS = {  # what a kernel does wrong: words of the report
    "raises": (lambda y, options: 1 // 0, "raised ZeroDivisionError"),
    "NaN": (lambda y, options: (y[0] * np.nan, *y[1:]), "is np.float32(nan), the definition has"),
    "shape": (lambda y, options: (y[0][..., :-1], *y[1:]), "has shape (1, 4, 4), the definition's (1, 4, 5)"),
    "dtype": (lambda y, options: (y[0].astype("f2"), *y[1:]), "has dtype float16, expected float32"),
    "None": (lambda y, options: (None, *y[1:]), "is None, the definition's is otherwise"),
    "writes": (lambda y, options: options["x"].fill(7) or y, "x is an argument that was written to"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_faults_of_a_recurrent_kernel(compiled, monkeypatch, capsys, what):
    fault, words = FAULTS[what]
    plant(monkeypatch, "gru_forward", fault)
    found = check("gru_forward", quick=True, targets=compiled.isas()[-1:], num_threads=[1])
    assert all(isinstance(one, Difference) for one in found)
    assert {one.dtype for one in found} == {"float32", "float64"}
    assert any(words in str(one) for one in found), [str(one) for one in found]
    assert "gru_forward: " in capsys.readouterr().out


def test_what_runs_is_as_before_after_an_interrupt(compiled, monkeypatch):
    before = compiled.isa(), fastopt.get_num_threads()

    def interrupted(*_):
        raise KeyboardInterrupt

    plant(monkeypatch, "sgd", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check("sgd", targets=compiled.isas()[-1:], num_threads=[1], verbose=False)
    assert (compiled.isa(), fastopt.get_num_threads()) == before


def test_the_command(compiled, capsys, monkeypatch):
    few = ["check", "--quick", "--threads", "1,2", "--targets", "baseline", "sgd"]
    assert main(few) == 0
    assert "targets baseline; float32, float64; threads 1, 2; seed 0; quick" in capsys.readouterr().out
    plant(monkeypatch, "sgd", lambda results, options: options["param"].fill(7))
    assert main(few) == 1
    assert "sgd: " in capsys.readouterr().out
    assert main(["check", "sdg"]) == 2
    assert "check: no kernel 'sdg', there are sgd" in capsys.readouterr().err
    for wrong in ("0", "x", "1,,2", "5000"):
        with pytest.raises(SystemExit) as stopped:
            main(["check", "--threads", wrong])
        assert stopped.value.code == 2
        assert f"--threads: expected integers from 1 to 1024, got '{wrong}'" in capsys.readouterr().err


def test_every_kernel_is_named():
    """None is left out, recurrent ones neither."""
    assert set(CASES) == set(kernels.__all__)


@pytest.mark.slow
def test_this_machine(compiled):
    """All of it, some minutes."""
    assert check(verbose=False) == []
