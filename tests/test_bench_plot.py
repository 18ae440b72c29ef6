"""bench/plot.py: pictures of results with made-up numbers."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

import pytest

import fastopt
from fastopt.bench import NETWORKS, RECURRENT, ROWS

pytest.importorskip("matplotlib")
BENCH = Path(__file__).parent.parent / "bench"
pytestmark = pytest.mark.skipif(not BENCH.is_dir(), reason="bench/ is not beside these tests")
SIZE = 60_000  # bytes of a picture, at most


def run_of(row, kind, **seconds):
    return {"extra_info": {kind: row.id, "seconds": seconds, "peak": 2e11, "machine": fastopt.info()}}


def draw(folder, runs):
    """The pictures of these runs by name, as text, and what was printed."""
    file = folder / "results.json"
    file.write_text(json.dumps({"benchmarks": [{"extra_info": {"of": "another benchmark"}}, *runs]}))
    done = subprocess.run([sys.executable, BENCH / "plot.py", file, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {path.stem: path.read_text() for path in folder.glob("*.svg")}, done.stdout


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Pictures of all rows, torch at 3.5 times our time, NumPy at 12."""
    torch = {"torch, 1 thread": 3.5e-3, "torch, 2 threads": 4e-3}
    runs = [run_of(row, "row", fastopt=1e-3, NumPy=12e-3, **torch) for row in (*ROWS, *NETWORKS)]
    runs += [run_of(row, "layer", fastopt=1e-3, **torch) for row in RECURRENT]
    return draw(tmp_path_factory.mktemp("pictures"), runs)


def words(picture):
    """What stands in a picture."""
    return [text.text for text in xml.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_what_is_drawn(everything):
    pictures, _ = everything
    assert set(pictures) == {"networks", "optimizers", "recurrent"}
    optimizers, recurrent, networks = (words(pictures[name]) for name in ("optimizers", "recurrent", "networks"))
    assert {"Adam", "SGD", "SGD, momentum", "Rprop", "fastopt", "torch", "NumPy", "100 M"} <= set(optimizers)
    assert {"0.01", "0.1", "1000"} <= set(optimizers)  # 1 ms over 100 parameters and over 100 million
    assert optimizers.count("3.5×") == 7 + 8 * 2  # the best torch: each decade of Adam, both ends of the eight others
    assert {"LSTM, training", "GRU, inference", "35 steps × 20, 200 → 200", "FMA peak"} <= set(recurrent)
    assert len(re.findall(r"<use [^>]*fill: #0072b2", pictures["recurrent"])) == 2 * 3 * 9  # a point of ours for each row
    assert networks.count("3.5×") == networks.count("12×") == len(NETWORKS)
    assert "scikit-learn" not in networks  # which did not race


def test_pictures_are_small_and_fit_a_dark_page(everything):
    for picture in everything[0].values():
        assert len(picture.encode()) < SIZE
        assert "prefers-color-scheme: dark" in picture
        exchanged = set(re.findall(r'\[style\*="(?:fill|stroke): (#\w{6})"\]', picture))
        assert set(re.findall(r'style="[^"]*?(#\w{6})', picture)) <= exchanged
        assert not re.search(r"20\d\d-\d\d-\d\d|metadata", picture)  # no date


def test_what_is_missing_is_named_and_the_rest_drawn(tmp_path):
    runs = [run_of(row, "row", fastopt=1e-6, NumPy=1e-5) for row in ROWS if row.table == "Growth"]
    (tmp_path / "networks.svg").write_text("from before")
    pictures, printed = draw(tmp_path, runs)
    assert set(pictures) == {"networks", "optimizers"}
    assert pictures["networks"] == "from before"
    assert {"Adam", "fastopt", "NumPy"} <= set(words(pictures["optimizers"]))
    assert "torch" not in words(pictures["optimizers"])
    assert "optimizers.svg: drawn\n    not in" in printed
    assert "Adam: Adam, one tensor of 1,000" in printed
    assert "Growth" not in printed
    assert "networks.svg: left as it is" in printed
    assert draw(tmp_path, runs)[0] == pictures  # the same bytes for the same numbers
