"""The grid of matrix products as a picture: how often fastopt fits into the time of NumPy's matmul, a square for each k."""

import math

from figure import FONT, GROUND, INK, dark
from networks import GOAL

from fastopt.bench.products import SIZES

CELL, GAP, LEFT, TOP, PANELS = 32, 44, 34, 40, 4  # pixels; squares in a row
LEGEND = ("time of NumPy's matmul", "/ time of fastopt's gemm,", "a (m, k) times b (k, n),", f"float32; framed: under {GOAL}")


def colour(ratio):
    """White at 1, blue where we are faster, red where we are slower, full at a factor of 4."""
    depth = max(-1.0, min(1.0, math.log(ratio, 4)))
    strong = (33, 102, 172) if depth > 0 else (178, 24, 43)
    return "#" + "".join(f"{round(255 + (s - 255) * abs(depth)):02x}" for s in strong)


def picture(ratios):
    """SVG; ratios: {(m, k, n): time of NumPy / time of fastopt}. Cells under the goal have a frame."""
    side, rows = CELL * len(SIZES), -(-len(SIZES) // PANELS)
    width = PANELS * (LEFT + side) + GAP
    height = rows * (TOP + side + GAP) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-size="11" '
        f'text-anchor="middle" style="fill: {INK[0]}">',
        f"<style>text{{font-family: {FONT}}}{dark()}</style>",
        f'<rect width="100%" height="100%" style="fill: {GROUND[0]}"/>',
    ]
    frames = []

    def text(x, y, what, more=""):
        parts.append(f'<text x="{x}" y="{y}"{more}>{what}</text>')

    for panel, k in enumerate(SIZES):
        left, top = LEFT + 8 + panel % PANELS * (LEFT + side), TOP + panel // PANELS * (TOP + side + GAP)
        text(left + side / 2, top - 12, f"k = {k}", ' font-size="14"')
        for i, size in enumerate(SIZES):
            text(left + i * CELL + CELL / 2, top + side + 14, size)
            text(left - 4, top + i * CELL + CELL / 2 + 4, size, ' text-anchor="end"')
        text(left + side / 2, top + side + 30, "n")
        text(left - 4, top - 6, "m", ' text-anchor="end"')
        for i, m in enumerate(SIZES):
            for j, n in enumerate(SIZES):
                ratio = ratios[m, k, n]
                x, y, box = left + j * CELL, top + i * CELL, f'width="{CELL}" height="{CELL}"'
                parts.append(f'<rect x="{x}" y="{y}" {box} fill="{colour(ratio)}"/>')
                deep = abs(math.log(ratio, 4)) > 0.6
                number = f"{ratio:.{2 if ratio < 1 else 1 if ratio < 10 else 0}f}"
                text(x + CELL / 2, y + CELL / 2 + 4, number, f' fill="{"white" if deep else "black"}"')
                if ratio < GOAL:
                    frames.append(f'<rect x="{x}" y="{y}" {box} fill="none" stroke="black" stroke-width="2"/>')
    for i, words in enumerate(LEGEND):
        text(width - GAP, top + side / 2 + 18 * (i - len(LEGEND) / 2), words, ' font-size="14" text-anchor="end"')
    return "\n".join([*parts, *frames, "</svg>\n"])
