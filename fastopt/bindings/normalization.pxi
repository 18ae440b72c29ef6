# Batch and layer normalisation.

cdef int one_or_more(str owner, cnp.ndarray x, bint statistics) except -1:
    """x is (..., C) with a column, and with a row where statistics are taken over the rows."""
    if cnp.PyArray_NDIM(x) == 0 or last(x) == 0 or (statistics and rows_of(x) == 0):
        wrong_shape(owner, "x", x, "(..., C) with at least one row and column")
    return 0


cdef void *columns_of(str owner, str name, object a, cnp.ndarray x, list keep) except? NULL:
    """The data of a vector (C,), NULL for None; `keep` keeps its copy, where there is one."""
    cdef cnp.ndarray array
    if a is None:
        return NULL
    array = contiguous(owner, name, a, x)
    if cnp.PyArray_NDIM(array) != 1 or last(array) != last(x):
        wrong_shape(owner, name, array, f"({last(x)},) = (C,)")
    keep.append((name, array))
    return cnp.PyArray_DATA(array)


cdef void *rows_array(str owner, str name, object a, cnp.ndarray x, list keep) except? NULL:
    """The same for an array (...)."""
    cdef cnp.ndarray array = contiguous(owner, name, a, x)
    if not of_rows(array, x):
        wrong_shape(owner, name, array, for_rows_of("x", x))
    keep.append((name, array))
    return cnp.PyArray_DATA(array)


cdef object like_x(str owner, str name, object a, cnp.ndarray x):
    cdef cnp.ndarray array = contiguous(owner, name, a, x)
    if not same_shape(array, x):
        wrong_shape(owner, name, array, f"{(<object> x).shape} as x")
    return array


cdef object normalize(str owner, int (*kernel)(const fo_norm *) noexcept nogil, fo_norm *n, cnp.ndarray x, double eps):
    cdef int status
    n.rows, n.columns, n.x, n.eps = rows_of(x), last(x), cnp.PyArray_DATA(x), eps
    with nogil:
        status = kernel(n)
    if status:
        raise MemoryError(f"{owner}: no memory for the sums of the columns")


def batch_norm_forward(x, gamma=None, beta=None, *, mean=None, variance=None, eps=1e-3, out=None):
    cdef str owner = "batch_norm_forward"
    cdef cnp.ndarray a = contiguous(owner, "x", x, None), y
    cdef list keep = [("x", a)]
    cdef fo_norm n
    cdef int dtype = cnp.PyArray_TYPE(a)
    cdef cnp.npy_intp columns
    cdef double e = within(owner, "eps", eps, 0, DBL_MAX, FINITE)
    if (mean is None) != (variance is None):
        raise ValueError(f"{owner}: only one of mean and variance is given, expected both or none")
    one_or_more(owner, a, mean is None)
    n.gamma, n.beta = columns_of(owner, "gamma", gamma, a, keep), columns_of(owner, "beta", beta, a, keep)
    n.mean = columns_of(owner, "mean", mean, a, keep)
    n.spread = columns_of(owner, "variance", variance, a, keep)
    n.fixed, columns = mean is not None, last(a)
    y_out, mean_out, variance_out = outs(owner, out, 3)
    y = result_like(owner, "y", y_out, a)
    given = mean, variance
    if not n.fixed or mean_out is not None:
        mean = result(owner, "mean", mean_out, 1, &columns, dtype)
    if not n.fixed or variance_out is not None:
        variance = result(owner, "variance", variance_out, 1, &columns, dtype)
    if out is not None:
        all_apart(owner, [("y", y_out), ("mean", mean_out), ("variance", variance_out)], keep)
    if not n.fixed:
        n.mean, n.spread = cnp.PyArray_DATA(<cnp.ndarray> mean), cnp.PyArray_DATA(<cnp.ndarray> variance)
    n.y = cnp.PyArray_DATA(y)
    normalize(owner, table_of(a).batch_norm_forward, &n, a, e)
    if n.fixed and out is not None:
        for array, copy in zip(given, (mean, variance)):
            if copy is not array:
                copy[...] = array
    return y, mean, variance


