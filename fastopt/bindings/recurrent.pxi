# Recurrent layers: one frame for all cells, which differ in the number of gates and in their options.
from fastopt.reference import recurrent as definition, recurrent_checks


cdef class Saved:
    """What a forward pass keeps for the backward pass: opaque, and good for one."""
    cdef readonly str kernel                                    # the name of the forward kernel
    cdef fo_recurrent layer
    cdef const fo_kernels *table
    cdef cnp.ndarray memory
    cdef tuple arrays                                           # those that `layer` points to
    cdef tuple bias_shape
    cdef bint ready                                             # for a backward pass


cdef inline bint fits(object a, int dtype, int ndim, cnp.npy_intp n0, cnp.npy_intp n1, cnp.npy_intp n2) noexcept:
    """Whether an argument is an array of this dtype and shape; beyond ndim the sizes are not read."""
    return (cnp.PyArray_Check(a) and cnp.PyArray_TYPE(<cnp.ndarray> a) == dtype and cnp.PyArray_NDIM(<cnp.ndarray> a) == ndim
            and cnp.PyArray_ISALIGNED(<cnp.ndarray> a) and cnp.PyArray_ISNOTSWAPPED(<cnp.ndarray> a)
            and cnp.PyArray_DIM(<cnp.ndarray> a, 0) == n0 and (ndim < 2 or cnp.PyArray_DIM(<cnp.ndarray> a, 1) == n1)
            and (ndim < 3 or cnp.PyArray_DIM(<cnp.ndarray> a, 2) == n2))


cdef inline bint fits_mask(object a, int dtype, cnp.npy_intp batch, int gates, cnp.npy_intp width) noexcept:
    return fits(a, dtype, 2, batch, width, 0) or fits(a, dtype, 3, batch, gates, width)


cdef inline cnp.ndarray dense_copy(object a):
    """The array itself where it is C-contiguous."""
    return <cnp.ndarray> a if cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> a) else cnp.PyArray_GETCONTIGUOUS(<cnp.ndarray> a)


cdef inline void *data_of(object a) noexcept:
    return NULL if a is None else cnp.PyArray_DATA(<cnp.ndarray> a)


ARGUMENTS = ("x", "kernel", "recurrent_kernel", "bias", "h0", "c0", "dropout", "recurrent_dropout", "peepholes", "projection")


cdef int usable_activation(str owner, str argument, object name, double *alpha) except -1:
    """The kind of an activation whose derivative is a function of y, element by element."""
    if type(name) is not str or name not in recurrent_checks.USABLE:
        recurrent_checks.activation_named(owner, argument, name)
    return activation_of(owner, name, None, 1, alpha).kind


