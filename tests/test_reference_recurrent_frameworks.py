"""Torch judges the definitions of the recurrent kernels, in float64, and Keras their conventions, where they are installed."""

import os

import numpy as np
import pytest

from fastopt.reference import gru, lstm, rnn

SHAPES = [(1, 1, 1, 1), (3, 5, 2, 7), (5, 4, 9, 3), (2, 9, 17, 5)]  # B, T, I, H
LENGTHS = {"full": lambda n, t, rng: None, "ragged": lambda n, t, rng: rng.integers(1, t + 1, n)}  # torch knows no length of 0
NEAR = dict(rtol=1e-10, atol=1e-10)


def arrays(rng, shape, gates, biases=1, outputs=None):
    n, steps, inputs, units = shape
    outputs = outputs or units
    shapes = dict(x=(n, steps, inputs), kernel=(inputs, gates * units), recurrent_kernel=(outputs, gates * units),
                  bias=(gates * units,) if biases == 1 else (biases, gates * units), h0=(n, outputs))  # fmt: skip
    return {name: rng.standard_normal(s) / np.sqrt(s[-2] if name.endswith("kernel") else 1) for name, s in shapes.items()}


def turned(x, lengths, torch):
    """Each sequence back to front, what is beyond its end left in place."""
    time = torch.arange(x.shape[1])
    ends = torch.full((len(x),), x.shape[1]) if lengths is None else torch.as_tensor(lengths)
    at = torch.where(time < ends[:, None], ends[:, None] - 1 - time, time)
    return torch.gather(x, 1, at[..., None].expand(x.shape))


def through_torch(torch, net, weights, x, states, lengths, reverse):
    """y, padded, and the final states of a layer of torch with these weights."""
    pack, pad = torch.nn.utils.rnn.pack_padded_sequence, torch.nn.utils.rnn.pad_packed_sequence
    x = turned(x, lengths, torch) if reverse else x
    steps = x.shape[1]
    x = x if lengths is None else pack(x, torch.as_tensor(lengths), batch_first=True, enforce_sorted=False)
    states = tuple(s[None] for s in states)
    y, final = torch.func.functional_call(net, weights, (x, states if len(states) > 1 else states[0]))
    y = y if lengths is None else pad(y, batch_first=True, total_length=steps)[0]
    y = turned(y, lengths, torch) if reverse else y
    return y, [s[0] for s in (final if isinstance(final, tuple) else (final,))]


def to_torch_gates(w, torch):
    """Columns z, r, h to r, z, n."""
    z, r, h = torch.chunk(w, 3, -1)
    return torch.cat([r, z, h], -1)


def weights_of(kernel, t, torch):
    """The parameters of torch's layer as functions of ours."""
    if kernel == "gru":
        t = t | {n: to_torch_gates(t[n], torch) for n in ("kernel", "recurrent_kernel", "bias")}
    b_in, b_rec = t["bias"] if kernel == "gru" else (t["bias"], torch.zeros_like(t["bias"]))
    weights = {"weight_ih_l0": t["kernel"].T, "weight_hh_l0": t["recurrent_kernel"].T, "bias_ih_l0": b_in, "bias_hh_l0": b_rec}
    return weights | ({"weight_hr_l0": t["projection"].T} if "projection" in t else {})


