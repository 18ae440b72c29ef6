"""The pictures of optimizers, recurrent layers and whole networks; each takes the runs of one file of results."""

from figure import GRID, GROUND, INK, MUTED, colour, headline, new, note, plain, svg
from results import by_name, machine

from fastopt.bench import NETWORKS, RECURRENT, ROWS, best_torch, human
from fastopt.bench.recurrent import GATES

TITLES = {"Gradient descent": "SGD", "SGD with momentum": "SGD, momentum", "Growth": "Adam"}
WHERE = "fastopt {version}, {isa}, {num_threads} threads; NumPy {numpy}"
DECADES = [10**k for k in range(2, 9)]
PEERS = ("torch", "NumPy", "scikit-learn", "Keras on torch")


def times_of(seconds):
    """A contestant's time by its plain name; torch's is that of its best."""
    torch = best_torch(seconds)
    return seconds | ({"torch": torch[1]} if torch else {})


def factor(value):
    return f"{value:.{1 if value < 10 else 0}f}×"


def optimizers(runs):
    """Time per parameter against size: Adam large, the others small beside it, on the same axes.

    Returns the SVG, None where there is nothing to draw, and the rows that are missing; so do the others.
    """
    rows = [row for row in ROWS if len(row.shapes) == 1 and row.table not in ("Others", "Clipping", "Subnormal moments")]
    results = by_name(runs, "row")
    panels = {}
    for row in rows:
        if row.id in results:
            title = TITLES.get(row.table, row.optimizer)
            panels.setdefault(title, {})[row.parameters] = times_of(results[row.id]["seconds"])
    if not panels:
        return None, rows
    first = next(iter(panels))
    columns = -(-(len(panels) - 1) // 2)
    figure = new(4.6)
    cells = figure.add_gridspec(2, 2 + columns, left=0.05, right=0.985, top=0.86, bottom=0.15, hspace=0.42, wspace=0.2)
    large = figure.add_subplot(cells[:, :2])
    for place, (title, times) in enumerate(panels.items(), start=-1):
        small = title != first
        axes = large
        if small:
            axes = figure.add_subplot(cells[place // columns, 2 + place % columns], sharex=large, sharey=large)
            axes.tick_params(labelleft=False, labelbottom=place + columns >= len(panels) - 1, labelsize=7.5)
        growth(axes, title, dict(sorted(times.items())), small)
    low, high = (extreme(axes.dataLim.intervaly[i] for axes in figure.axes) for i, extreme in enumerate((min, max)))
    powers = [10.0**k for k in range(-3, 6) if low / 3 < 10.0**k < high * 4]
    plain(large.xaxis, DECADES[::2], ["100", "10 k", "1 M", "100 M"])
    plain(large.yaxis, powers, [f"{power:g}" for power in powers])
    large.set(xlim=(35, 3e8), ylim=(low / 3, high * 4))  # room for the numbers below and the names above
    headline(figure, "Nanoseconds per parameter for one optimizer step")
    note(figure, f"One float32 array of the size below; lower is faster; numbers: torch's time over ours. {machine(runs, WHERE)}.")
    return svg(figure), [row for row in rows if row.id not in results]


def growth(axes, title, times, small):
    """One optimizer: a line for each contestant, its name where the line begins, and below ours how often it fits into torch's."""
    axes.set_title(title)
    axes.set(xscale="log", yscale="log")
    for name in ("NumPy", "torch", "fastopt"):
        at = [size for size in times if name in times[size]]
        if at:
            speed = [times[size][name] / size * 1e9 for size in at]
            width = 1.2 if name != "fastopt" else 1.8
            axes.plot(at, speed, color=colour(name), lw=width, marker="o", ms=3 if small else 4.5, mec=GROUND[0], mew=0.5)
            if not small:
                k, where = (-1, {"xytext": (4, 7), "ha": "right"}) if name == "NumPy" else (0, {"xytext": (7, 3)})
                axes.annotate(name, (at[k], speed[k]), textcoords="offset points", color=colour(name), weight="bold", **where)
    for size in {min(times), max(times)} if small else times:
        if "torch" in times[size] and (small or size in DECADES):
            theirs, ours = times[size]["torch"], times[size]["fastopt"]
            aside = -3 if size < 10**6 else 4  # of where the line comes from
            axes.annotate(factor(theirs / ours), (size, ours / size * 1e9), (aside, -7), textcoords="offset points",
                          ha="center", va="top", color=MUTED[0], fontsize=7.5)  # fmt: skip


def recurrent(runs):
    """GFLOP/s of each cell over the sizes, ours and torch's: training above, inference below."""
    rows = [row for row in RECURRENT if not row.ragged]
    results = by_name(runs, "layer")
    found = [row for row in rows if row.id in results]
    if not found:
        return None, rows
    sizes = list(dict.fromkeys(row.size for row in found))
    kinds = [kind for kind in (False, True) if any(row.inference is kind for row in found)]
    peak = sorted(results[row.id]["peak"] / 1e9 for row in found)[len(found) // 2]
    height = 1.05 + len(kinds) * (0.5 + 0.21 * len(sizes))
    figure = new(height)
    grid = figure.subplots(len(kinds), len(GATES), sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(left=0.205, right=0.975, top=1 - 0.65 / height, bottom=0.6 / height, hspace=0.22, wspace=0.06)
    for kind, line in zip(kinds, grid):
        for cell, axes in zip(GATES, line):
            here = {sizes.index(row.size): row for row in found if row.cell == cell and row.inference is kind}
            speeds(axes, {at: (row.flops, times_of(results[row.id]["seconds"])) for at, row in here.items()}, peak)
            axes.set_title(f"{cell}, {'inference' if kind else 'training'}")
    low, high = (extreme(axes.dataLim.intervalx[i] for axes in figure.axes) for i, extreme in enumerate((min, max)))
    powers = [10.0**k for k in range(-3, 6) if low / 3 < 10.0**k < high * 1.25]
    grid[0, 0].set(xscale="log", xlim=(low / 3, high * 1.25), ylim=(len(sizes) - 0.4, -0.9))
    plain(grid[0, 0].xaxis, powers, [f"{power:g}" for power in powers])
    plain(grid[0, 0].yaxis, range(len(sizes)), [f"{t} steps × {b}, {i} → {u}" for t, b, i, u in sizes])
    grid[0, 0].annotate("FMA peak", (peak, -0.9), (2, 3), textcoords="offset points", ha="right", color=MUTED[0], fontsize=7.5)
    headline(figure, "GFLOP/s of a recurrent layer")
    note(figure, f"Steps × batch, inputs → units; operations of the products over time; higher is faster. {machine(runs, WHERE)}.")
    return svg(figure), [row for row in rows if row.id not in results]


def speeds(axes, runs, peak):
    """A line for each size between two points, ours and torch's; runs: {place: (operations, times)}."""
    axes.grid(axis="y", visible=False)
    axes.axvline(peak, color=MUTED[0], lw=0.8, ls=(0, (4, 3)))
    for at, (operations, times) in runs.items():
        speed = {name: operations / times[name] / 1e9 for name in ("torch", "fastopt") if name in times}
        axes.plot(speed.values(), [at] * len(speed), color=GRID[0], lw=2.5, zorder=1)
        for name, x in speed.items():
            axes.plot(x, at, "o", ms=6, color=colour(name), mec=GROUND[0], mew=0.6)
            if at == min(runs):
                where = {"xytext": (0, 6), "ha": "center"} if name == "fastopt" else {"xytext": (-6, -3), "ha": "right"}
                axes.annotate(name, (x, at), textcoords="offset points", color=colour(name), weight="bold", fontsize=8, **where)


def networks(runs):
    """How often our time fits into each peer's: a row for each network, a column of bars for each peer."""
    results = by_name(runs, "row")
    rows = [row for row in NETWORKS if row.id in results]
    times = [times_of(results[row.id]["seconds"]) for row in rows]
    peers = [name for name in PEERS if any(name in seconds for seconds in times)]
    if not peers:
        return None, NETWORKS
    height = 1.1 + 0.34 * len(rows)
    figure = new(height)
    line = figure.subplots(1, len(peers), sharex=True, sharey=True, squeeze=False)[0]
    figure.subplots_adjust(left=0.395, right=0.96, top=1 - 0.75 / height, bottom=0.35 / height, wspace=0.14)
    for name, axes in zip(peers, line):
        axes.set_title(name, color=colour(name))
        axes.tick_params(left=False, bottom=False, labelbottom=False)
        axes.grid(visible=False)
        axes.spines["bottom"].set_visible(False)
        axes.axvline(1, color=MUTED[0], lw=0.8)
        for at, seconds in enumerate(times):
            if name in seconds:
                ratio = seconds[name] / seconds["fastopt"]
                axes.barh(at, ratio - 1, left=1, height=0.62, color=colour(name))
                axes.annotate(factor(ratio), (max(ratio, 1), at), (4, 0), textcoords="offset points", va="center_baseline")
    longest = max(seconds[name] / seconds["fastopt"] for seconds in times for name in peers if name in seconds)
    line[0].set(xscale="log", xlim=(0.7, 2 * longest), ylim=(len(rows) - 0.5, -0.5))
    plain(line[0].xaxis, [], [])
    kinds = {"Networks": "training", "Predictions": "prediction"}
    names = [f"{row.workload}, {kinds[row.table]}: {human(seconds['fastopt'])}" for row, seconds in zip(rows, times)]
    plain(line[0].yaxis, range(len(rows)), names)
    line[0].tick_params(axis="y", labelcolor=INK[0], labelsize=8.5)
    headline(figure, "The time of others as a multiple of ours, whole networks")
    note(figure, f"Behind each network our time; the bars' scale is logarithmic. {machine(runs, WHERE)}.")
    return svg(figure), [row for row in NETWORKS if row.id not in results]
