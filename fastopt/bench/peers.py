"""Who else takes a step: torch in its fused, foreach and plain forms at one thread and at all, NumPy as it is written by hand,
scikit-learn's private optimizers. What is not installed does not race."""

import functools
import importlib.util
import os

import numpy as np

import fastopt

FUSED = ("Adam", "AdamW", "SGD", "Adagrad")  # torch fuses these on the CPU


def installed(name):
    return importlib.util.find_spec(name) is not None


def torch_counts(work):
    """torch at one thread and at all: name -> (preparation, work)."""
    import torch

    return {
        f"torch, {n} thread{'s' * (n > 1)}": (functools.partial(torch.set_num_threads, n), work)
        for n in sorted({1, os.cpu_count() or 1})
    }


def ours(name, params, grads, options, step_options=None):
    """fastopt, under the entry that every race has."""
    step = getattr(fastopt, name)(params, **options).step
    return {"fastopt": functools.partial(step, grads, **(step_options or {}))}


def torch(name, params, grads, options, clip_norm=None):
    """torch.optim's step in each form that it has, on the same memory."""
    if not installed("torch") or not hasattr(__import__("torch").optim, name):
        return {}
    import torch

    tensors = [torch.from_numpy(p) for p in params]
    for tensor, grad in zip(tensors, grads):
        tensor.requires_grad_()
        tensor.grad = torch.from_numpy(grad)
    contestants = {}
    for form in ("fused",) if name in FUSED else ("foreach", "plain"):
        opt = getattr(torch.optim, name)(
            tensors, **options, **({"fused": True} if form == "fused" else {"foreach": form == "foreach"})
        )

        def work(opt=opt):
            if clip_norm is not None:
                torch.nn.utils.clip_grad_norm_(tensors, clip_norm)
            opt.step()

        for threads in sorted({1, os.cpu_count() or 1}):
            contestants[f"torch {form}, {threads} thread{'s' * (threads > 1)}"] = (
                functools.partial(torch.set_num_threads, threads),
                work,
            )
    return contestants


def numpy_adam(params, grads, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam as it stands in NumPy training code."""
    m, v, t = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params], 0

    def work():
        nonlocal t
        t += 1
        for i, (p, g) in enumerate(zip(params, grads)):
            m[i] = beta1 * m[i] + (1 - beta1) * g
            v[i] = beta2 * v[i] + (1 - beta2) * g**2
            p -= lr * (m[i] / (1 - beta1**t)) / (np.sqrt(v[i] / (1 - beta2**t)) + eps)

    return {"NumPy": work}


def numpy_sgd(params, grads, lr=1e-3):
    """Gradient descent as it stands in NumPy training code."""

    def work():
        for p, g in zip(params, grads):
            p -= lr * g

    return {"NumPy": work}


def sklearn_adam(params, grads):
    """scikit-learn's private Adam."""
    if not installed("sklearn"):
        return {}
    from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

    opt = AdamOptimizer(params)
    return {"scikit-learn": functools.partial(opt.update_params, params, grads)}


def faded(params):
    """Adam's moments decayed to subnormal numbers, gradients zero: a step as it is, and with flush_subnormals."""
    contestants = {}
    for name, flush in (("fastopt", True), ("subnormals kept", False)):
        opt = fastopt.Adam([p.copy() for p in params], flush_subnormals=flush)
        state = opt.state_dict()
        for moments in state["state"].values():
            moments.update(
                step=1000, exp_avg=np.full_like(moments["exp_avg"], 1e-41), exp_avg_sq=np.full_like(moments["exp_avg"], 1e-41)
            )
        opt.load_state_dict(state)
        contestants[name] = functools.partial(opt.step, [np.zeros_like(p) for p in params])
    return contestants


def triad(n):
    """a <- a + s b in place over n float32, by plain SGD and by torch: the machine's own limit for a step that moves 12 n bytes."""
    (a,), (b,) = [np.ones(n, np.float32)], [np.ones(n, np.float32)]
    contestants = {"triad": functools.partial(fastopt.SGD([a], lr=1e-9).step, [b])}
    if installed("torch"):
        import torch

        x, y = torch.from_numpy(a), torch.from_numpy(b)
        contestants["torch triad"] = (functools.partial(torch.set_num_threads, os.cpu_count() or 1), lambda: x.add_(y, alpha=1e-9))
    return contestants
