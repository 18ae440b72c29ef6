"""Files that are whole or not there: written beside their place, synced, renamed into it."""

import json
import os
import secrets

import numpy as np


def target(path):
    """Where a path leads: through a link, to what it points at."""
    return os.path.realpath(os.fsdecode(path))


def write(path, header, arrays, plain):
    """An .npz without pickle at exactly `path`: named arrays, and a header as JSON; `plain` is for what json does not know."""
    arrays = arrays | {"header": np.frombuffer(json.dumps(header, default=plain).encode(), np.uint8)}
    path = target(path)
    folder = os.path.dirname(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"{path!r} is a folder, expected the path of a file")
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {folder!r} to write {path!r} in")
    beside = os.path.join(folder, f"{secrets.token_hex(8)}.part")
    try:
        with open(beside, "xb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise
