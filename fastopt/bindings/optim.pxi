# Optimizer steps: the work list of an optimizer, and single updates.
from fastopt import checks


cdef void fill(fo_hyper *h, dict numbers):
    """The hyperparameters as hyper.encode names them; what a kernel does not have stays at a value it does not read."""
    get = numbers.get
    h.lr, h.weight_decay, h.ema = get("lr", 0.0), get("weight_decay", 0.0), get("ema", 0.0)
    h.grad_scale, h.clip_value, h.clip_factor = 1.0, INFINITY, get("clip_factor", 1.0)
    h.momentum, h.dampening, h.lr_decay = get("momentum", 0.0), get("dampening", 0.0), get("lr_decay", 0.0)
    h.alpha, h.rho, h.eps, h.eps_root = get("alpha", 0.0), get("rho", 0.0), get("eps", 0.0), get("eps_root", 0.0)
    h.beta1, h.beta2 = get("beta1", 0.0), get("beta2", 0.0)
    h.momentum_decay, h.threshold = get("momentum_decay", 0.0), get("threshold", 0.0)
    h.eta_minus, h.eta_plus = get("eta_minus", 0.0), get("eta_plus", 0.0)
    h.step_min, h.step_max = get("step_min", 0.0), get("step_max", 0.0)
    h.maximize, h.nesterov, h.velocity = get("maximize", 0), get("nesterov", 0), get("velocity", 0)
    h.decoupled_weight_decay, h.centered = get("decoupled_weight_decay", 0), get("centered", 0)
    h.lr_in_momentum, h.eps_mode, h.amsgrad = get("lr_in_momentum", 0), get("eps_mode", 0), get("amsgrad", 0)
    h.bias_correction, h.scheduled_momentum = get("bias_correction", 1), get("scheduled_momentum", 0)
    h.clamp_unchanged, h.delayed = get("clamp_unchanged", 0), get("delayed", 0)
    h.flush_subnormals = get("flush_subnormals", 0)


cdef inline const fo_kernels *table_of(cnp.ndarray array) noexcept:
    return single if cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT32 else twice


cdef void order_of(cnp.ndarray leader, int *axes) noexcept:
    """Axes from the slowest to the fastest in the memory of `leader`; of equal strides the first goes first."""
    cdef int ndim = cnp.PyArray_NDIM(leader), i, j, axis
    cdef cnp.npy_intp *strides = cnp.PyArray_STRIDES(leader)
    for i in range(ndim):
        j = i
        while j > 0 and abs(strides[axes[j - 1]]) < abs(strides[i]):
            axes[j] = axes[j - 1]
            j -= 1
        axes[j] = i


cdef void lay_out(fo_tensor *t, cnp.ndarray leader, cnp.ndarray param, cnp.ndarray grad) noexcept:
    """Param and grad in the order of `leader`, neighbouring axes merged where both allow it; notes whether all is contiguous."""
    cdef int axes[64]
    cdef int k, n = 0, ndim = cnp.PyArray_NDIM(param)
    cdef cnp.npy_intp *shape = cnp.PyArray_DIMS(param)
    cdef cnp.npy_intp *ps = cnp.PyArray_STRIDES(param)
    cdef cnp.npy_intp *gs = cnp.PyArray_STRIDES(grad)
    cdef fo_layout *l = t.layout
    order_of(leader, axes)
    for k in axes[:ndim]:
        if shape[k] == 1:
            continue
        if n and l.param_stride[n - 1] == ps[k] * shape[k] and l.grad_stride[n - 1] == gs[k] * shape[k]:
            l.shape[n - 1] *= shape[k]
        else:
            l.shape[n] = shape[k]
            n += 1
        l.param_stride[n - 1], l.grad_stride[n - 1] = ps[k], gs[k]
    if n == 0:
        l.shape[0], l.param_stride[0], l.grad_stride[0], n = 1, t.itemsize, t.itemsize, 1
    l.ndim = n
    t.direct = n == 1 and l.param_stride[0] == t.itemsize and l.grad_stride[0] == t.itemsize


cdef inline bint alike(cnp.ndarray param, cnp.ndarray grad) noexcept:
    """Whether shape and dtype agree and the kernels can read `grad` where it lies."""
    cdef int axis, ndim = cnp.PyArray_NDIM(param)
    if cnp.PyArray_TYPE(grad) != cnp.PyArray_TYPE(param) or cnp.PyArray_NDIM(grad) != ndim or not cnp.PyArray_ISBEHAVED_RO(grad):
        return False
    for axis in range(ndim):
        if cnp.PyArray_DIM(grad, axis) != cnp.PyArray_DIM(param, axis):
            return False
    return True


cdef inline bint untouched(cnp.ndarray param, cnp.ndarray then) noexcept:
    """Whether an array still lies where and how its view made earlier does, and may be written."""
    cdef int axis, ndim = cnp.PyArray_NDIM(param)
    if cnp.PyArray_BYTES(param) != cnp.PyArray_BYTES(then) or cnp.PyArray_TYPE(param) != cnp.PyArray_TYPE(then):
        return False
    if not cnp.PyArray_ISWRITEABLE(param) or ndim != cnp.PyArray_NDIM(then):
        return False
    for axis in range(ndim):
        if cnp.PyArray_DIM(param, axis) != cnp.PyArray_DIM(then, axis) or cnp.PyArray_STRIDE(param, axis) != cnp.PyArray_STRIDE(then, axis):
            return False
    return True


def update(str kernel, cnp.ndarray param, cnp.ndarray grad, list states, dict numbers, double step, double mu_product,
           double grad_scale, double clip_value):
    """One update of one array by the kernel, in place; the arrays were checked by the caller (fastopt.kernels)."""
    cdef fo_hyper h
    cdef fo_tensor t
    cdef fo_layout layout
    cdef fo_result result
    cdef fo_options options = [grad_scale, clip_value, INFINITY, 0, 0, 0, 0, 0]
    fill(&h, numbers)
    memset(&t, 0, sizeof(t))
    t.size, t.itemsize = cnp.PyArray_SIZE(param), cnp.PyArray_ITEMSIZE(param)
    t.param, t.grad = cnp.PyArray_BYTES(param), cnp.PyArray_BYTES(grad)
    t.kernels, t.hyper, t.layout = table_of(param), &h, &layout
    t.update = fo_find_update(t.kernels, kernel.encode())
    t.step, t.mu_product = step - 1, mu_product                 # born at 0: step 1 is the first
    leader = param
    for k, state in enumerate(states):
        if state is not None:
            leader = state
            t.state[k] = cnp.PyArray_BYTES(state)
    lay_out(&t, leader, param, grad)
    with nogil:
        fo_step(&t, 1, &options, &result)


def ema(cnp.ndarray average, cnp.ndarray param, double decay):
    """One update of an exponential average; both contiguous in the same order, checked by the caller."""
    cdef const fo_kernels *kernels = table_of(param)
    cdef ptrdiff_t n = cnp.PyArray_SIZE(param)
    cdef char *a = cnp.PyArray_BYTES(average)
    cdef char *p = cnp.PyArray_BYTES(param)
    with nogil:
        kernels.ema(n, a, p, decay)


FIXED = (float, int, str, tuple, type(None))                    # values that cannot change within


