"""Pictures of what was learnt, where matplotlib is installed."""

from pathlib import Path


def figure(rows, columns, size):
    """(a figure, its axes (rows, columns)) of matplotlib, `size` inches; None, None where it is not installed, which is said."""
    try:
        from matplotlib.figure import Figure  # draws without a display
    except ImportError:
        print('No picture: matplotlib is not installed; pip install "fastopt[plot]" or pip install matplotlib brings it.')
        return None, None
    drawing = Figure(size, layout="constrained")
    return drawing, drawing.subplots(rows, columns, squeeze=False)


def save(drawing, output, name):
    """Writes the figure as `name` into the folder `output`."""
    path = Path(output) / name
    drawing.savefig(path, dpi=120)
    print(f"Picture: {path}")
