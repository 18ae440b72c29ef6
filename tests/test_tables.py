"""The tables name the same kernels with the same arguments, and what a kernel needs is there: nothing can be forgotten."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import fastopt
from fastopt import kernels, reference
from fastopt.optim import hyper, rules
from fastopt.testing import CASES
from fastopt.testing.case import Function

FUNCTIONS = [name for name, case in CASES.items() if isinstance(case, Function)]
OF_ITS_OWN = {"out", "accumulate", "overwrite_dy", "rows", "saved"}  # where results go and come from: tests of their own
CSRC = Path(__file__).parent.parent / "csrc"


def test_tables_name_the_same_kernels(compiled):
    assert set(reference.__all__) == set(kernels.__all__) == set(CASES)
    assert set(kernels.OPTIMIZERS) == set(compiled.optimizers()) == {rule.kernel for rule in rules.RULES.values()}


def test_arguments_and_defaults_agree():
    for name in reference.__all__:
        assert inspect.signature(getattr(kernels, name)) == inspect.signature(getattr(reference, name)), name
        names = [p.name for p in inspect.signature(getattr(reference, name)).parameters.values()]
        assert [n for n in names if n in CASES[name].arrays] == list(CASES[name].arrays), name


@pytest.mark.skipif(not CSRC.exists(), reason="the C sources are not beside the tests")
def test_each_optimizer_has_its_file():
    included = set(re.findall(r'#include "optim/(\w+)\.c"', (CSRC / "kernels.c").read_text()))
    assert included == {path.stem for path in (CSRC / "optim").glob("*.c")}
    assert set(kernels.OPTIMIZERS) <= included


def test_states_are_the_kernels_arguments():
    for name, rule in rules.RULES.items():
        arrays = list(CASES[rule.kernel].arrays)
        assert arrays[:2] == ["param", "grad"]
        assert [state.name for state in rule.states] == arrays[2:], name


def test_presets_change_only_what_the_optimizer_has():
    for name, rule in rules.RULES.items():
        known = set(rule.defaults(next(iter(rule.presets))))
        for like, changes in rule.presets.items():
            assert set(changes) <= known, (name, like)
            hyper.encode(name, rule.kernel, rule.defaults(like))  # in range, every one


def test_every_option_of_a_kernel_is_varied_in_its_case():
    """An option that no variant sets would be compared at its default only."""
    for name, case in CASES.items():
        arguments = inspect.signature(getattr(reference, name)).parameters.values()
        options = {p.name for p in arguments if p.name not in case.arrays or (p.default is not p.empty and name in FUNCTIONS)}
        common = getattr(case, "common", {})
        varied = {o for o in options if len({repr(v.get(o, "default")) for v in case.options()}) > 1 or o in common}
        assert varied - OF_ITS_OWN == options - OF_ITS_OWN, (name, options - varied)


def test_optimizers_are_public():
    for name in rules.RULES:
        assert getattr(fastopt, name) is getattr(fastopt.optim, name)
        assert name in fastopt.__all__
        assert name in fastopt.optim.__all__


def test_stubs_have_the_signatures():
    """optimizers.pyi is for editors, which cannot run the table that the signatures come from."""
    tree = ast.parse(Path(fastopt.optim.optimizers.__file__).with_suffix(".pyi").read_text())
    classes = {node.name: node.body[0].args for node in tree.body if isinstance(node, ast.ClassDef)}
    assert set(classes) == set(rules.RULES)
    for name, stub in classes.items():
        positional = dict(zip([a.arg for a in stub.args[1:]], map(ast.literal_eval, stub.defaults)))
        keyword = dict(zip([a.arg for a in stub.kwonlyargs], map(ast.literal_eval, stub.kw_defaults)))
        signature = inspect.signature(getattr(fastopt, name)).parameters
        assert {n: p.default for n, p in signature.items()} == positional | keyword, name
        assert [n for n, p in signature.items() if p.kind is p.KEYWORD_ONLY] == list(keyword), name
