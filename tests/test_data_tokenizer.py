"""Tokenizer: integers worked by hand, Keras's own on random texts, JSON in both directions, refusals."""

import json
import os

import numpy as np
import pytest
from expected import refused
from hypothesis import given, settings
from hypothesis import strategies as st

from fastopt.data import Tokenizer, tokenizer_from_json
from fastopt.nn.preprocessing.text import text_to_word_sequence

TEXTS = ["The cat sat on the mat.", "The DOG sat!", "a cat, a dog & a fish\tswim"]
RANKS = {"the": 1, "a": 2, "cat": 3, "sat": 4, "dog": 5, "on": 6, "mat": 7, "fish": 8, "swim": 9}


@pytest.fixture
def keras_text():
    if os.environ.get("KERAS_BACKEND") != "torch":
        pytest.skip("KERAS_BACKEND=torch is not set")
    pytest.importorskip("keras")
    return pytest.importorskip("keras.src.legacy.preprocessing.text")


def fitted(*args, **options):
    tokenizer = Tokenizer(*args, **options)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


def test_by_hand():
    tokenizer = fitted()
    assert tokenizer.word_index == RANKS
    assert tokenizer.index_word == {rank: word for word, rank in RANKS.items()}
    assert tokenizer.document_count == 3
    assert list(tokenizer.word_counts.items())[:5] == [("the", 3), ("cat", 2), ("sat", 2), ("on", 1), ("mat", 1)]
    assert tokenizer.word_docs == {"the": 2, "cat": 2, "sat": 2, "on": 1, "mat": 1, "dog": 2, "a": 1, "fish": 1, "swim": 1}
    assert tokenizer.index_docs[1] == 2
    assert tokenizer.texts_to_sequences(["the fish sat", "no such words", ""]) == [[1, 8, 4], [], []]
    assert tokenizer.sequences_to_texts([[1, 8, 4], [99], np.array([2])]) == ["the fish sat", "", "a"]


def test_few_words_and_a_token_for_others():
    few, other = fitted(4), fitted(num_words=4, oov_token="<oov>")
    assert few.word_index == RANKS  # all of them, as in Keras
    assert few.texts_to_sequences(["a dog on the cat"]) == [[2, 1, 3]]
    assert other.word_index == {"<oov>": 1} | {word: rank + 1 for word, rank in RANKS.items()}
    assert other.texts_to_sequences(["a dog on the cat, zebra"]) == [[3, 1, 1, 2, 1, 1]]
    assert other.sequences_to_texts([[3, 1, 7, 2]]) == ["a <oov> <oov> the"]


def test_a_token_that_is_a_word_keeps_its_number():
    tokenizer = Tokenizer(oov_token="the")
    tokenizer.fit_on_texts(["a a the b"])
    assert tokenizer.word_index == {"the": 1, "a": 2, "b": 3}
    assert tokenizer.texts_to_sequences(["b x the"]) == [[3, 1, 1]]


def test_parting():
    assert text_to_word_sequence("It's-an\nEXAMPLE  (été)") == ["it's", "an", "example", "été"]
    assert text_to_word_sequence("A-b,c", filters="-", lower=False, split=",") == ["A", "b", "c"]
    assert text_to_word_sequence("a#b c", filters="#", split="##") == ["a", "b c"]
    tokenizer = Tokenizer(char_level=True, lower=False)
    tokenizer.fit_on_texts(["Abba!"])
    assert tokenizer.word_index == {"b": 1, "A": 2, "a": 3, "!": 4}
    words = Tokenizer()
    words.fit_on_texts([["Two Words", "x"], ("x", "Y")])
    assert words.word_index == {"x": 1, "two words": 2, "y": 3}


def test_texts_may_come_from_a_generator_and_in_parts():
    tokenizer = Tokenizer()
    for text in TEXTS:
        tokenizer.fit_on_texts(part for part in [text])
    assert vars(tokenizer) == vars(fitted())


def test_matrix_by_hand():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["b b a", "b c"])  # b 1, a 2, c 3
    texts = ["b b a x", ""]
    assert tokenizer.texts_to_matrix(texts).tolist() == [[0, 1, 1, 0], [0] * 4]
    assert tokenizer.texts_to_matrix(texts, "count").tolist() == [[0, 2, 1, 0], [0] * 4]
    assert tokenizer.texts_to_matrix(texts, mode="freq").tolist() == [[0, 2 / 3, 1 / 3, 0], [0] * 4]
    found = tokenizer.texts_to_matrix(texts, mode="tfidf")
    np.testing.assert_allclose(found, [[0, (1 + np.log(2)) * np.log(1 + 2 / 3), np.log(2), 0], [0] * 4], rtol=1e-15)
    assert Tokenizer(3).sequences_to_matrix([[1, 5, 1]], "count").tolist() == [[0, 2, 0]]
    counted = Tokenizer(2)
    counted.fit_on_sequences([[1, 1, 0], np.array([0])])
    assert (counted.document_count, counted.index_docs) == (2, {1: 1, 0: 2})
    np.testing.assert_allclose(counted.sequences_to_matrix([[1]], "tfidf"), [[0, np.log(2)]], rtol=1e-15)


