"""Data to try things on, files to read, and what to do to samples before training. Nothing is ever downloaded.

`load_digits` comes with fastopt; `load_idx`, `load_mnist` and `load_table` read files; `train_test_split` and `k_fold` part
samples; `Standardizer`, `MinMaxScaler` and `Imputer` remember what they learnt from a training set; `one_hot` encodes labels.
"""

from .digits import load_digits
from .encode import inverse_one_hot, one_hot
from .idx import load_idx, load_mnist, save_idx
from .impute import Imputer, fill_missing
from .scale import MinMaxScaler, Standardizer
from .split import k_fold, train_test_split
from .table import Table, load_table

__all__ = ["Imputer", "MinMaxScaler", "Standardizer", "Table", "fill_missing", "inverse_one_hot", "k_fold", "load_digits",
           "load_idx", "load_mnist", "load_table", "one_hot", "save_idx", "train_test_split"]  # fmt: skip