TORCH = {
    "rnn, tanh": (rnn, "RNN", {}, {}),
    "rnn, relu": (rnn, "RNN", dict(activation="relu"), dict(nonlinearity="relu")),
    "lstm": (lstm, "LSTM", {}, {}),
    "lstm, projection": (lstm, "LSTM", {}, dict(proj_size=2)),
    "gru": (gru, "GRU", {}, {}),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("ragged", LENGTHS)
@pytest.mark.parametrize("label", TORCH)
def test_torch_agrees(label, ragged, reverse, shape, rng):
    torch = pytest.importorskip("torch")
    module, name, options, theirs = TORCH[label]
    kernel, gates = name.lower(), {"RNN": 1, "LSTM": 4, "GRU": 3}[name]
    n, steps, inputs, units = shape
    if theirs.get("proj_size", 0) >= units:
        units = 4
    shape = (n, steps, inputs, units)
    a = arrays(rng, shape, gates, 2 if name == "GRU" else 1, theirs.get("proj_size"))
    a |= {"c0": rng.standard_normal((n, units))} if name == "LSTM" else {}
    a |= {"projection": rng.standard_normal((units, 2)) / 2} if "proj_size" in theirs else {}
    lengths = LENGTHS[ragged](n, steps, rng)

    t = {k: torch.tensor(v, requires_grad=True) for k, v in a.items()}
    net = getattr(torch.nn, name)(inputs, units, batch_first=True, dtype=torch.float64, **theirs)
    states = [t[s] for s in ("h0", "c0") if s in t]
    want_y, want_final = through_torch(torch, net, weights_of(kernel, t, torch), t["x"], states, lengths, reverse)

    *got, saved = getattr(module, f"{kernel}_forward")(**a, **options, lengths=lengths, reverse=reverse)
    for g, w in zip(got, (want_y, *want_final)):
        np.testing.assert_allclose(g, w.detach(), **NEAR)
    incoming = [rng.standard_normal(g.shape) for g in got]
    sum((torch.tensor(d) * w).sum() for d, w in zip(incoming, (want_y, *want_final))).backward()
    gradients = getattr(module, f"{kernel}_backward")(*incoming, saved)
    names = ["x", "kernel", "recurrent_kernel", "bias", *(s for s in ("h0", "c0") if s in a)]
    names += ["peepholes", "projection"] if "projection" in a else []
    assert len(gradients) == len(names)
    for argument, g in zip(names, gradients):
        if argument != "peepholes":
            np.testing.assert_allclose(g, t[argument].grad, **NEAR, err_msg=argument)


KERAS = {
    "rnn": (rnn, "SimpleRNN", {}),
    "rnn, relu": (rnn, "SimpleRNN", dict(activation="relu")),
    "lstm": (lstm, "LSTM", {}),
    "lstm, other activations": (lstm, "LSTM", dict(activation="elu", recurrent_activation="hard_sigmoid")),
    "gru, reset after": (gru, "GRU", dict(reset_after=True)),
    "gru, reset before": (gru, "GRU", dict(reset_after=False)),
    "gru, other activations": (gru, "GRU", dict(reset_after=False, activation="softsign", recurrent_activation="tanh")),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ragged", LENGTHS)
@pytest.mark.parametrize("label", KERAS)
def test_keras_agrees(label, ragged, rng):
    """Order of gates, shapes of weights, activations, the place of the reset; lengths as masks. Keras multiplies in float32."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    module, name, options = KERAS[label]
    kernel = {"SimpleRNN": "rnn"}.get(name, name.lower())
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kernel]
    a = arrays(rng, (3, 5, 2, 4), gates, 2 if kernel == "gru" and options["reset_after"] else 1)
    a |= {"c0": rng.standard_normal((3, 4))} if kernel == "lstm" else {}
    lengths = LENGTHS[ragged](3, 5, rng)
    layer = getattr(keras.layers, name)(4, return_sequences=True, return_state=True, **options)
    layer.build((3, 5, 2))
    weights = [a[n] for n in ("kernel", "recurrent_kernel", "bias")]
    assert [tuple(w.shape) for w in layer.weights] == [w.shape for w in weights]
    layer.set_weights(weights)
    mask = None if lengths is None else np.arange(5) < lengths[:, None]
    want = layer(a["x"], initial_state=[a[s] for s in ("h0", "c0") if s in a], mask=mask)
    want = [keras.ops.convert_to_numpy(w) for w in want]
    if mask is not None:
        want[0] = np.where(mask[..., None], want[0], 0)  # where Keras repeats the last output
    *got, _ = getattr(module, f"{kernel}_forward")(**a, **options, lengths=lengths)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        np.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-5)
