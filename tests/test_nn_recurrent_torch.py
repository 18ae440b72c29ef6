"""Weights in torch's layout: what torch computes with them is what the layers compute, both ways; gradients to 1e-10 in float64."""

import numpy as np
import pytest

from fastopt import nn

torch = pytest.importorskip("torch")
ROWS, STEPS, WIDTH, UNITS = 3, 5, 4, 6
KINDS = {
    "RNN": (torch.nn.RNN, {}, nn.SimpleRNN, {}),
    "RNN, relu": (torch.nn.RNN, dict(nonlinearity="relu"), nn.SimpleRNN, dict(activation="relu")),
    "LSTM": (torch.nn.LSTM, {}, nn.LSTM, {}),
    "LSTM, projection": (torch.nn.LSTM, dict(proj_size=2), nn.LSTM, dict(projection=2)),
    "GRU": (torch.nn.GRU, {}, nn.GRU, {}),
}
BIASES = "bias_ih_l0", "bias_hh_l0"


def module(kind, **more):
    torch.manual_seed(0)
    return kind(WIDTH, UNITS, batch_first=True, dtype=torch.float64, **more)


def layers(kind, options, **more):
    return kind(UNITS, return_sequences=True, return_state=True, dtype="float64", **options, **more)


def states(rng, layer, directions=1):
    sizes = layer.state_sizes[: len(layer.state_sizes) // directions]
    return [rng.standard_normal((directions, ROWS, n)) for n in sizes]


def torch_run(theirs, x, firsts):
    """Results and gradients of torch: y, final states (directions, B, H); of x, first states and weights, in torch's names."""
    inputs = [torch.tensor(a, requires_grad=True) for a in (x, *firsts)]
    y, finals = theirs(inputs[0], tuple(inputs[1:]) if len(firsts) > 1 else inputs[1])
    results = [y, *(finals if isinstance(finals, tuple) else (finals,))]
    dys = [torch.randn(part.shape, dtype=torch.float64) for part in results]
    theirs.zero_grad()
    sum((part * dy).sum() for part, dy in zip(results, dys)).backward()
    grads = {name: weight.grad.numpy() for name, weight in theirs.named_parameters()}
    return [part.detach().numpy() for part in results], [dy.numpy() for dy in dys], [a.grad.numpy() for a in inputs], grads


def near(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", KINDS)
def test_one_direction(name, rng):
    theirs, options, ours, mine = KINDS[name]
    theirs, layer = module(theirs, **options), layers(ours, mine)
    nn.import_torch_weights(layer, theirs)
    x, firsts = rng.standard_normal((ROWS, STEPS, WIDTH)), states(rng, layer)
    results, dys, slopes, grads = torch_run(theirs, x, firsts)
    got = layer.forward([x, *(state[0] for state in firsts)], training=True)
    near(got[0], results[0])
    for state, final in zip(got[1:], results[1:]):
        near(state, final[0])
    dx, *dstates = layer.backward([dys[0], *(dy[0] for dy in dys[1:])])
    near(dx, slopes[0])
    for state, slope in zip(dstates, slopes[1:]):
        near(state, slope[0])
    for weight in layer.weights:
        weight.value[...] = weight.grad
    for key, array in nn.export_torch_weights(layer).items():  # the gradients, renamed; a bias of torch's gets that of the sum
        near(array if key != "bias_hh_l0" or "GRU" in name else layer.bias, grads[key])


@pytest.mark.parametrize("name", KINDS)
def test_both_directions(name, rng):
    theirs, options, ours, mine = KINDS[name]
    theirs, layer = module(theirs, bidirectional=True, **options), nn.Bidirectional(layers(ours, mine))
    nn.utils.import_torch_weights(layer, theirs.state_dict())
    x, firsts = rng.standard_normal((ROWS, STEPS, WIDTH)), states(rng, layer, 2)
    results, dys, slopes, _ = torch_run(theirs, x, firsts)
    y, *finals = layer.forward([x, *(state[0] for state in firsts), *(state[1] for state in firsts)], training=True)
    near(y, results[0])
    for state, final in zip(finals, [part[i] for i in (0, 1) for part in results[1:]]):
        near(state, final)
    dx, *dstates = layer.backward([dys[0], *(dy[i] for i in (0, 1) for dy in dys[1:])])
    near(dx, slopes[0])
    for state, slope in zip(dstates, [part[i] for i in (0, 1) for part in slopes[1:]]):
        near(state, slope)


@pytest.mark.parametrize("name", KINDS)
def test_ragged_as_packed_sequences(name, rng):
    theirs, options, ours, mine = KINDS[name]
    theirs = module(theirs, bidirectional=True, **options)
    layer = nn.Bidirectional(layers(ours, mine))
    nn.import_torch_weights(layer, theirs)
    x, lengths = rng.standard_normal((ROWS, STEPS, WIDTH)), np.array([3, 5, 1])
    packed = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), lengths, batch_first=True, enforce_sorted=False)
    y, finals = theirs(packed)
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True)
    finals = finals if isinstance(finals, tuple) else (finals,)
    mask = np.arange(STEPS) < lengths[:, None]
    got, *got_finals = layer.forward(x, mask=mask)
    near(got, y.detach().numpy())
    for state, final in zip(got_finals, [part[i] for i in (0, 1) for part in finals]):
        near(state, final.detach().numpy())
    shifted = np.zeros_like(x)  # the same sequences, padded on the left
    shifted[~(~mask)[:, ::-1]] = x[mask]
    left, *_ = layer.forward(shifted, mask=mask[:, ::-1])
    near(left[mask[:, ::-1]], got[mask])


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_export(name, bias, rng):
    theirs, options, ours, mine = KINDS[name]
    layer = nn.Bidirectional(layers(ours, mine, use_bias=bias))
    layer.build((None, None, WIDTH))
    layer.set_weights([rng.standard_normal(weight.shape) for weight in layer.weights])
    exported = nn.export_torch_weights(layer)
    theirs = module(theirs, bidirectional=True, bias=bias, **options)
    theirs.load_state_dict({key: torch.from_numpy(array) for key, array in exported.items()})
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    near(layer.forward(x)[0], theirs(torch.tensor(x))[0].detach().numpy())
    other = nn.Bidirectional(layers(ours, mine, use_bias=bias))
    nn.import_torch_weights(other, exported)
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), layer.get_weights(), strict=True))


