"""Characters and text files: numbers by hand, round trips, refusals, and the plays."""

import numpy as np
from expected import equal, real, refused, written
from hypothesis import given
from hypothesis import strategies as st

from fastopt.data import Characters, load_text


def test_by_hand():
    characters = Characters("to be\n")
    assert str(characters) == "\n beot"
    assert len(characters) == 6
    assert equal(characters.encode("bob\n"), np.array([2, 4, 2, 0], np.int32))
    assert characters.decode([[5, 4], [1, 2]]) == "to b"
    assert characters.encode("").shape == (0,)
    assert characters.decode([]) == ""
    assert characters.decode(np.array([3.0])) == "e"


@given(st.text(min_size=1))
def test_round_trip(text):
    characters = Characters(text)
    assert characters.decode(characters.encode(text)) == text
    assert str(characters) == "".join(sorted(set(text)))


def test_refused():
    refused(ValueError, ["Characters", "empty"], Characters, "")
    refused(ValueError, ["Characters.encode", "'x' at 2", "2 characters"], Characters("ab").encode, "abx")
    refused(ValueError, ["'A' at 0"], Characters("ab").encode, "A")
    refused(ValueError, ["Characters.decode", "-1 to 0", "0 to 1"], Characters("ab").decode, [0, -1])
    refused(ValueError, ["0 to 2"], Characters("ab").decode, [0, 2])


def test_files(tmp_path):
    path = written(tmp_path, "é\r\nb\n".encode())
    assert load_text(path) == "é\nb\n"
    assert load_text(str(written(tmp_path, b"\xe9")), "latin-1") == "é"
    refused(ValueError, ["load_text", "file", "UTF-8", "encoding="], load_text, written(tmp_path, b"abc\xe9"))


def test_the_plays():
    text = load_text(real("tinyshakespeare", "input.txt"))
    characters = Characters(text)
    assert (len(text), len(characters)) == (1115394, 65)
    assert characters.decode(characters.encode(text)) == text
    assert text.startswith("First Citizen:\nBefore we proceed")
