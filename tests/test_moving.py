"""fastopt/MOVING.md as it stands: listings before and after are run, and arrive at the same parameters; rows of its tables, too."""

import re
from importlib import resources

import numpy as np
import pytest

import fastopt

TEXT = (resources.files(fastopt) / "MOVING.md").read_text(encoding="utf-8")
SECTIONS = {part.split("\n", 1)[0].removeprefix("From ").split()[0]: part for part in TEXT.split("\n## ")[1:]}


def listings(section):
    """{first word of the comment it begins with: listing}."""
    found = re.findall(r"```python\n(# (\w+)\n.*?)```", SECTIONS[section], re.S)
    return {word: code for code, word in found}


def rows(section):
    """The cells of a section's table, as code."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| `")]
    return [re.findall(r"`([^`]+)`", line) for line in lines]


def run(*code):
    scope = {"__name__": "moving"}
    for part in code:
        exec(compile(part, "MOVING.md", "exec"), scope)
    return scope


def same(section, rtol):
    parts = listings(section)
    before, after = (run(parts["given"], parts[one], parts.get("both", "")) for one in ("before", "after"))
    start = run(parts["given"]).get("params")
    assert len(before["params"]) == len(after["params"])
    for i, (ours, theirs) in enumerate(zip(after["params"], before["params"])):
        np.testing.assert_allclose(ours, theirs, rtol=rtol)
        assert np.any(ours != (0 if start is None else start[i]))
    return parts, after


def test_from_numpy():
    same("an", 1e-12)


@pytest.mark.parametrize("row", rows("an"), ids=lambda row: row[0])
def test_update_lines(row):
    lines, make, *step = row
    rng = np.random.default_rng(1)
    first, grads = rng.standard_normal(5), rng.standard_normal((4, 5))
    scope = {"np": np, "p": first.copy(), "lr": 0.1, "beta": 0.8, "eps": 1e-3, "v": np.zeros(5), "s": np.zeros(5)}
    p = first.copy()
    opt = eval(make, vars(fastopt) | {"p": p, "lr": 0.1, "beta": 0.8, "eps": 1e-3})
    for t, g in enumerate(grads, 1):
        scope |= {"t": t, "g": g.copy()}
        exec(lines, scope)
        eval(f"opt.{step[0] if step else 'step(g)'}", {"opt": opt, "g": g})
    np.testing.assert_allclose(p, scope["p"], rtol=1e-12)
    assert np.any(p != first)


def test_from_torch():
    pytest.importorskip("torch")
    parts, _ = same("torch.optim", 1e-9)
    run(parts["given"], "import fastopt", parts["state"])


def test_from_keras():
    pytest.importorskip("keras")
    same("Keras", 1e-4)


@pytest.mark.parametrize("row", rows("Keras"), ids=lambda row: row[0])
def test_imports(row):
    run(row[1])
    if "preprocessing" not in row[0]:  # Keras 2's
        pytest.importorskip("keras")
        run(row[0])