def test_layers_of_a_stack_by_index_and_prefix(rng):
    torch.manual_seed(0)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = torch.nn.GRU(WIDTH, UNITS, num_layers=2, batch_first=True, bidirectional=True, dtype=torch.float64)

        def forward(self, x):
            return self.encoder(x)[0]

    net = Net()
    model = nn.Sequential([nn.Input((None, WIDTH)), *(nn.Bidirectional(nn.GRU(UNITS, return_sequences=True)) for _ in range(2))],
                          dtype="float64")  # fmt: skip
    for i, layer in enumerate(model.layers):
        nn.import_torch_weights(layer, net, i, prefix="encoder.")
    x = rng.standard_normal((ROWS, STEPS, WIDTH))
    near(model.predict(x, verbose=0), net(torch.tensor(x)).detach().numpy())
    exported = [nn.export_torch_weights(layer, i, prefix="encoder.") for i, layer in enumerate(model.layers)]
    assert exported[0].keys() | exported[1].keys() == net.state_dict().keys()
    backward = nn.GRU(UNITS, dtype="float64", go_backwards=True)
    nn.import_torch_weights(backward, net, prefix="encoder.", reverse=True)
    near(backward.kernel, model.layers[0].backward_layer.kernel)
    assert nn.export_torch_weights(backward, reverse=True).keys() == {
        f"{key}_l0_reverse" for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }


def test_errors(rng):
    weights = {key: array.detach().numpy() for key, array in module(torch.nn.LSTM).state_dict().items()}
    layer = nn.LSTM(UNITS)
    layer.build((None, None, WIDTH))
    before = layer.get_weights()
    with pytest.raises(KeyError, match="'weight_ih_l1' is missing; there are 'weight_ih_l0'"):
        nn.import_torch_weights(layer, weights, 1)
    with pytest.raises(KeyError, match="'bias_hh_l0' is missing"):
        nn.import_torch_weights(layer, {key: array for key, array in weights.items() if key != "bias_hh_l0"})
    with pytest.raises(ValueError, match=r"weight_hh_l0 has shape \(24, 5\), expected \(24, 6\) for layer"):
        nn.import_torch_weights(layer, weights | {"weight_hh_l0": np.ones((24, 5))})
    with pytest.raises(ValueError, match=r"weight_ih_l0 has shape \(24, 4\), expected \(18, 4\)"):
        nn.import_torch_weights(unbuilt := nn.GRU(UNITS), weights)
    assert not unbuilt.built
    with pytest.raises(ValueError, match="use_bias=False, but the biases given are not 0"):
        nn.import_torch_weights(nn.LSTM(UNITS, use_bias=False), weights)
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights()))
    with pytest.raises(ValueError, match="reset_after=False, which torch"):
        nn.import_torch_weights(nn.GRU(UNITS, reset_after=False), weights)
    for option in dict(peepholes=True), dict(clip=1), dict(input_forget=True):
        with pytest.raises(ValueError, match=f"has {next(iter(option))}, which torch.nn.LSTM has not"):
            nn.import_torch_weights(nn.LSTM(UNITS, **option), weights)
    with pytest.raises(TypeError, match="expected SimpleRNN, LSTM, GRU or Bidirectional"):
        nn.import_torch_weights(nn.Dense(2), weights)
    with pytest.raises(ValueError, match="has no weights yet"):
        nn.export_torch_weights(nn.LSTM(2))


def test_weights_without_bias_leave_it_at_zero():
    weights = {key: array for key, array in module(torch.nn.LSTM).state_dict().items() if key not in BIASES}
    layer = nn.LSTM(UNITS)
    nn.import_torch_weights(layer, weights)
    assert not layer.bias.any()
