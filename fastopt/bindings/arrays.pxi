# Arrays as the dense kernels take them: checked, C-contiguous where a kernel wants it; results fresh, or where `out` says.
from fastopt import checks


cdef inline bint plain(object a) noexcept:
    """A C-contiguous, aligned, native array of float32 or float64: the only kind that C sees without a copy."""
    return (cnp.PyArray_CheckExact(a) and cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray> a) and cnp.PyArray_ISALIGNED(<cnp.ndarray> a)
            and cnp.PyArray_ISNOTSWAPPED(<cnp.ndarray> a)
            and (cnp.PyArray_TYPE(<cnp.ndarray> a) == cnp.NPY_FLOAT32 or cnp.PyArray_TYPE(<cnp.ndarray> a) == cnp.NPY_FLOAT64))


cdef inline bint twin(object a, cnp.ndarray other) noexcept:
    """Whether it is a plain array of the dtype and shape of another one."""
    return (plain(a) and cnp.PyArray_TYPE(<cnp.ndarray> a) == cnp.PyArray_TYPE(other)
            and cnp.PyArray_SAMESHAPE(<cnp.ndarray> a, other))


cdef inline cnp.ndarray strided(str owner, str name, object a, cnp.ndarray like):
    """An argument of any strides; `like` is the argument whose dtype it must have, or None."""
    if not plain(a):
        checks.readable(owner, name, a)
    if like is not None and cnp.PyArray_TYPE(<cnp.ndarray> a) != cnp.PyArray_TYPE(like):
        raise TypeError(f"{owner}: {name} has dtype {a.dtype}, expected {like.dtype} as the argument before it; convert it with .astype")
    return <cnp.ndarray> a


cdef inline cnp.ndarray contiguous(str owner, str name, object a, cnp.ndarray like):
    """The same, copied where it is not C-contiguous."""
    cdef cnp.ndarray array = strided(owner, name, a, like)
    return array if cnp.PyArray_IS_C_CONTIGUOUS(array) else cnp.PyArray_GETCONTIGUOUS(array)


cdef int wrong_shape(str owner, str name, object array, str expected) except -1:
    raise ValueError(f"{owner}: {name} has shape {array.shape}, expected {expected}")


cdef inline cnp.npy_intp last(cnp.ndarray array) noexcept:
    """The size of the last axis; 1 of a 0-d array."""
    cdef int ndim = cnp.PyArray_NDIM(array)
    return cnp.PyArray_DIM(array, ndim - 1) if ndim else 1


cdef inline cnp.npy_intp rows_of(cnp.ndarray array) noexcept:
    """The product of all axes but the last."""
    cdef cnp.npy_intp rows = 1
    cdef int i
    for i in range(cnp.PyArray_NDIM(array) - 1):
        rows *= cnp.PyArray_DIM(array, i)
    return rows


cdef inline bint same_shape(cnp.ndarray a, cnp.ndarray b) noexcept:
    return cnp.PyArray_SAMESHAPE(a, b)


cdef cnp.ndarray result(str owner, str name, object out, int ndim, cnp.npy_intp *shape, int dtype):
    """A fresh array, or `out` after a look at it."""
    cdef int i
    if out is None:
        return cnp.PyArray_EMPTY(ndim, shape, dtype, 0)
    if plain(out) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray> out) and cnp.PyArray_NDIM(<cnp.ndarray> out) == ndim \
            and cnp.PyArray_TYPE(<cnp.ndarray> out) == dtype:
        for i in range(ndim):
            if cnp.PyArray_DIM(<cnp.ndarray> out, i) != shape[i]:
                break
        else:
            return <cnp.ndarray> out
    kind = cnp.PyArray_DescrFromType(dtype)
    wanted = f"expected a writeable C-contiguous {kind} array of shape {tuple([shape[i] for i in range(ndim)])}"
    if not isinstance(out, cnp.ndarray):
        raise TypeError(f"{owner}: out, for {name}, is of type {type(out).__qualname__}, {wanted}")
    raise ValueError(f"{owner}: out, for {name}, has shape {out.shape}, dtype {out.dtype}, strides {out.strides}"
                     f"{'' if out.flags.writeable else ', is read-only'}, {wanted}")


cdef inline cnp.ndarray result_like(str owner, str name, object out, cnp.ndarray array):
    return result(owner, name, out, cnp.PyArray_NDIM(array), cnp.PyArray_DIMS(array), cnp.PyArray_TYPE(array))


cdef tuple outs(str owner, object out, int count):
    """`out` of a kernel with several results: one entry each."""
    if out is None:
        return (None,) * count
    if not isinstance(out, (tuple, list)) or len(out) != count:
        raise TypeError(f"{owner}: out must be a tuple of {count} arrays, one for each result, got {type(out).__qualname__}")
    return tuple(out)


cdef inline bint meet(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether two contiguous arrays have a byte in common."""
    cdef char *x = cnp.PyArray_BYTES(a)
    cdef char *y = cnp.PyArray_BYTES(b)
    return x < y + cnp.PyArray_NBYTES(b) and y < x + cnp.PyArray_NBYTES(a)


cdef int apart(str owner, str name, cnp.ndarray out, str argument, cnp.ndarray array) except -1:
    """Raises where a result would be written over an argument that is still read."""
    if meet(out, array) if cnp.PyArray_IS_C_CONTIGUOUS(array) else np.shares_memory(out, array):
        raise ValueError(f"{owner}: out, for {name}, overlaps {argument} in memory; pass another array")
    return 0


cdef int all_apart(str owner, list results, list arguments) except -1:
    """Raises where one of the results shares memory with another or with an argument: pairs of a name and an array, or None."""
    cdef Py_ssize_t i, j, count = len(arguments)
    cdef tuple one, other
    for i in range(len(results)):
        one = results[i]
        for j in range(count + i if one[1] is not None else 0):
            other = arguments[j] if j < count else results[j - count]
            if other[1] is not None:
                apart(owner, one[0], one[1], other[0], other[1])
    return 0
