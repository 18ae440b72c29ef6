"""One update of a parameter by each rule, in plain NumPy: the definition of the kernels of the same names.

Every function changes `param` and its states in place and leaves `grad` alone. Arrays have one shape and dtype, float32 or float64;
a state that no option asks for may be None. `step` counts from 1. Arguments and defaults are torch.optim's where torch has them;
the others select the formulas of the other frameworks. What a step does to gradients beforehand: they are divided by
`grad_scale`, clipped to +-`clip_value` and multiplied by `clip_factor`. Then `maximize` turns their sign, and weight decay is
added.
"""

import math

import numpy as np

inf = math.inf


def gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor):
    """What the rule sees as the gradient. Decoupled weight decay shrinks `param` here, before the update."""
    g = np.clip(grad * (1 / grad_scale), -clip_value, clip_value) * clip_factor
    if maximize:
        g = -g
    if weight_decay and decoupled_weight_decay:
        param *= 1 - lr * weight_decay
    elif weight_decay:
        g = g + weight_decay * param
    return g


# fmt: off
def sgd(param, grad, momentum_buffer=None, *, step, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False,
        maximize=False, decoupled_weight_decay=False, velocity="sum", grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """Gradient descent with momentum (Polyak 1964), Nesterov's form (Sutskever et al. 2013).

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> p = np.array([1.0, 2.0])
    >>> kernels.sgd(p, np.array([1.0, -1.0]), step=1, lr=0.5)
    >>> p
    array([0.5, 2.5])

    Arrays and step: see fastopt.reference.optimizers; state, formulas and options: see fastopt.SGD.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    if not momentum:
        param -= lr * g
        return
    b = momentum_buffer
    if velocity == "sum":
        b[...] = momentum * b + (1 - dampening) * g if step > 1 else g
        param -= lr * (momentum * b + g if nesterov else b)
    elif velocity == "average":
        b[...] = momentum * b + (1 - momentum) * g
        param -= lr * (momentum * b + (1 - momentum) * g if nesterov else b)
    else:  # "step": the learning rate inside
        b[...] = momentum * b + lr * g
        param -= momentum * b + lr * g if nesterov else b


def adagrad(param, grad, sum, *, step, lr=1e-2, lr_decay=0.0, weight_decay=0.0, eps=1e-10, maximize=False,
            decoupled_weight_decay=False, eps_mode="outside", grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """AdaGrad (Duchi, Hazan & Singer 2011).

    Arrays and step: see fastopt.reference.optimizers; state, formulas and options: see fastopt.Adagrad.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    sum += g**2
    denominator = np.sqrt(sum + eps) if eps_mode == "inside" else np.sqrt(sum) + eps
    param -= lr / (1 + (step - 1) * lr_decay) * g / denominator


def rmsprop(param, grad, square_avg, grad_avg=None, momentum_buffer=None, *, step, lr=1e-2, alpha=0.99, eps=1e-8,
            weight_decay=0.0, momentum=0.0, centered=False, maximize=False, decoupled_weight_decay=False, eps_mode="outside",
            lr_in_momentum=False, grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """RMSprop (Tieleman & Hinton 2012), centered (Graves 2013): a variance that rounds below 0 counts as 0.

    Arrays and step: see fastopt.reference.optimizers; states, formulas and options: see fastopt.RMSprop.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    square_avg[...] = alpha * square_avg + (1 - alpha) * g**2
    size = square_avg
    if centered:
        grad_avg[...] = alpha * grad_avg + (1 - alpha) * g
        size = np.maximum(square_avg - grad_avg**2, 0)
    update = g / (np.sqrt(size + eps) if eps_mode == "inside" else np.sqrt(size) + eps)
    if not momentum:
        param -= lr * update
    elif lr_in_momentum:
        momentum_buffer[...] = momentum * momentum_buffer + lr * update
        param -= momentum_buffer
    else:
        momentum_buffer[...] = momentum * momentum_buffer + update
        param -= lr * momentum_buffer


def adadelta(param, grad, square_avg, acc_delta, *, step, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, maximize=False,
             decoupled_weight_decay=False, grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """AdaDelta (Zeiler 2012, Algorithm 1).

    Arrays and step: see fastopt.reference.optimizers; states, formulas and options: see fastopt.Adadelta.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    square_avg[...] = rho * square_avg + (1 - rho) * g**2
    update = np.sqrt(acc_delta + eps) / np.sqrt(square_avg + eps) * g
    acc_delta[...] = rho * acc_delta + (1 - rho) * update**2
    param -= lr * update


def adam(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq=None, *, step, lr=1e-3, betas=(0.9, 0.999), eps=1e-8,
         weight_decay=0.0, amsgrad=False, maximize=False, decoupled_weight_decay=False, bias_correction=True,
         eps_mode="outside", eps_root=0.0, amsgrad_max="raw", grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """Adam (Kingma & Ba 2015, Algorithm 1), AMSGrad (Reddi et al. 2018), AdamW (Loshchilov & Hutter 2019).

    >>> import numpy as np
    >>> from fastopt import kernels
    >>> p, m, v = np.ones(2), np.zeros(2), np.zeros(2)
    >>> kernels.adam(p, np.array([3.0, -0.5]), m, v, step=1, lr=0.1)
    >>> p.round(6)
    array([0.9, 1.1])

    Arrays and step: see fastopt.reference.optimizers; states, formulas and options: see fastopt.Adam.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    beta1, beta2 = betas
    c1, c2 = (1 - beta1**step, 1 - beta2**step) if bias_correction else (1.0, 1.0)
    exp_avg[...] = beta1 * exp_avg + (1 - beta1) * g
    exp_avg_sq[...] = beta2 * exp_avg_sq + (1 - beta2) * g**2
    size, c = exp_avg_sq, c2
    if amsgrad and amsgrad_max == "corrected":
        size, c = np.maximum(max_exp_avg_sq, exp_avg_sq / c2, out=max_exp_avg_sq), 1.0
    elif amsgrad:
        size = np.maximum(max_exp_avg_sq, exp_avg_sq, out=max_exp_avg_sq)
    if eps_mode == "outside":
        denominator = np.sqrt(size / c + eps_root) + eps
    elif eps_mode == "hat":
        denominator = (np.sqrt(size + eps_root) + eps) / math.sqrt(c)
    else:  # "inside"
        denominator = np.sqrt(size / c + eps)
    param -= lr / c1 * exp_avg / denominator


def adamax(param, grad, exp_avg, exp_inf, *, step, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, maximize=False,
           decoupled_weight_decay=False, eps_mode="max", grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """Adamax (Kingma & Ba 2015, Algorithm 2).

    Arrays and step: see fastopt.reference.optimizers; states, formulas and options: see fastopt.Adamax.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    beta1, beta2 = betas
    exp_avg[...] = beta1 * exp_avg + (1 - beta1) * g
    within, outside = (eps, 0.0) if eps_mode == "max" else (0.0, eps)
    exp_inf[...] = np.maximum(beta2 * exp_inf, np.abs(g) + within)
    param -= lr / (1 - beta1**step) * exp_avg / (exp_inf + outside)


def nadam_momentum(step, beta1, momentum_decay):
    """NAdam's mu at a step: beta1 (1 - 0.96^(step momentum_decay) / 2), or beta1 where there is no momentum_decay."""
    return beta1 if momentum_decay is None else beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))


def nadam(param, grad, exp_avg, exp_avg_sq, *, step, mu_product=1.0, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0,
          momentum_decay=4e-3, decoupled_weight_decay=False, maximize=False, grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """NAdam (Dozat 2016). mu_product is the product of mu_t over the steps before this one.

    Arrays and step: see fastopt.reference.optimizers; states, formulas and options: see fastopt.NAdam.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    beta1, beta2 = betas
    mu, mu_next = nadam_momentum(step, beta1, momentum_decay), nadam_momentum(step + 1, beta1, momentum_decay)
    product = mu_product * mu
    exp_avg[...] = beta1 * exp_avg + (1 - beta1) * g
    exp_avg_sq[...] = beta2 * exp_avg_sq + (1 - beta2) * g**2
    direction = (1 - mu) / (1 - product) * g + mu_next / (1 - product * mu_next) * exp_avg
    param -= lr * direction / (np.sqrt(exp_avg_sq / (1 - beta2**step)) + eps)


def radam(param, grad, exp_avg, exp_avg_sq, *, step, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0,
          decoupled_weight_decay=False, maximize=False, eps_mode="hat", threshold=5.0, grad_scale=1.0, clip_value=inf,
          clip_factor=1.0):
    """Rectified Adam (Liu et al. 2020, Algorithm 2).

    Arrays and step: see fastopt.reference.optimizers; states, formulas and options: see fastopt.RAdam.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    beta1, beta2 = betas
    c1, c2 = 1 - beta1**step, 1 - beta2**step
    exp_avg[...] = beta1 * exp_avg + (1 - beta1) * g
    exp_avg_sq[...] = beta2 * exp_avg_sq + (1 - beta2) * g**2
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * step * beta2**step / c2
    if rho <= threshold:
        param -= lr / c1 * exp_avg
        return
    r = math.sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))
    denominator = (np.sqrt(exp_avg_sq) + eps) / math.sqrt(c2) if eps_mode == "hat" else np.sqrt(exp_avg_sq / c2) + eps
    param -= lr * r / c1 * exp_avg / denominator


