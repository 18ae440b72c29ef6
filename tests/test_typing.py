"""Types as users meet them: a program that mypy --strict accepts, mistakes that it finds. Without mypy the program is only run."""

import os
import re
import site
import subprocess
import sys
from pathlib import Path

import pytest

import fastopt

HERE = Path(__file__).parent
MISTAKE = re.compile(r"# ([a-z-]+)$")


def strict(path, folder):
    """What mypy --strict says of a program, in which fastopt is a library: {line: [codes]}."""
    pytest.importorskip("mypy")
    where = Path(fastopt.__file__).parents[1]
    env = dict(os.environ)
    if str(where) not in [*site.getsitepackages(), site.getusersitepackages()]:  # there mypy looks by itself
        env["MYPYPATH"] = str(where)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--config-file=",
        "--follow-imports=silent",
        f"--cache-dir={folder}",
        str(path),
    ]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = {}
    for line, code in re.findall(r":(\d+): error: .*\[([a-z-]+)\]", done.stdout):
        found.setdefault(int(line), []).append(code)
    return found


def test_the_program_runs(monkeypatch, capsys):
    monkeypatch.syspath_prepend(HERE)
    import typed_use

    typed_use.main()
    assert capsys.readouterr().out.startswith("fastopt")


def test_strict_mypy_accepts_the_program(tmp_path):
    assert strict(HERE / "typed_use.py", tmp_path) == {}


def test_mypy_finds_the_mistakes(tmp_path):
    lines = (HERE / "typed_mistakes.py").read_text().splitlines()
    expected = {i: [m.group(1)] for i, line in enumerate(lines, 1) if (m := MISTAKE.search(line))}
    assert strict(HERE / "typed_mistakes.py", tmp_path) == expected