def batch_norm_backward(dy, x, gamma, mean, variance, *, eps=1e-3, bint fixed=False, out=None):
    cdef str owner = "batch_norm_backward"
    cdef cnp.ndarray a = contiguous(owner, "x", x, None), d = like_x(owner, "dy", dy, a), dx
    cdef cnp.ndarray dgamma, dbeta
    cdef list keep = [("x", a), ("dy", d)]
    cdef fo_norm n
    cdef int dtype = cnp.PyArray_TYPE(a)
    cdef cnp.npy_intp columns
    cdef double e = within(owner, "eps", eps, 0, DBL_MAX, FINITE)
    one_or_more(owner, a, not fixed)
    n.gamma = columns_of(owner, "gamma", gamma, a, keep)
    n.mean = columns_of(owner, "mean", mean, a, keep)
    n.spread = columns_of(owner, "variance", variance, a, keep)
    if n.mean == NULL or n.spread == NULL:
        raise TypeError(f"{owner}: mean or variance is None, expected what batch_norm_forward returned")
    columns = last(a)
    dx_out, dgamma_out, dbeta_out = outs(owner, out, 3)
    dx = result_like(owner, "dx", dx_out, a)
    dgamma = result(owner, "dgamma", dgamma_out, 1, &columns, dtype)
    dbeta = result(owner, "dbeta", dbeta_out, 1, &columns, dtype)
    if out is not None:
        all_apart(owner, [("dx", dx), ("dgamma", dgamma), ("dbeta", dbeta)], keep)
    n.dy, n.y, n.dgamma, n.dbeta = cnp.PyArray_DATA(d), cnp.PyArray_DATA(dx), cnp.PyArray_DATA(dgamma), cnp.PyArray_DATA(dbeta)
    n.fixed = fixed
    normalize(owner, table_of(a).batch_norm_backward, &n, a, e)
    return dx, dgamma, dbeta


def layer_norm_forward(x, gamma=None, beta=None, *, eps=1e-3, out=None):
    cdef str owner = "layer_norm_forward"
    cdef cnp.ndarray a = contiguous(owner, "x", x, None), y, mean, rstd
    cdef list keep = [("x", a)]
    cdef fo_norm n
    cdef int dtype = cnp.PyArray_TYPE(a), ndim = cnp.PyArray_NDIM(a) - 1
    cdef double e = within(owner, "eps", eps, 0, DBL_MAX, FINITE)
    one_or_more(owner, a, False)
    n.gamma, n.beta = columns_of(owner, "gamma", gamma, a, keep), columns_of(owner, "beta", beta, a, keep)
    y_out, mean_out, rstd_out = outs(owner, out, 3)
    y = result_like(owner, "y", y_out, a)
    mean = result(owner, "mean", mean_out, ndim, cnp.PyArray_DIMS(a), dtype)
    rstd = result(owner, "rstd", rstd_out, ndim, cnp.PyArray_DIMS(a), dtype)
    if out is not None:
        all_apart(owner, [("y", y), ("mean", mean), ("rstd", rstd)], keep)
    n.y, n.mean, n.spread = cnp.PyArray_DATA(y), cnp.PyArray_DATA(mean), cnp.PyArray_DATA(rstd)
    normalize(owner, table_of(a).layer_norm_forward, &n, a, e)
    return y, mean, rstd


def layer_norm_backward(dy, x, gamma, mean, rstd, *, out=None):
    cdef str owner = "layer_norm_backward"
    cdef cnp.ndarray a = contiguous(owner, "x", x, None), d = like_x(owner, "dy", dy, a), dx
    cdef cnp.ndarray dgamma, dbeta
    cdef list keep = [("x", a), ("dy", d)]
    cdef fo_norm n
    cdef int dtype = cnp.PyArray_TYPE(a)
    cdef cnp.npy_intp columns
    one_or_more(owner, a, False)
    n.gamma = columns_of(owner, "gamma", gamma, a, keep)
    n.mean, n.spread = rows_array(owner, "mean", mean, a, keep), rows_array(owner, "rstd", rstd, a, keep)
    columns = last(a)
    dx_out, dgamma_out, dbeta_out = outs(owner, out, 3)
    dx = result_like(owner, "dx", dx_out, a)
    dgamma = result(owner, "dgamma", dgamma_out, 1, &columns, dtype)
    dbeta = result(owner, "dbeta", dbeta_out, 1, &columns, dtype)
    if out is not None:
        all_apart(owner, [("dx", dx), ("dgamma", dgamma), ("dbeta", dbeta)], keep)
    n.dy, n.y, n.dgamma, n.dbeta = cnp.PyArray_DATA(d), cnp.PyArray_DATA(dx), cnp.PyArray_DATA(dgamma), cnp.PyArray_DATA(dbeta)
    normalize(owner, table_of(a).layer_norm_backward, &n, a, 0)
    return dx, dgamma, dbeta
