"""Tables: by hand, delimiters, headers, categories, refusals, and the real files."""

import numpy as np
import pytest
from expected import real, refused, written
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastopt.data import load_table

NAN = np.nan


def text(*lines, end="\n"):
    return [line + end for line in lines]


def test_table_by_hand():
    table = load_table(text("a, b ,kind", "1,2.5,x", "", '3,?,"y, z"', "-1e2,NA,"))
    assert table.names == ["a", "b", "kind"]
    assert table.categories == {"kind": ["x", "y, z"]}
    assert np.array_equal(table.data, [[1, 2.5, 0], [3, NAN, 1], [-100, NAN, NAN]], equal_nan=True)
    x, y = table.split("a")
    assert y.tolist() == [1, 3, -100]
    assert x.shape == (3, 2)
    assert table.split("a", -1)[1].shape == (3, 2)
    assert np.array_equal(table.select(1, "a"), table.data[:, [1, 0]], equal_nan=True)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_table_delimiters(delimiter, end):
    lines = text(*(row.replace(";", delimiter) for row in ("1;2", "3;4.5", "5;6")), end=end)
    table = load_table(lines, delimiter=None if delimiter != "|" else "|")
    assert table.data.tolist() == [[1, 2], [3, 4.5], [5, 6]]
    assert table.names == ["0", "1"]


def test_table_headers():
    assert load_table(text("1,2", "3,4"), header=True).names == ["1", "2"]
    assert load_table(text("x", "3")).names == ["x"]
    assert load_table(text(",x", "0,3")).names == ["0", "x"]
    assert load_table(text("a,b", "c,d")).data.shape == (2, 2)  # no number anywhere: no header
    assert load_table(text("a,?", "c,1")).data.shape == (2, 2)  # a missing value is no name


def test_table_one_hot():
    rows = text("n,kind,size", "1,b,s", "2,a,?", "3,b,l")
    table = load_table(rows, one_hot="kind")
    assert table.names == ["n", "kind=a", "kind=b", "size"]
    assert table.select("kind").tolist() == [[0, 1], [1, 0], [0, 1]]
    assert table.split("kind")[0].shape == (3, 2)
    everything = load_table(rows, one_hot=True)
    assert everything.names == ["n", "kind=a", "kind=b", "size=l", "size=s"]
    assert np.array_equal(everything.select("size"), [[0, 1], [NAN, NAN], [1, 0]], equal_nan=True)
    assert load_table(rows, one_hot=["n"], categories={"n": []}).select("n").tolist() == np.eye(3).tolist()


def test_table_options():
    rows = text("d,k,v", "2020-01-01,x,1", "2020-01-02,-,2")
    table = load_table(rows, drop=["d"], missing="-")
    assert table.names == ["k", "v"]
    assert np.isnan(table.data[1, 0])
    assert load_table(rows, drop=(0, 1)).data.tolist() == [[1], [2]]
    other = load_table(text("k,v", "y,1", "x.,2"), categories={"k": ["y", "x"]}, aliases={"x.": "x"})
    assert other.data.tolist() == [[0, 1], [1, 2]]
    assert load_table(text("1", "10", "9"), categories={0: []}).categories == {"0": ["1", "10", "9"]}


