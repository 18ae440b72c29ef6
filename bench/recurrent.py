"""The texts of the README on recurrent layers."""

import math

from cells import against, against_torch, held, line, ratio, table

from fastopt.bench import SENTIMENT, best_torch, human
from fastopt.bench.recurrent import GATES, RECURRENT

GOALS = {"LSTM": 2.2, "GRU": 6, "RNN": 5}  # geometric means over torch, in training
INFERENCE, RAGGED, OF_PEAK = 2, 0.6, 0.7


def mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def recurrent(runs):
    """{name of a table: its text}: training and inference of each cell, ragged batches, a network."""
    by_id = {run["layer"]: run for run in runs if "layer" in run}
    rows = [row for row in RECURRENT if row.id in by_id]
    texts, inference = {}, []
    for cell in GATES:
        training = [row for row in rows if row.cell == cell and not row.inference and not row.ragged]
        if training:
            texts[f"{cell} training"] = trained(cell, training, by_id)
    for row in rows:
        if row.inference:
            seconds = by_id[row.id]["seconds"]
            inference.append((row, seconds, best_torch(seconds)))
    if inference:
        lines = [table("layer", "size", "fastopt", "torch, its best", "which", "ratio")]
        lines += [line([row.cell, row.workload, human(s["fastopt"]), *against_torch(s, None)]) for row, s, _ in inference]
        if all(torch for *_, torch in inference):
            lines += ["", f"Geometric mean: {ratio(mean(t[1] / s['fastopt'] for _, s, t in inference), INFERENCE)}."]
        texts["Recurrent inference"] = "\n".join(lines)
    ragged = [(row, by_id[row.id]["seconds"]) for row in rows if row.ragged]
    if ragged:
        lines = [table("LSTM, lengths uniform in 1 .. T", "fastopt", "of the padded time", "torch, packed", "which", "ratio")]
        for row, seconds in ragged:
            part = seconds["fastopt"] / seconds["fastopt, padded"]
            cells = [human(seconds["fastopt"]), held(f"{part:.2f}", f"under {RAGGED}", part < RAGGED)]
            lines.append(line([row.workload, *cells, *against_torch(seconds, row.goal)]))
        texts["Ragged"] = "\n".join(lines)
    networks = [(row, by_id[row.id]["seconds"]) for row in SENTIMENT if row.id in by_id]
    if networks:
        lines = [table("network", "fastopt", "torch, its best", "which", "ratio", "Keras on torch", "ratio")]
        for row, seconds in networks:
            cells = [human(seconds["fastopt"]), *against_torch(seconds, row.goal), *against(seconds, "Keras on torch")]
            lines.append(line([row.workload, *cells]))
        texts["Sentiment"] = "\n".join(lines)
    return texts


def trained(cell, rows, by_id):
    lines, ratios = [table(f"{cell}", "fastopt", "of the FMA peak", "torch, its best", "which", "ratio")], []
    for row in rows:
        run = by_id[row.id]
        seconds, share = run["seconds"], row.flops / run["seconds"]["fastopt"] / run["peak"]
        goal = row.size[3] >= 256 and row.size[1] >= 32
        of_peak = held(f"{share:.0%}", f"{OF_PEAK:.0%}", share >= OF_PEAK) if goal else f"{share:.0%}"
        lines.append(line([row.workload, human(seconds["fastopt"]), of_peak, *against_torch(seconds, row.goal)]))
        if torch := best_torch(seconds):
            ratios.append(torch[1] / seconds["fastopt"])
    if len(ratios) == len(rows):
        lines += ["", f"Geometric mean: {ratio(mean(ratios), GOALS[cell])}."]
    return "\n".join(lines)
