"""The table that model.summary() prints."""

from .sequential import Sequential


def table(model, line_length=None):
    """The summary as text: a row per layer, then the numbers of parameters and their size."""
    branches = not isinstance(model, Sequential) and model.graph is not None
    header = ["Layer (type)", "Output Shape", "Param #"] + ["Connected to"] * branches
    rows = [_row(model, layer, branches) for layer in model.layers]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    if line_length is not None:
        widths[0] = max(widths[0] + line_length - sum(widths) - 3 * len(widths) - 1, 4)
    line = lambda cells: "│ " + " │ ".join(
        f"{cell[:width]:>{width}}" if i == 2 else f"{cell[:width]:{width}}" for i, (cell, width) in enumerate(zip(cells, widths))
    ) + " │"  # fmt: skip
    rule = lambda left, middle, right: left + middle.join("─" * (width + 2) for width in widths) + right
    weights = model.weights
    trained = {id(weight) for weight in model.trainable_weights}
    counts = [sum(weight.value.size for weight in group) for group in (
        weights, [w for w in weights if id(w) in trained], [w for w in weights if id(w) not in trained])]  # fmt: skip
    size = 8 if model.dtype == "float64" else 4
    return "\n".join([
        f'Model: "{model.name}"',
        rule("┌", "┬", "┐"), line(header), rule("├", "┼", "┤"), *map(line, rows), rule("└", "┴", "┘"),
        *(f" {what} params: {n:,} ({_bytes(n * size)})" for what, n in zip(("Total", "Trainable", "Non-trainable"), counts)),
    ])  # fmt: skip


def _row(model, layer, branches):
    nodes = [] if model.graph is None else [node for node in _nodes(model) if node.layer is layer]
    shape = str(nodes[0].outputs[0].shape) if nodes else "?"
    if len(nodes) and len(nodes[0].outputs) > 1:
        shape = ", ".join(str(tensor.shape) for tensor in nodes[0].outputs)
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    sources = ", ".join(dict.fromkeys(_reference(tensor) for node in nodes for tensor in node.inputs)) or "-"
    return [f"{layer.name} ({layer.kind})", shape, count] + [sources] * branches


def _nodes(model):
    return [*(tensor.node for tensor in model.graph.inputs), *model.graph.nodes]


def _reference(tensor):
    """The call that yields a tensor, as layer[number of the call][number of the result]."""
    nodes = tensor.node.layer._nodes
    return f"{tensor.node.layer.name}[{nodes.index(tensor.node)}][{tensor.index}]"


def _bytes(size):
    for unit in "B", "KB", "MB":
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} GB"
