"""What the tests of fastopt.data share: refusals, equality to the bit, files written and real."""

import os
from pathlib import Path

import numpy as np
import pytest

FOLDER = os.environ.get("FASTOPT_DATA")
COLUMNS = np.array([[1.0, 10, 5], [2, 10, 5], [6, 10, 8]])  # means 3, 10, 6; variances 14/3, 0, 2


def refused(error, words, function, *args, **kwargs):
    """function(*args, **kwargs) raises `error` with all these words in its message."""
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    missing = [word for word in words if word not in str(caught.value)]
    assert not missing, f"{missing} not in {caught.value}"


def real(*parts):
    """A real file, or the test is skipped."""
    if not FOLDER:
        pytest.skip("FASTOPT_DATA is not set")
    path = Path(FOLDER, *parts)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def equal(a, b):
    """Same dtype, shape and bits, NaN included."""
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def written(tmp_path, content, name="file"):
    path = tmp_path / name
    path.write_bytes(content)
    return path