def same(ours, theirs, texts):
    assert ours.word_index == theirs.word_index
    assert ours.index_word == theirs.index_word
    assert ours.document_count == theirs.document_count
    assert ours.word_counts == dict(theirs.word_counts)
    assert ours.word_docs == dict(theirs.word_docs)
    assert ours.index_docs == dict(theirs.index_docs)
    sequences = theirs.texts_to_sequences(texts)
    assert ours.texts_to_sequences(texts) == sequences
    assert ours.sequences_to_texts(sequences) == theirs.sequences_to_texts(sequences)
    for mode in ("binary", "count", "freq", "tfidf"):
        np.testing.assert_allclose(ours.texts_to_matrix(texts, mode), theirs.texts_to_matrix(texts, mode), rtol=1e-15)


WORDS = st.lists(st.sampled_from(["a", "B", "Bc", "été", "it's", "x-y", "!", "\t", "  ", "Z"]), max_size=9).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=6).filter(lambda texts: any("a" in text for text in texts)),
    st.lists(WORDS, max_size=4),
    st.fixed_dictionaries(
        {
            "num_words": st.sampled_from([None, 2, 4, 50]),
            "lower": st.booleans(),
            "char_level": st.booleans(),
            "oov_token": st.sampled_from([None, "<?>"]),
            "filters": st.sampled_from(["", "-!"]),
        }
    ),
)
def test_against_keras(texts, others, options):
    if os.environ.get("KERAS_BACKEND") != "torch":
        pytest.skip("KERAS_BACKEND=torch is not set")
    theirs = pytest.importorskip("keras.src.legacy.preprocessing.text").Tokenizer(**options)
    ours = Tokenizer(**options)
    for tokenizer in (ours, theirs):
        tokenizer.fit_on_texts(texts)
    same(ours, theirs, texts + others)


def test_json_goes_both_ways(keras_text):
    ours = fitted(5, oov_token="<oov>")
    same(ours, keras_text.tokenizer_from_json(ours.to_json()), TEXTS)
    theirs = keras_text.Tokenizer(oov_token="?", char_level=True)
    theirs.fit_on_texts(TEXTS)
    same(tokenizer_from_json(theirs.to_json()), theirs, TEXTS)


def test_json_round_trip():
    tokenizer = fitted(5, filters=".", lower=False, split="|", oov_token="<oov>")
    again = tokenizer_from_json(tokenizer.to_json(indent=1))
    assert vars(again) == vars(tokenizer)
    assert list(again.word_counts) == list(tokenizer.word_counts)
    again.fit_on_texts(["on on on on on"])
    assert again.word_index["<oov>"] == 1


def test_refused():
    for wrong in (-1, 2.5, True, "10"):
        refused(ValueError, ["Tokenizer", "num_words", repr(wrong)], Tokenizer, wrong)
    refused(ValueError, ["Tokenizer", "split", "''"], Tokenizer, split="")
    refused(TypeError, ["Tokenizer.fit_on_texts", "single str", "list of texts"], Tokenizer().fit_on_texts, "a text")
    refused(TypeError, ["texts_to_sequences", "single str"], fitted().texts_to_sequences, "a text")
    refused(ValueError, ["oov_token '?'", "fit_on_texts first"], Tokenizer(oov_token="?").texts_to_sequences, ["a"])
    refused(ValueError, ["oov_token '?'"], Tokenizer(oov_token="?").sequences_to_texts, [[1]])
    refused(ValueError, ["sequences_to_matrix", "num_words"], Tokenizer().texts_to_matrix, ["a"])
    refused(ValueError, ["'tfidf'", "fit_on_texts"], Tokenizer(5).texts_to_matrix, ["a"], "tfidf")
    refused(ValueError, ["mode", "binary, count, freq, tfidf", "'tf'"], fitted().texts_to_matrix, ["a"], "tf")
    refused(ValueError, ["sequence 1 holds -1"], fitted().sequences_to_matrix, [[1], [2, -1]])


def test_a_text_that_is_none_changes_nothing():
    for texts in (["fine", None], ["fine", 3.0], ["fine", b"bytes"], ["fine", ["a", 1]]):
        tokenizer = fitted()
        refused(TypeError, ["fit_on_texts", "text 1", type(texts[1]).__name__, "list of strings"], tokenizer.fit_on_texts, texts)
        assert vars(tokenizer) == vars(fitted())


@pytest.mark.parametrize("what", ["", "{}", "[]", "null", '{"config": {"num_words": 3}}', "cut"])
def test_json_refused(what):
    text = fitted().to_json()
    refused(ValueError, ["tokenizer_from_json", "to_json"], tokenizer_from_json, text[:-9] if what == "cut" else what)
    config = json.loads(text)["config"] | {"more": 1}
    refused(ValueError, ["tokenizer_from_json", "more"], tokenizer_from_json, json.dumps({"config": config}))
