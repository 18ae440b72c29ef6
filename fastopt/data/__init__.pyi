from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

__all__ = [
    "BatchesByLength",
    "Characters",
    "Imputer",
    "MinMaxScaler",
    "Standardizer",
    "Table",
    "Tokenizer",
    "fill_missing",
    "imdb_word_index",
    "inverse_one_hot",
    "k_fold",
    "load_digits",
    "load_idx",
    "load_imdb",
    "load_mnist",
    "load_table",
    "load_text",
    "one_hot",
    "pad_sequences",
    "save_idx",
    "tokenizer_from_json",
    "train_test_split",
]

_Path = str | PathLike[str]
_Seed = int | np.random.Generator | None
_Set = tuple[NDArray[np.uint8], NDArray[np.uint8]]
_Reviews = tuple[list[NDArray[np.int32]], NDArray[np.int64]]

class BatchesByLength:
    x: list[NDArray[Any]]
    y: Any
    sample_weight: Any
    batch_size: int
    shuffle: bool
    pool: int | None
    def __init__(
        self,
        x: Iterable[ArrayLike],
        y: Any = None,
        batch_size: int = 32,
        *,
        sample_weight: Any = None,
        seed: _Seed = None,
        shuffle: bool = True,
        pool: int | None = 50,
    ) -> None: ...
    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> tuple[Any, ...]: ...
    def __iter__(self) -> Iterator[tuple[Any, ...]]: ...
    def on_epoch_end(self) -> None: ...

class Characters:
    def __init__(self, text: str) -> None: ...
    def __len__(self) -> int: ...
    def encode(self, text: str) -> NDArray[np.int32]: ...
    def decode(self, numbers: ArrayLike) -> str: ...

class _Fitted:
    SETTINGS: tuple[str, ...]
    STATISTICS: tuple[str, ...]
    def fit(self, x: ArrayLike) -> Self: ...
    def transform(self, x: ArrayLike) -> NDArray[Any]: ...
    def fit_transform(self, x: ArrayLike) -> NDArray[Any]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...

class Imputer(_Fitted):
    strategy: str
    value: float | None
    fill: NDArray[np.float64]
    def __init__(self, strategy: str = "mean", value: float | None = None) -> None: ...

class _Scaler(_Fitted):
    def inverse_transform(self, x: ArrayLike) -> NDArray[Any]: ...

class MinMaxScaler(_Scaler):
    feature_range: tuple[float, float]
    axis: int | None
    min: NDArray[np.float64]
    max: NDArray[np.float64]
    def __init__(self, feature_range: tuple[float, float] = (0, 1), axis: int | None = 0) -> None: ...

class Standardizer(_Scaler):
    axis: int | None
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    def __init__(self, axis: int | None = 0) -> None: ...

class Table(NamedTuple):
    data: NDArray[np.float64]
    names: list[str]
    categories: dict[str, list[Any]]
    def select(self, *columns: str | int) -> NDArray[np.float64]: ...
    def split(self, *targets: str | int) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...

class Tokenizer:
    num_words: int | None
    filters: str
    lower: bool
    split: str
    char_level: bool
    oov_token: str | None
    document_count: int
    word_counts: dict[str, int]
    word_docs: dict[str, int]
    index_docs: dict[int, int]
    word_index: dict[str, int]
    index_word: dict[int, str]
    def __init__(
        self,
        num_words: int | None = None,
        filters: str = ...,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
    ) -> None: ...
    def fit_on_texts(self, texts: Iterable[str | Sequence[str]]) -> None: ...
    def fit_on_sequences(self, sequences: Iterable[ArrayLike]) -> None: ...
    def texts_to_sequences(self, texts: Iterable[str | Sequence[str]]) -> list[list[int]]: ...
    def sequences_to_texts(self, sequences: Iterable[ArrayLike]) -> list[str]: ...
    def texts_to_matrix(self, texts: Iterable[str | Sequence[str]], mode: str = "binary") -> NDArray[np.float64]: ...
    def sequences_to_matrix(self, sequences: Sequence[ArrayLike], mode: str = "binary") -> NDArray[np.float64]: ...
    def get_config(self) -> dict[str, Any]: ...
    def to_json(self, **options: Any) -> str: ...

def fill_missing(x: ArrayLike, strategy: str = "mean", value: float | None = None) -> NDArray[Any]: ...
def imdb_word_index(path: _Path | None = None) -> dict[str, int]: ...
def inverse_one_hot(rows: ArrayLike, classes: Any = None) -> NDArray[Any]: ...
def k_fold(
    n: int, folds: int = 5, *, shuffle: bool = True, stratify: ArrayLike | None = None, seed: _Seed = None
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]: ...
def load_digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]: ...
def load_idx(path: _Path) -> NDArray[Any]: ...
def load_imdb(
    folder: _Path | None = None, num_words: int | None = 10000, maxlen: int | None = None, *, shuffle: bool = True, seed: _Seed = 0
) -> tuple[_Reviews, _Reviews]: ...
def load_mnist(folder: _Path | None = None) -> tuple[_Set, _Set]: ...
def load_table(
    path: _Path | Iterable[str],
    *,
    delimiter: str | None = None,
    header: bool | None = None,
    missing: str | Iterable[str] = ...,
    drop: str | int | Iterable[str | int] = (),
    one_hot: bool | str | int | Iterable[str | int] = (),
    categories: Mapping[Any, Iterable[Any]] | None = None,
    aliases: Mapping[str, str] | None = None,
) -> Table: ...
def load_text(path: _Path, encoding: str = "utf-8") -> str: ...
def one_hot(labels: ArrayLike, classes: Any = None, dtype: DTypeLike = ...) -> NDArray[Any]: ...
def pad_sequences(
    sequences: Iterable[Any],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> NDArray[Any]: ...
def save_idx(path: _Path, array: NDArray[Any]) -> None: ...
def tokenizer_from_json(json_string: str) -> Tokenizer: ...
def train_test_split(
    *arrays: Any,
    test_size: float | None = None,
    train_size: float | None = None,
    shuffle: bool = True,
    stratify: ArrayLike | None = None,
    seed: _Seed = None,
) -> list[Any]: ...