def test_table_files(tmp_path):
    path = written(tmp_path, "\ufeffa;é\r\n1;2\r\n".encode(), "t.csv")
    assert load_table(path).names == ["a", "é"]
    with open(path, encoding="utf-8-sig") as file:
        assert load_table(file).data.tolist() == [[1, 2]]
    refused(ValueError, ["t.csv", "UTF-8", "encoding="], load_table, written(tmp_path, b"a,\xe9\n1,2\n", "t.csv"))
    with pytest.raises(FileNotFoundError):
        load_table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("lines", "options", "words"),
    [
        ([], {}, ["empty"]),
        (text("", " "), {}, ["empty"]),
        (text("a,b"), {"header": True}, ["no rows"]),
        (text("a,b", "1,2", "3"), {}, ["line 3 has 1 cells", "expected 2"]),
        (text("a,a", "1,2"), {}, ["two columns 'a'", "header=False"]),
        (text("a,b", "1,2", "1,2x", "3,4"), {}, ["column 'b'", "line 3", "'2x'"]),
        (text("x", "2", "1_0"), {}, ["line 3", "'1_0'"]),
        (text("a,b", '1,"2', "3,4"), {}, ["line", "unexpected end"]),
        (text("x" * 200000 + ",b", "1,2"), {}, ["line 1", "field limit"]),
        (text("a,b", "1,2"), {"delimiter": ",,"}, ["delimiter", "',,'"]),
        (text("a,b", "1,2"), {"drop": "c"}, ["drop", "'c'", "a, b"]),
        (text("a,b", "1,2"), {"drop": 2}, ["drop", "2"]),
        (text("a,b", "1,2"), {"drop": ["a", "b"]}, ["every column"]),
        (text("a,b", "1,2"), {"one_hot": "a"}, ["one_hot", "'a'", "numeric"]),
        (text("a,b", "x,2"), {"categories": {"a": ["y", "z"]}}, ["'a'", "line 2", "'x'", "'y', 'z'"]),
        (text("a,b", "x,2"), {"categories": {"q": ["y"]}}, ["categories", "'q'"]),
        (text(*(f"v{i},1" for i in range(1001))), {"one_hot": True}, ["1001 values", "1000"]),
    ],
)
def test_table_refused(lines, options, words):
    refused(ValueError, ["load_table", *words], load_table, lines, **options)


def test_table_columns_refused():
    table = load_table(text("a,b", "1,2"))
    refused(ValueError, ["Table", "'c'", "a, b"], table.split, "c")
    refused(ValueError, ["Table", "5"], table.select, 5)
    refused(TypeError, ["Table.split", "no target"], table.split)


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(width=64)),
    st.sampled_from(",;\t"),
    st.booleans(),
)
def test_table_round_trip(data, delimiter, header):
    rows = [delimiter.join(map(repr, row)) for row in data.tolist()]
    lines = text(*([delimiter.join(f"c{j}" for j in range(data.shape[1]))] if header else []), *rows)
    table = load_table(lines, header=header)
    assert np.array_equal(table.data, data, equal_nan=True)


# name: rows, columns, columns of categories, missing values
TABLES = {
    "ENB2012_data": (768, 10, 0, 0),
    "ETTh1": (17420, 8, 1, 0),
    "ETTh2": (17420, 8, 1, 0),
    "abalone": (4177, 9, 1, 0),
    "adult-test": (16281, 15, 9, 2203),
    "adult-train": (32561, 15, 9, 4262),
    "airline-passengers": (144, 2, 1, 0),
    "auto-insurance": (63, 2, 0, 0),
    "banknote_authentication": (1372, 5, 0, 0),
    "california_housing": (20640, 10, 1, 207),
    "daily-min-temperatures": (3650, 2, 1, 0),
    "housing": (506, 14, 0, 0),
    "iris": (150, 5, 1, 0),
    "monthly-sunspots": (2820, 2, 1, 0),
    "pima-indians-diabetes": (768, 9, 0, 0),
    "pollution": (43824, 13, 1, 2067),
    "shampoo": (36, 2, 1, 0),
    "sonar": (208, 61, 1, 0),
    "winequality-red": (1599, 12, 0, 0),
    "winequality-white": (4898, 12, 0, 0),
}


@pytest.mark.parametrize("name", TABLES)
def test_table_real(name):
    table = load_table(real("tabular", f"{name}.csv"))
    assert (*table.data.shape, len(table.categories), np.isnan(table.data).sum()) == TABLES[name]


def test_table_real_train_and_test():
    """The test set in the codes of the training set, of which it lacks a country and whose labels it ends with a dot."""
    train = load_table(real("tabular", "adult-train.csv"))
    test = load_table(real("tabular", "adult-test.csv"), categories=train.categories, aliases={"<=50K.": "<=50K", ">50K.": ">50K"})
    assert test.categories == train.categories
    assert (train.split(-1)[1] == 1).sum() == 7841
    assert (test.split(-1)[1] == 1).sum() == 3846
