"""Data to try things on, files to read, and what to do to samples before training. Nothing is ever downloaded.

`load_digits` comes with fastopt; `load_idx`, `load_mnist`, `load_table`, `load_imdb` and `load_text` read files; `train_test_split`
and `k_fold` part samples; `Standardizer`, `MinMaxScaler` and `Imputer` remember what they learnt from a training set; `one_hot`
encodes labels; `Tokenizer` and `Characters` make numbers of text, `pad_sequences` and `BatchesByLength` batches of sequences.
"""

from .characters import Characters, load_text
from .digits import load_digits
from .encode import inverse_one_hot, one_hot
from .idx import load_idx, load_mnist, save_idx
from .imdb import imdb_word_index, load_imdb
from .impute import Imputer, fill_missing
from .lengths import BatchesByLength
from .scale import MinMaxScaler, Standardizer
from .sequences import pad_sequences
from .split import k_fold, train_test_split
from .table import Table, load_table
from .tokenizer import Tokenizer, tokenizer_from_json

__all__ = ["BatchesByLength", "Characters", "Imputer", "MinMaxScaler", "Standardizer", "Table", "Tokenizer", "fill_missing",
           "imdb_word_index", "inverse_one_hot", "k_fold", "load_digits", "load_idx", "load_imdb", "load_mnist", "load_table",
           "load_text", "one_hot", "pad_sequences", "save_idx", "tokenizer_from_json", "train_test_split"]  # fmt: skip
