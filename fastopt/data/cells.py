"""A CSV file as rows of cells, its delimiter and its header found by looking."""

import csv
import io
import os

from ..files import opened

DELIMITERS = "\t;,"  # in the order of trying: a comma may also be a decimal one


def rows_of(path, delimiter=None):
    """(label, rows, numbers) of the file `path`, or of an iterable of lines.

    label: what to call it in errors; rows: lists of stripped cells, all of one length; numbers: the line on which each row ends.
    Raises ValueError where it is empty, ragged or no text.
    """
    label, lines = _lines(path)
    if delimiter is None:
        delimiter = next((character for character in DELIMITERS if _parts_evenly(lines, character)), ",")
    elif not isinstance(delimiter, str) or len(delimiter) != 1:
        raise ValueError(f"load_table: delimiter must be one character, got {delimiter!r}")
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
    rows, numbers = [], []
    try:
        for row in reader:
            row = [cell.strip() for cell in row]
            if len(row) <= 1 and not any(row):  # a blank line
                continue
            if rows and len(row) != len(rows[0]):
                raise ValueError(f"load_table: {label}, line {reader.line_num} has {len(row)} cells, expected {len(rows[0])}")
            rows.append(row)
            numbers.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"load_table: {label}, line {reader.line_num}: {error}") from None
    if not rows:
        raise ValueError(f"load_table: {label} is empty")
    return label, rows, numbers


def is_header(rows, missing):
    """Whether the first row has names only, no number or missing value, and a later row has a number."""
    names = [cell for cell in rows[0] if cell]  # an index is often left without one
    if not names or any(cell in missing or number(cell) is not None for cell in names):
        return False
    return any(number(cell) is not None for row in rows[1:] for cell in row)


def number(cell):
    """The number a cell holds, or None. Python's underscores are none of a table's."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None


def _lines(path):
    if not isinstance(path, (str, bytes, os.PathLike)):
        return repr(getattr(path, "name", "the text")), list(path)
    label = repr(os.fsdecode(path))
    with opened("load_table", path) as file:
        content = file.read()
    try:
        return label, list(io.StringIO(content.decode("utf-8-sig"), newline=""))  # line ends are the reader's to judge
    except UnicodeDecodeError as error:
        raise ValueError(f"load_table: {label} is no UTF-8 text ({error}); pass open(path, encoding=...)") from None


def _parts_evenly(lines, delimiter):
    """Whether it parts the first rows into equally many cells, more than one."""
    sample = [line for line in lines[:50] if line.strip()][:20]
    try:
        lengths = {len(row) for row in csv.reader(sample, delimiter=delimiter, skipinitialspace=True)}
    except csv.Error:
        return False
    return len(lengths) == 1 and lengths != {1}