def lion(param, grad, exp_avg, *, step, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0, maximize=False,
         decoupled_weight_decay=True, grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """Lion (Chen et al. 2023, Algorithm 2).

    Arrays and step: see fastopt.reference.optimizers; state, formulas and options: see fastopt.Lion.
    """
    g = gradient(param, grad, lr, weight_decay, decoupled_weight_decay, maximize, grad_scale, clip_value, clip_factor)
    beta1, beta2 = betas
    param -= lr * np.sign(beta1 * exp_avg + (1 - beta1) * g)
    exp_avg[...] = beta2 * exp_avg + (1 - beta2) * g


def rprop(param, grad, prev, step_size, *, step, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0), maximize=False,
          clamp_unchanged=True, delayed=False, grad_scale=1.0, clip_value=inf, clip_factor=1.0):
    """Rprop without backtracking (Riedmiller & Braun 1993; iRprop-, Igel & Huesken 2000). lr is step_size at the first step.

    Arrays and step: see fastopt.reference.optimizers; states, formulas and options: see fastopt.Rprop.
    """
    g = gradient(param, grad, lr, 0.0, False, maximize, grad_scale, clip_value, clip_factor)
    turn = np.sign(g * prev)
    eta = np.where(turn > 0, etas[1], np.where(turn < 0, etas[0], 1)) + 0 * turn  # NaN stays
    size = (step_size if step > 1 else np.full_like(step_size, lr)) * eta
    clipped = np.clip(size, *step_sizes)
    step_size[...] = clipped if clamp_unchanged else np.where(turn == 0, size, clipped)
    g = np.where(turn < 0, 0, g)
    move = step_size * np.sign(g)
    if delayed:
        param -= np.where(turn < 0, 0, prev)
        prev[...] = move
    else:
        param -= move
        prev[...] = g


def ema(average, param, *, decay):
    """average <- decay average + (1 - decay) param, in place (Polyak & Juditsky 1992, with a fixed horizon); decay in [0, 1]."""
    average[...] = decay * average + (1 - decay) * param
# fmt: on