cdef class Stepper:
    """The work list of an optimizer: its parameters checked once, its states, and the step over all of them.

    `plain` says that gradients come as a list in the order of the parameters. `steps` counts the steps done, skipped ones left
    out. The optimizer is an argument of each step, not kept: its arrays are freed with it, without a garbage collection.
    """
    cdef fo_tensor *tensors
    cdef fo_layout *layouts
    cdef fo_hyper *hypers
    cdef int *group_of
    cdef const char **cleared                                  # contiguous gradients found clear of all parameters lie here
    cdef char **islands                                        # low and high ends of the parameters' memory, merged, in order
    cdef Py_ssize_t count, island_count
    cdef int clip_rule
    cdef bint busy, measured, count_all, plain, any_scheduled
    cdef fo_result result
    cdef str owner
    cdef list params, views, leaders, labels, grads, keep, groups, seen
    cdef object nonfinite                                      # (tensor, index) of the last step
    cdef public long long steps

    def __cinit__(self, str owner, str kernel, list params, list labels, bint plain, list group_of, list groups, int clip_rule,
                  bint count_all):
        cdef Py_ssize_t i
        self.count = len(params)
        self.tensors = <fo_tensor *>calloc(self.count + 1, sizeof(fo_tensor))
        self.layouts = <fo_layout *>calloc(self.count + 1, sizeof(fo_layout))
        self.hypers = <fo_hyper *>calloc(len(groups) + 1, sizeof(fo_hyper))
        self.group_of = <int *>calloc(self.count + 1, sizeof(int))
        self.cleared = <const char **>calloc(self.count + 1, sizeof(char *))
        self.islands = <char **>calloc(2 * self.count + 2, sizeof(char *))
        if not (self.tensors and self.layouts and self.hypers and self.group_of and self.cleared and self.islands):
            raise MemoryError()
        self.owner, self.params, self.labels, self.plain = owner, params, labels, plain
        self.views = [param.view() for param in params]
        self.leaders, self.grads, self.keep = list(params), [None] * self.count, [{} for _ in params]
        self.groups, self.seen = groups, [None] * len(groups)
        self.clip_rule, self.count_all = clip_rule, count_all
        for i in range(self.count):
            self.group_of[i] = group_of[i]
            self.set_param(&self.tensors[i], params[i], kernel.encode())
            self.tensors[i].hyper = &self.hypers[self.group_of[i]]
            self.tensors[i].layout = &self.layouts[i]
        self.chart()

    cdef set_param(self, fo_tensor *t, cnp.ndarray param, bytes kernel):
        t.size, t.itemsize, t.param = cnp.PyArray_SIZE(param), cnp.PyArray_ITEMSIZE(param), cnp.PyArray_BYTES(param)
        t.kernels, t.mu_product = table_of(param), 1
        t.update = fo_find_update(t.kernels, kernel)

    cdef chart(self):
        """The islands: stretches of memory that hold parameters, so that most gradients are cleared by a binary search."""
        merged = checks.islands(self.params)
        self.island_count = len(merged)
        for i, (low, high) in enumerate(merged):
            self.islands[2 * i], self.islands[2 * i + 1] = <char *><size_t>low, <char *><size_t>high

    def __dealloc__(self):
        free(self.tensors)
        free(self.layouts)
        free(self.hypers)
        free(self.group_of)
        free(self.cleared)
        free(self.islands)

    def attach(self, Py_ssize_t i, int k, cnp.ndarray array):
        """Gives tensor i its state number k, or its average (k = -1): dense, in an order of axes that all its arrays share."""
        self.keep[i][k] = array
        self.leaders[i] = array
        if k < 0:
            self.tensors[i].ema = cnp.PyArray_BYTES(array)
        else:
            self.tensors[i].state[k] = cnp.PyArray_BYTES(array)

    def begin(self, Py_ssize_t i):
        """Says that the states of tensor i are new: its next step is the first with them."""
        self.tensors[i].born = self.tensors[i].step

    def counts(self, Py_ssize_t i):
        """(step, mu_product, step at which its states began) of tensor i."""
        return int(self.tensors[i].step), self.tensors[i].mu_product, int(self.tensors[i].born)

    def set_counts(self, Py_ssize_t i, double step, double mu_product, double born):
        self.tensors[i].step, self.tensors[i].mu_product, self.tensors[i].born = step, mu_product, born

    def report(self):
        """(grad_norm, skipped, tensor, index) of the last step; None where nobody asked, or there is nothing to tell."""
        tensor, index = self.nonfinite or (None, None)
        return (self.result.grad_norm if self.measured else None), bool(self.result.skipped), tensor, index

    cdef bint unchanged(self, dict group, tuple seen):
        """Whether a group holds the very objects that it held when it was last read."""
        cdef Py_ssize_t i = 0, position = 0
        cdef PyObject *key
        cdef PyObject *value
        if seen is None or 2 * len(group) != len(seen):
            return False
        while PyDict_Next(group, &position, &key, &value):
            if key != PyTuple_GET_ITEM(seen, i) or value != PyTuple_GET_ITEM(seen, i + 1):
                return False
            i += 2
        return True

    cdef read_groups(self, optimizer):
        """Takes up what changed in the groups; all of them are checked before any is taken."""
        cdef Py_ssize_t k
        cdef list fresh = None, rates = None
        cdef dict group
        if len(self.groups) != len(self.seen):
            raise ValueError(f"{self.owner}: there are {len(self.groups)} groups, expected {len(self.seen)} as at construction")
        for k in range(len(self.seen)):
            group = self.groups[k]
            if not self.unchanged(group, self.seen[k]):
                fresh = [] if fresh is None else fresh
                fresh.append((k, optimizer._refresh(k, self.steps)))
                self.any_scheduled = self.any_scheduled or callable(group["lr"])
        if self.any_scheduled:
            rates = [optimizer._rate(k, self.steps) if callable((<dict>self.groups[k])["lr"]) else None for k in range(len(self.seen))]
        if fresh is not None:
            for k, numbers in fresh:
                group = self.groups[k]
                optimizer._equip(k)
                fill(&self.hypers[k], numbers)
                fixed = all(isinstance(value, FIXED) or callable(value) for name, value in group.items() if name != "params")
                self.seen[k] = tuple(x for item in group.items() for x in item) if fixed else None
        if rates is not None:
            for k in range(len(self.seen)):
                if rates[k] is not None:
                    self.hypers[k].lr = rates[k]

    cdef int take_gradient(self, Py_ssize_t i, object grad) except -1:
        """Checks gradient i and notes where it lies."""
        cdef fo_tensor *t = &self.tensors[i]
        cdef cnp.ndarray param = self.params[i], g
        if not untouched(param, self.views[i]):
            checks.moved(self.owner, self.labels[i])
        if grad is None:
            self.grads[i] = None
            t.grad = NULL
            return 0
        if not cnp.PyArray_Check(grad):
            grad = checks.array_of(grad)
        if not cnp.PyArray_Check(grad) or not alike(param, grad):
            checks.gradient(self.owner, self.labels[i], param, grad)
        g = grad
        if cnp.PyArray_IS_C_CONTIGUOUS(g) and cnp.PyArray_IS_C_CONTIGUOUS(param) and cnp.PyArray_IS_C_CONTIGUOUS(self.leaders[i]):
            t.direct = True
        else:
            lay_out(t, self.leaders[i], param, g)
        if not (t.direct and self.cleared[i] == cnp.PyArray_BYTES(g)):
            self.clear(i, g)
            self.cleared[i] = cnp.PyArray_BYTES(g) if t.direct else NULL
        self.grads[i] = grad
        t.grad = cnp.PyArray_BYTES(g)
        return 0

    cdef int clear(self, Py_ssize_t i, cnp.ndarray grad) except -1:
        """Raises where a gradient overlaps a parameter: only one that touches an island is looked at closely."""
        cdef char *low = cnp.PyArray_BYTES(grad)
        cdef char *high = low + cnp.PyArray_ITEMSIZE(grad)
        cdef Py_ssize_t a = 0, b = self.island_count, middle
        cdef int axis
        for axis in range(cnp.PyArray_NDIM(grad)):
            if cnp.PyArray_DIM(grad, axis) == 0:
                return 0
            if cnp.PyArray_STRIDE(grad, axis) < 0:
                low += (cnp.PyArray_DIM(grad, axis) - 1) * cnp.PyArray_STRIDE(grad, axis)
            else:
                high += (cnp.PyArray_DIM(grad, axis) - 1) * cnp.PyArray_STRIDE(grad, axis)
        while a < b:                                           # the first island that ends above low
            middle = (a + b) // 2
            if self.islands[2 * middle + 1] <= low:
                a = middle + 1
            else:
                b = middle
        if a < self.island_count and self.islands[2 * a] < high:
            checks.unshared(self.owner, self.labels[i], self.labels, self.params, grad)
        return 0

    def step(self, optimizer, grads, clip_norm, clip_value, double grad_scale, bint skip_nonfinite, bint clip_each):
        """One step; nothing changes where anything is wrong. The arguments' ranges were checked by the caller."""
        cdef fo_options options
        cdef Py_ssize_t i
        cdef int failed
        if self.busy:
            raise RuntimeError(f"{self.owner}: a step of this optimizer is under way in another thread; give each thread its own")
        self.busy = True
        try:
            options.grad_scale, options.skip_nonfinite, options.clip_rule = grad_scale, skip_nonfinite, self.clip_rule
            options.clip_value = INFINITY if clip_value is None else clip_value
            options.clip_norm = INFINITY if clip_norm is None else clip_norm
            options.clip_each, options.count_all = clip_each, self.count_all
            options.want_norm = skip_nonfinite or clip_norm is not None
            if self.plain and type(grads) is list and len(<list>grads) == self.count:
                for i in range(self.count):
                    self.take_gradient(i, (<list>grads)[i])
            else:
                flat = optimizer._flatten(grads)
                for i in range(self.count):
                    self.take_gradient(i, flat[i])
            self.read_groups(optimizer)
            if self.count == 1 and self.tensors[0].size < 2048:
                failed = fo_step(self.tensors, self.count, &options, &self.result)    # sooner done than the GIL let go
            else:
                with nogil:
                    failed = fo_step(self.tensors, self.count, &options, &self.result)
            self.measured, self.nonfinite = options.want_norm, None
            if failed:
                raise MemoryError(f"{self.owner}: no memory for the partial sums of the gradients' norm")
            if self.result.tensor >= 0:
                self.nonfinite = self.result.tensor, checks.first_nonfinite(self.grads[self.result.tensor], grad_scale)
            if not self.result.skipped:
                self.steps += 1
        finally:
            for i in range(self.count):
                self.grads[i] = None
            self.busy = False
