"""Which implementation runs: the compiled module, or with FASTOPT_BACKEND=reference the NumPy definitions; never by itself."""

import os

from . import threads

NAME = os.environ.get("FASTOPT_BACKEND") or "compiled"

if NAME == "compiled":
    try:
        from . import _core as core
    except ImportError as error:
        raise ImportError(
            f"fastopt: the compiled module fastopt._core does not load ({error}). Install the package, `pip install .` in its "
            "checkout, and start Python in another folder; or set FASTOPT_BACKEND=reference to run on the definitions, slowly."
        ) from error
elif NAME == "reference":
    from .reference import core  # type: ignore[no-redef]
else:
    raise ImportError(f"fastopt: FASTOPT_BACKEND is {NAME!r}, expected 'compiled' or 'reference'")

core.start(threads.default_count())
