"""The optimizers by name. Their options, presets and signatures come from the table in fastopt.optim.rules."""

from .optimizer import Optimizer


class SGD(Optimizer):
    """Gradient descent, with momentum (Polyak 1964) and Nesterov's form of it (Sutskever et al. 2013).

    >>> import numpy as np, fastopt
    >>> w = np.array([1.0, 2.0])
    >>> fastopt.SGD([w], lr=0.1).step([np.array([1.0, -1.0])])
    >>> w
    array([0.9, 2.1])

    p <- p - lr g, and with momentum, by `velocity`:

    "sum" (torch, optax)        b <- momentum b + (1 - dampening) g, at the first step b <- g;  p <- p - lr b
    "average" (textbook)        b <- momentum b + (1 - momentum) g;                             p <- p - lr b
    "step" (keras, sklearn)     b <- momentum b + lr g;                                         p <- p - b

    nesterov puts momentum b + g, momentum b + (1 - momentum) g, momentum b + lr g in the place of b in the last formula.
    lr >= 0, momentum >= 0; weight_decay >= 0 is added to the gradient, or with decoupled_weight_decay shrinks the parameter.
    State: momentum_buffer b. Further arguments and errors: see Optimizer.
    """


class Adagrad(Optimizer):
    """AdaGrad (Duchi, Hazan & Singer 2011): each rate falls with the root of the sum of its squared gradients.

    s <- s + g^2;  p <- p - lr / (1 + (t - 1) lr_decay) g / d

    eps_mode "outside" (torch, textbook)    d = sqrt(s) + eps
             "inside" (keras, optax)        d = sqrt(s + eps)

    initial_accumulator_value is the first s: 0, or 0.1 under keras and optax. State: sum s. Further arguments: see Optimizer.

    >>> import numpy as np, fastopt
    >>> w = np.array([1.0, 2.0])
    >>> fastopt.Adagrad([w], lr=0.1).step([np.array([4.0, -1.0])])
    >>> w.round(6)
    array([0.9, 2.1])
    """


class RMSprop(Optimizer):
    """RMSprop (Tieleman & Hinton 2012), centered (Graves 2013), with momentum.

    v <- alpha v + (1 - alpha) g^2;  w = v, or centered a <- alpha a + (1 - alpha) g and w = v - a^2 (0 where that rounds below)
    u = g / d;  p <- p - lr u, or with momentum b <- momentum b + u and p <- p - lr b
    lr_in_momentum (keras, optax): b <- momentum b + lr u and p <- p - b

    eps_mode "outside" (torch, textbook)    d = sqrt(w) + eps
             "inside" (keras, optax)        d = sqrt(w + eps)

    alpha in [0, 1] is Keras's rho, optax's decay. State: square_avg v, grad_avg a, momentum_buffer b. See Optimizer.

    >>> import numpy as np, fastopt
    >>> w = np.array([1.0, 2.0])
    >>> fastopt.RMSprop([w], lr=0.1, like="keras").step([np.array([4.0, -1.0])])
    >>> w.round(4)
    array([0.6838, 2.3162])
    """


class Adadelta(Optimizer):
    """AdaDelta (Zeiler 2012): the step is measured in the running size of the steps before.

    v <- rho v + (1 - rho) g^2;  u = sqrt(a + eps) / sqrt(v + eps) g;  a <- rho a + (1 - rho) u^2;  p <- p - lr u

    State: square_avg v, acc_delta a. Further arguments: see Optimizer.
    """


class Adam(Optimizer):
    """Adam (Kingma & Ba 2015) and AMSGrad (Reddi, Kale & Kumar 2018).

    >>> import numpy as np, fastopt
    >>> w, b = np.ones((3, 2), np.float32), np.zeros(2, np.float32)
    >>> opt = fastopt.Adam([w, b], lr=0.1)
    >>> opt.step([np.ones((3, 2), np.float32), None])       # in place; None skips b
    >>> w.round(3)[0], b
    (array([0.9, 0.9], dtype=float32), array([0., 0.], dtype=float32))

    m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;  p <- p - lr / c1 m / d
    with c1 = 1 - beta1^t, c2 = 1 - beta2^t, both 1 with bias_correction=False (textbook), and

    eps_mode "outside" (torch, optax)    d = sqrt(v / c2 + eps_root) + eps
             "hat" (keras, sklearn)      d = (sqrt(v) + eps) / sqrt(c2)
             "inside"                    d = sqrt(v / c2 + eps)

    amsgrad takes the largest v so far in place of v: of the raw ones (torch, keras), or with amsgrad_max="corrected" (optax) of
    v / c2. weight_decay >= 0 is added to the gradient (L2), or with decoupled_weight_decay (keras) shrinks the parameter.
    betas in [0, 1), eps >= 0. State: exp_avg m, exp_avg_sq v, max_exp_avg_sq. Further arguments and errors: see Optimizer.
    """


