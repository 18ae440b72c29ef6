"""Tables of numbers and categories in CSV files, as one array of float64."""

import math
import operator
from typing import Any, NamedTuple

import numpy as np

from .cells import is_header, number, rows_of

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null")
MOST_CATEGORIES = 1000  # of a column as one-hot


class Table(NamedTuple):
    """What load_table returns: data float64 (rows, columns), the names of the columns, and the values of those of categories.

    Where `categories` has a list for a column, data holds positions in it, or, one-hot, a column "name=value" for each entry.
    """

    data: Any
    names: list
    categories: dict

    def select(self, *columns):
        """The columns named (or given by position, negative from the end), in that order: float64 (rows, columns), a copy.

        A column of categories that became one-hot is named as in the file and gives all its columns.
        """
        return self.data[:, self._positions(columns)]

    def split(self, *targets):
        """(x, y): y the target columns as in select, (rows,) where it is one column; x the other columns (rows, columns)."""
        if not targets:
            raise TypeError("Table.split: no target given, expected names or positions of columns")
        chosen = self._positions(targets)
        y = self.data[:, chosen]
        return np.delete(self.data, chosen, axis=1), y[:, 0] if len(chosen) == 1 else y

    def _positions(self, columns):
        positions = []
        for column in columns:
            if column not in self.names and column in self.categories:
                positions += [self.names.index(f"{column}={value}") for value in self.categories[column]]
            else:
                positions.append(_position("Table", column, self.names))
        return positions


def load_table(path, *, delimiter=None, header=None, missing=MISSING, drop=(), one_hot=(), categories=None, aliases=None):
    """The CSV file `path` (or an open text file) as a Table; quoted cells, Windows line ends and blank lines are understood.

    delimiter: a character; None finds tab, semicolon or comma.
    header: whether the first row names the columns; None: it does if it holds no number and a later row does. Without names,
        columns are called "0", "1", ...
    missing: the cells that mean a missing value, NaN in the data.
    drop: names or positions of columns to leave out.
    one_hot: names or positions of columns of categories to spread over a column of 0 and 1 for each value (missing: NaN in all of
        them), or True for all such columns. Others become positions in the sorted list of their values.
    categories: a dict column -> its values in the order wanted, as `Table.categories` of another file: a test set is read with the
        values of its training set, and one unknown there is refused. An empty list finds the values, also where they are numbers.
    aliases: a dict cell -> cell to read instead.

    A column whose known cells are all numbers is numeric, one without any number is of categories; a mixture raises ValueError
    naming line and cell, to be settled by `missing`, `aliases`, `drop` or `categories`. So do rows of different lengths.

    >>> table = load_table(["size;kind;price", "3;old;1.5", "?;new;2.5"])
    >>> table.names, table.categories
    (['size', 'kind', 'price'], {'kind': ['new', 'old']})
    >>> x, y = table.split("price")
    >>> x.tolist(), y.tolist()
    ([[3.0, 1.0], [nan, 0.0]], [1.5, 2.5])
    """
    label, rows, numbers = rows_of(path, delimiter)
    aliases, missing = aliases or {}, frozenset([missing] if isinstance(missing, str) else missing)
    rows = [[aliases.get(cell, cell) for cell in row] for row in rows] if aliases else rows
    names = [str(j) for j in range(len(rows[0]))]
    if is_header(rows, missing) if header is None else header:
        names, rows, numbers = [name or str(j) for j, name in enumerate(rows[0])], rows[1:], numbers[1:]
        twice = [name for j, name in enumerate(names) if name in names[:j]]
        if twice:
            raise ValueError(f"load_table: {label} has two columns {twice[0]!r}; with header=False they are numbered")
    if not rows:
        raise ValueError(f"load_table: {label} has a header, but no rows")
    dropped = {_position("load_table: drop", column, names) for column in _several(drop)}
    spread = set() if one_hot is True else {_position("load_table: one_hot", column, names) for column in _several(one_hot)}
    given = {_position("load_table: categories", column, names): list(values) for column, values in (categories or {}).items()}

    columns, titles, found = [], [], {}
    for j, (name, cells) in enumerate(zip(names, zip(*rows))):
        if j in dropped:
            continue
        column = None if j in given else _numeric(cells, missing, f"{label}, column {name!r}", numbers)
        if column is None:
            found[name] = given.get(j) or sorted({cell for cell in cells if cell not in missing})
            column = _codes(cells, missing, found[name], f"{label}, column {name!r}", numbers)
        if j in spread or (one_hot is True and name in found):
            columns += _spread(column, found.get(name), f"{label}, column {name!r}")
            titles += [f"{name}={value}" for value in found[name]]
        else:
            columns.append(column)
            titles.append(name)
    if not columns:
        raise ValueError(f"load_table: every column of {label} is dropped")
    return Table(np.stack(columns, axis=1), titles, found)


def _numeric(cells, missing, place, numbers):
    """A column of numbers as float64, or None where no cell is one."""
    column = [math.nan if cell in missing else number(cell) for cell in cells]
    if None not in column:
        return np.array(column)
    if all(value is None or math.isnan(value) for value in column):
        return None
    i = column.index(None)
    raise ValueError(f"load_table: {place}, line {numbers[i]} holds {cells[i]!r}, where other rows hold numbers")


def _codes(cells, missing, values, place, numbers):
    """Positions among values as float64, NaN where missing."""
    code = dict.fromkeys(missing, math.nan) | {value: float(k) for k, value in enumerate(values)}
    column = [code.get(cell) for cell in cells]
    if None in column:
        i = column.index(None)
        raise ValueError(
            f"load_table: {place}, line {numbers[i]} holds {cells[i]!r}, expected one of {', '.join(map(repr, values))}"
        )
    return np.array(column)


def _spread(codes, values, place):
    """A column of 0 and 1 for each of the values, NaN where the code is."""
    if not values:
        raise ValueError(f"load_table: one_hot: {place} is numeric; name it in categories to spread it")
    if len(values) > MOST_CATEGORIES:
        raise ValueError(f"load_table: one_hot: {place} has {len(values)} values, expected at most {MOST_CATEGORIES}; drop it")
    return [np.where(np.isnan(codes), math.nan, codes == k) for k in range(len(values))]


def _several(columns):
    return [columns] if isinstance(columns, (str, int)) and not isinstance(columns, bool) else list(columns or ())


def _position(owner, column, names):
    """A column's position from its name, or from its position, which may count from the end."""
    if isinstance(column, str) and column in names:
        return names.index(column)
    try:
        return range(len(names))[operator.index(column)]
    except (TypeError, IndexError):
        raise ValueError(f"{owner}: no column {column!r}, expected one of {', '.join(names)} or a position") from None
