"""How the pictures look, and how they are kept: SVG with its text as text, in the colours of a light and of a dark page."""

import io
import re

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

# (on a light page, on a dark one); the contestants' after Okabe and Ito, told apart by those who do not see red or green
GROUND, INK, MUTED, GRID = ("#ffffff", "#0d1117"), ("#1f2328", "#e6edf3"), ("#59636e", "#9198a1"), ("#d8dee4", "#30363d")
COLOURS = {
    "fastopt": ("#0072b2", "#56b4e9"),
    "torch": ("#d55e00", "#ff8b3d"),
    "NumPy": ("#00805d", "#2fc79b"),
    "scikit-learn": ("#b0528a", "#e39ac4"),
    "Keras on torch": ("#946c00", "#e6b422"),
}
FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"  # matplotlib's, the widest of these, measures
STYLE = {
    "svg.fonttype": "none", "svg.hashsalt": "fastopt", "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK[0],
    "figure.facecolor": GROUND[0], "axes.facecolor": "none", "axes.edgecolor": GRID[0], "axes.labelcolor": MUTED[0],
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "axes.titlelocation": "left",
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.grid": True, "axes.axisbelow": True, "grid.color": GRID[0],
    "grid.linewidth": 0.6, "xtick.color": GRID[0], "ytick.color": GRID[0], "xtick.labelcolor": MUTED[0],
    "ytick.labelcolor": MUTED[0], "xtick.minor.visible": False, "ytick.minor.visible": False, "ytick.major.size": 0,
    "lines.solid_capstyle": "round",
}  # fmt: skip


def colour(name):
    """A contestant's, on a light page."""
    return COLOURS[name][0]


def new(height):
    """An empty figure, as wide as the column of a README; inches."""
    plt.rcParams.update(STYLE)
    return plt.figure(figsize=(10, height))


def headline(figure, text):
    """What is drawn, at the top."""
    figure.text(0.012, 1 - 0.07 / figure.get_figheight(), text, weight="bold", fontsize=12, va="top")


def note(figure, text):
    """A line at the foot."""
    figure.text(0.012, 0.012, text, color=MUTED[0], fontsize=7.5, va="bottom")


def plain(axis, ticks, labels):
    """These ticks alone: a logarithmic axis makes others of its own."""
    axis.set_ticks(ticks, labels)
    axis.set_ticks([], minor=True)


def dark():
    """The style sheet that exchanges each colour where the reader's page is dark."""
    rules = [
        f'[style*="{what}: {light}"]{{{what}:{night}!important}}'
        for light, night in (GROUND, INK, MUTED, GRID, *COLOURS.values())
        for what in ("fill", "stroke")
    ]
    return "@media (prefers-color-scheme: dark){" + "".join(rules) + "}"


def svg(figure):
    """The figure's SVG, the same for the same numbers; what matplotlib notes for itself is left out."""
    file = io.StringIO()
    figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    plt.close(figure)
    text = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", file.getvalue(), flags=re.DOTALL)
    text = re.sub(r'(?<=<g) id="[^"]*"| transform="rotate\(-0 [^"]*"|font-family: [^;"]*; ', "", text)
    text = text.replace("</style>", f"text{{font-family: {FONT}}}{dark()}</style>", 1)
    text = re.sub("<[^>]+>", lambda tag: re.sub(r"(\d\.\d\d)\d+", r"\1", tag[0]), text)  # a hundredth of a point
    return re.sub(r"\s*\n\s*", "\n", text)