class AdamW(Optimizer):
    """AdamW (Loshchilov & Hutter 2019): Adam after p <- p (1 - lr weight_decay). Options, formulas and state: see Adam.

    >>> import numpy as np, fastopt
    >>> w = np.array([1.0, 2.0])
    >>> opt = fastopt.AdamW(w, lr=fastopt.schedules.Cosine(0.1, steps=100), weight_decay=0.5)
    >>> opt.step(np.array([3.0, 0.0]), clip_norm=1.0)
    >>> w.round(4), opt.last_step.grad_norm, opt.steps
    (array([0.85, 1.9 ]), 3.0, 1)
    """


class Adamax(Optimizer):
    """Adamax (Kingma & Ba 2015, Algorithm 2): Adam with the infinity norm.

    m <- beta1 m + (1 - beta1) g;  p <- p - lr / (1 - beta1^t) m / d

    eps_mode "max" (torch, optax)    u <- max(beta2 u, |g| + eps);  d = u
             "outside" (keras)       u <- max(beta2 u, |g|);        d = u + eps

    State: exp_avg m, exp_inf u. Further arguments: see Optimizer.
    """


class NAdam(Optimizer):
    """NAdam (Dozat 2016): Adam with Nesterov's momentum.

    mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2): momentum_decay is 0.004 under torch, 1 under keras; None (optax): mu_t = beta1
    m, v as in Adam;  p <- p - lr ((1 - mu_t) / (1 - mu_1...mu_t) g + mu_{t+1} / (1 - mu_1...mu_{t+1}) m) / (sqrt(v / c2) + eps)

    State: exp_avg m, exp_avg_sq v, the number mu_product. Further arguments: see Optimizer.
    """


class RAdam(Optimizer):
    """Rectified Adam (Liu et al. 2020): plain momentum until the variance of v is known well enough.

    m, v, c1, c2 as in Adam;  rho = rho_inf - 2 t beta2^t / c2 with rho_inf = 2 / (1 - beta2) - 1
    rho > threshold: p <- p - lr r / c1 m / d with r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho))
    else:            p <- p - lr / c1 m

    eps_mode "hat" (torch)        d = (sqrt(v) + eps) / sqrt(c2)
             "outside" (optax)    d = sqrt(v / c2) + eps

    State: exp_avg m, exp_avg_sq v. Further arguments: see Optimizer.
    """


class Lion(Optimizer):
    """Lion (Chen et al. 2023): the sign of a momentum, with decoupled weight decay. torch has none; its preset is optax's.

    p <- p (1 - lr weight_decay) - lr sign(beta1 m + (1 - beta1) g), sign(0) = 0;  m <- beta2 m + (1 - beta2) g

    State: exp_avg m. Further arguments: see Optimizer.

    >>> import numpy as np, fastopt
    >>> w = np.array([1.0, 2.0, 3.0])
    >>> fastopt.Lion([w], lr=0.25).step([np.array([1e-3, -5.0, 0.0])])
    >>> w
    array([0.75, 2.25, 3.  ])
    """


class Rprop(Optimizer):
    """Rprop without backtracking (Riedmiller & Braun 1993; iRprop-, Igel & Huesken 2000), for gradients of whole data sets.

    eta = etas[1] where g and the gradient before agree in sign, etas[0] where they differ (then g counts as 0), else 1
    s <- clip(s eta, *step_sizes);  p <- p - s sign(g)

    lr is the first step size s. clamp_unchanged: s is clipped also where eta is 1, not so under optax; delayed, as optax has it:
    each move comes one step late. State: prev (the gradient before), step_size s. Further arguments: see Optimizer.

    >>> import numpy as np, fastopt
    >>> w = np.array([1.0, 2.0])
    >>> opt = fastopt.Rprop([w], lr=0.1)
    >>> for g in ([1.0, 9.0], [2.0, -1.0]):             # the second gradient turns: its move is left out
    ...     opt.step([np.array(g)])
    >>> w.round(6)
    array([0.78, 1.9 ])
    """