cdef tuple forward(str owner, int cell, int gates, object x, object kernel, object recurrent_kernel, object bias, object h0, object c0,
                   object activation, object recurrent_activation, object lengths, bint reverse, object dropout,
                   object recurrent_dropout, object peepholes, object projection, object clip, bint input_forget, bint keep, object out):
    """The forward pass of any cell."""
    cdef fo_recurrent *f
    cdef Saved saved
    cdef int dtype = 0, status, bias_ndim = 2 if cell == FO_GRU else 1
    cdef cnp.npy_intp batch = 0, steps = 0, inputs = 0, units = 0, outputs = 0, size
    cdef cnp.npy_intp[3] shape
    cdef cnp.npy_intp[1] ends_shape
    cdef cnp.ndarray memory, ends
    cdef bint lstm = cell == FO_LSTM, fitting
    fitting = cnp.PyArray_Check(x) and cnp.PyArray_NDIM(<cnp.ndarray> x) == 3 and cnp.PyArray_Check(recurrent_kernel) \
        and cnp.PyArray_NDIM(<cnp.ndarray> recurrent_kernel) == 2 and (projection is None or (
            cnp.PyArray_Check(projection) and cnp.PyArray_NDIM(<cnp.ndarray> projection) == 2))
    if fitting:
        dtype = cnp.PyArray_TYPE(<cnp.ndarray> x)
        batch, steps, inputs = x.shape
        outputs = cnp.PyArray_DIM(<cnp.ndarray> recurrent_kernel, 0)
        units = outputs if projection is None else cnp.PyArray_DIM(<cnp.ndarray> projection, 0)
        fitting = ((dtype == cnp.NPY_FLOAT32 or dtype == cnp.NPY_FLOAT64) and fits(x, dtype, 3, batch, steps, inputs)
                   and fits(kernel, dtype, 2, inputs, gates * units, 0)
                   and fits(recurrent_kernel, dtype, 2, outputs, gates * units, 0)
                   and (bias is None or fits(bias, dtype, bias_ndim, 2 if bias_ndim == 2 else gates * units, gates * units, 0))
                   and (h0 is None or fits(h0, dtype, 2, batch, outputs, 0)) and (c0 is None or fits(c0, dtype, 2, batch, units, 0))
                   and (dropout is None or fits_mask(dropout, dtype, batch, gates, inputs))
                   and (recurrent_dropout is None or fits_mask(recurrent_dropout, dtype, batch, gates, outputs))
                   and (peepholes is None or fits(peepholes, dtype, 2, 3, units, 0))
                   and (projection is None or fits(projection, dtype, 2, units, outputs, 0)))
    if not fitting:                                             # the definition knows what is wrong
        recurrent_checks.check_forward(owner, gates, x, kernel, recurrent_kernel, bias, h0, c0, lengths=lengths, dropout=dropout,
                                       recurrent_dropout=recurrent_dropout, peepholes=peepholes, projection=projection,
                                       biases=bias_ndim)
        raise TypeError(f"{owner}: expected aligned arrays of the machine's byte order")
    if lengths is not None:
        recurrent_checks.check_lengths(owner, lengths, {"B": batch, "T": steps})
    saved = Saved.__new__(Saved)
    f = &saved.layer
    memset(f, 0, sizeof(fo_recurrent))
    f.cell, f.gates, f.reverse, f.input_forget, f.keep = cell, gates, reverse, input_forget, keep
    f.activation = usable_activation(owner, "activation", activation, &f.alpha)
    f.recurrent_activation = usable_activation(owner, "recurrent_activation", recurrent_activation, &f.recurrent_alpha)
    f.clip = INFINITY if clip is None else lstm_limit(owner, clip)
    f.batch, f.steps, f.inputs, f.units, f.outputs = batch, steps, inputs, units, outputs
    f.input_masks = 0 if dropout is None else 1 if cnp.PyArray_NDIM(<cnp.ndarray> dropout) == 2 else gates
    f.recurrent_masks = 0 if recurrent_dropout is None else 1 if cnp.PyArray_NDIM(<cnp.ndarray> recurrent_dropout) == 2 else gates
    arrays = [x, kernel, recurrent_kernel, bias, h0, c0, dropout, recurrent_dropout, peepholes, projection]
    for i in range(10):
        if arrays[i] is not None:
            arrays[i] = dense_copy(arrays[i])
    if lengths is not None:
        ends = np.array(lengths, np.int64)
        f.lengths = <cnp.int64_t *> cnp.PyArray_DATA(ends)
        arrays.append(ends)
    saved.arrays = tuple(arrays)
    f.x, f.kernel, f.recurrent_kernel, f.bias = data_of(arrays[0]), data_of(arrays[1]), data_of(arrays[2]), data_of(arrays[3])
    f.h0, f.c0, f.input_mask, f.recurrent_mask = data_of(arrays[4]), data_of(arrays[5]), data_of(arrays[6]), data_of(arrays[7])
    f.peepholes, f.projection = data_of(arrays[8]), data_of(arrays[9])
    names = ("y", "h_n", "c_n", "saved") if lstm else ("y", "h_n", "saved")
    given = definition.places(owner, out, names)
    shape[0], shape[1], shape[2] = batch, steps, outputs
    y = result(owner, "y", given[0], 3, shape, dtype)
    shape[1] = outputs
    h_n = result(owner, "h_n", given[1], 2, shape, dtype)
    shape[1] = units
    c_n = result(owner, "c_n", given[2], 2, shape, dtype) if lstm else None
    old = given[3 if lstm else 2]
    if old is not None and (type(old) is not Saved or (<Saved> old).kernel != owner):
        raise TypeError(f"{owner}: out, for saved, is {what_saved(old)}, expected that of {owner}")
    results = (y, h_n, c_n) if lstm else (y, h_n)
    if out is not None:
        all_apart(owner, list(zip(names, results)), list(zip(ARGUMENTS, saved.arrays)))
    f.y, f.h_n, f.c_n = data_of(y), data_of(h_n), data_of(c_n)
    saved.table = table_of(x)
    size = <cnp.npy_intp> saved.table.recurrent_size(f) + 64
    if old is not None and (<Saved> old).memory is not None and cnp.PyArray_NBYTES((<Saved> old).memory) >= size:
        memory = (<Saved> old).memory
        (<Saved> old).memory, (<Saved> old).ready = None, False
    else:
        if old is not None:
            (<Saved> old).memory, (<Saved> old).ready = None, False
        ends_shape[0] = size
        memory = cnp.PyArray_EMPTY(1, ends_shape, cnp.NPY_UINT8, 0)
    f.memory = <void *> ((<size_t> cnp.PyArray_DATA(memory) + 63) // 64 * 64)
    with nogil:
        status = saved.table.recurrent_forward(f)
    if status:
        raise MemoryError(f"{owner}: no memory to pack the matrices in")
    if not keep:
        return (*results, None)
    saved.kernel, saved.memory, saved.ready = owner, memory, True
    columns = gates * units
    saved.bias_shape = (2, columns)[2 - bias_ndim :]
    return (*results, saved)


cdef str what_saved(object saved):
    return f"that of {saved.kernel}" if type(saved) is Saved else f"of type {type(saved).__qualname__}"


cdef double lstm_limit(str owner, object clip) except -1:
    from fastopt.reference.lstm import limit
    return limit(owner, clip)


cdef tuple backward(str owner, str partner, object dy, object dh_n, object dc_n, object given_saved, object need, bint accumulate,
                    object out):
    """The backward pass of any cell."""
    cdef Saved saved
    cdef fo_recurrent *f
    cdef fo_recurrent layer
    cdef int dtype, status, i, short_count, count
    cdef bint lstm
    if type(given_saved) is not Saved or (<Saved> given_saved).kernel != partner:
        raise TypeError(f"{owner}: saved is {what_saved(given_saved)}, expected that of {partner} with keep=True")
    saved = given_saved
    if not saved.ready:
        raise RuntimeError(f"{owner}: saved is used up, it is good for one backward pass; run {partner} again")
    layer = saved.layer
    f = &layer
    lstm = f.cell == FO_LSTM
    x = saved.arrays[0]
    dtype = cnp.PyArray_TYPE(<cnp.ndarray> x)
    if not ((dy is None or fits(dy, dtype, 3, f.batch, f.steps, f.outputs)) and (dh_n is None or fits(dh_n, dtype, 2, f.batch, f.outputs, 0))
            and (dc_n is None or fits(dc_n, dtype, 2, f.batch, f.units, 0))):
        sizes = {"B": f.batch, "T": f.steps, "I": f.inputs, "H": f.units, "P": f.outputs}
        recurrent_checks.check_backward(owner, x, sizes, f.projection != NULL, dy=dy, dh_n=dh_n, dc_n=dc_n)
        raise TypeError(f"{owner}: expected aligned arrays of the machine's byte order")
    slopes = tuple(None if a is None else dense_copy(a) for a in (dy, dh_n, dc_n))
    names = ("dx", "dkernel", "drecurrent_kernel", "dbias", "dh0", "dc0") if lstm else ("dx", "dkernel", "drecurrent_kernel", "dbias", "dh0")
    short_count = count = len(names)
    if f.peepholes != NULL or f.projection != NULL:
        names, count = (*names, "dpeepholes", "dprojection"), count + 2
    if not isinstance(need, (tuple, list)) or (len(need) != short_count and len(need) != count):
        raise TypeError(f"{owner}: need must be {short_count} flags, for {', '.join(names[:short_count])}, got {need!r}")
    if isinstance(out, tuple) and len(out) == short_count:
        out = (*out, *(None,) * (count - short_count))
    places = definition.places(owner, out, names)
    batch, units, outputs = f.batch, f.units, f.outputs
    shapes = [x.shape, (f.inputs, f.gates * units), (outputs, f.gates * units), saved.bias_shape, (batch, outputs), (batch, units)]
    if not lstm:
        shapes.pop()
    if count > short_count:
        shapes += [(3, units) if f.peepholes != NULL else None, (units, outputs) if f.projection != NULL else None]
    results = []
    for i in range(count):
        wanted = shapes[i] is not None and (i >= len(need) or need[i])
        if not wanted:
            results.append(None)
            continue
        if accumulate and places[i] is None and names[i] not in ("dx", "dh0", "dc0"):
            raise ValueError(f"{owner}: accumulate=True needs {names[i]} in out, the array to add to")
        results.append(shaped_result(owner, names[i], places[i], shapes[i], dtype))
    if out is not None:
        all_apart(owner, list(zip(names, results)), list(zip(("dy", "dh_n", "dc_n") + ARGUMENTS, slopes + saved.arrays)))
    f.dy, f.dh_n, f.dc_n = data_of(slopes[0]), data_of(slopes[1]), data_of(slopes[2])
    f.dx, f.dkernel, f.drecurrent, f.dbias = data_of(results[0]), data_of(results[1]), data_of(results[2]), data_of(results[3])
    f.dh0 = data_of(results[4])
    f.dc0 = data_of(results[5]) if lstm else NULL
    if count > short_count:
        f.dpeepholes, f.dprojection = data_of(results[count - 2]), data_of(results[count - 1])
    f.accumulate = accumulate
    saved.ready = False
    with nogil:
        status = saved.table.recurrent_backward(f)
    if status:
        raise MemoryError(f"{owner}: no memory to pack the matrices in")
    return tuple(results)


cdef cnp.ndarray shaped_result(str owner, str name, object out, tuple shape, int dtype):
    cdef cnp.npy_intp[3] sizes
    cdef int i
    for i in range(len(shape)):
        sizes[i] = shape[i]
    return result(owner, name, out, len(shape), sizes, dtype)


def rnn_forward(x, kernel, recurrent_kernel, bias=None, h0=None, *, activation="tanh", lengths=None, reverse=False, dropout=None,
                recurrent_dropout=None, keep=True, out=None):
    return forward("rnn_forward", FO_RNN, 1, x, kernel, recurrent_kernel, bias, h0, None, activation, "sigmoid", lengths, reverse,
                   dropout, recurrent_dropout, None, None, None, False, keep, out)


def rnn_backward(dy, dh_n, saved, *, need=(True,) * 5, accumulate=False, out=None):
    return backward("rnn_backward", "rnn_forward", dy, dh_n, None, saved, need, accumulate, out)


def lstm_forward(x, kernel, recurrent_kernel, bias=None, h0=None, c0=None, *, activation="tanh", recurrent_activation="sigmoid",
                 lengths=None, reverse=False, dropout=None, recurrent_dropout=None, peepholes=None, projection=None, clip=None,
                 input_forget=False, keep=True, out=None):
    return forward("lstm_forward", FO_LSTM, 4, x, kernel, recurrent_kernel, bias, h0, c0, activation, recurrent_activation, lengths,
                   reverse, dropout, recurrent_dropout, peepholes, projection, clip, input_forget, keep, out)


def lstm_backward(dy, dh_n, dc_n, saved, *, need=(True,) * 6, accumulate=False, out=None):
    return backward("lstm_backward", "lstm_forward", dy, dh_n, dc_n, saved, need, accumulate, out)


def gru_forward(x, kernel, recurrent_kernel, bias=None, h0=None, *, reset_after=True, activation="tanh",
                recurrent_activation="sigmoid", lengths=None, reverse=False, dropout=None, recurrent_dropout=None, keep=True, out=None):
    return forward("gru_forward", FO_GRU if reset_after else FO_GRU_BEFORE, 3, x, kernel, recurrent_kernel, bias, h0, None, activation,
                   recurrent_activation, lengths, reverse, dropout, recurrent_dropout, None, None, None, False, keep, out)


def gru_backward(dy, dh_n, saved, *, need=(True,) * 5, accumulate=False, out=None):
    return backward("gru_backward", "gru_forward", dy, dh_n, None, saved, need, accumulate, out)
