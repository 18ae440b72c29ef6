"""Where the files of a data set are: in a folder, or in its subfolder of the set's name."""

import os
from pathlib import Path


def find(owner, folder, names, subfolder, forms, note=""):
    """The paths of the files `names`, in `folder` or its subfolder; forms(name): how a file may be called, the best first.

    folder: None takes the one in the environment variable FASTOPT_DATA. note: said behind the names in errors. Raises
    FileNotFoundError that names what is missing.
    """
    given = folder if folder is not None else os.environ.get("FASTOPT_DATA")
    if not given:
        raise FileNotFoundError(
            f"{owner}: no folder given and FASTOPT_DATA not set; pass the folder that holds {', '.join(names)}{note}"
        )
    places = [Path(os.fsdecode(given)), Path(os.fsdecode(given)) / subfolder]
    found = [[_first(place, forms(name)) for name in names] for place in places]
    paths = max(found, key=lambda paths: sum(path is not None for path in paths))
    if None in paths:
        missing = ", ".join(name for name, path in zip(names, paths) if path is None)
        raise FileNotFoundError(f"{owner}: {missing}{note} not found in {str(places[0])!r} nor in its subfolder {subfolder!r}")
    return paths


def _first(folder, names):
    """The first of these files that is there, or None."""
    return next((folder / name for name in names if (folder / name).is_file()), None)
