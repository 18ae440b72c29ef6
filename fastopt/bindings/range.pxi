# Whether numbers lie where they may.
from cpython.pyport cimport PY_SSIZE_T_MAX


def all_within(cnp.ndarray numbers not None, double low=-INFINITY, double high=INFINITY):
    """Whether all numbers are finite and in [low, high]; those of another type than float32 are taken as float64."""
    cdef int kind = cnp.NPY_FLOAT32 if cnp.PyArray_TYPE(numbers) == cnp.NPY_FLOAT32 else cnp.NPY_FLOAT64
    cdef cnp.ndarray x = cnp.PyArray_FROM_OTF(numbers, kind, cnp.NPY_ARRAY_IN_ARRAY | cnp.NPY_ARRAY_FORCECAST)
    cdef const fo_kernels *table = table_of(x)
    cdef bint inside
    with nogil:
        inside = table.all_within(cnp.PyArray_SIZE(x), cnp.PyArray_DATA(x), low, high)
    return inside


def first_outside(cnp.ndarray indices not None, limit):
    """The position, in C order, of the first of some integers that is not in [0, limit); -1 where there is none."""
    cdef Py_ssize_t end = max(0, min(limit, PY_SSIZE_T_MAX)), begin, position
    if cnp.PyArray_TYPE(indices) == cnp.NPY_INT64:
        return outside_of(indices, end)
    indices = indices.reshape(-1)
    for begin in range(0, cnp.PyArray_SIZE(indices), 65536):        # converted piece by piece, for memory's sake
        position = outside_of(indices[begin:begin + 65536], end)
        if position >= 0:
            return begin + position
    return -1


cdef Py_ssize_t outside_of(cnp.ndarray indices, Py_ssize_t limit) except -2:
    cdef cnp.ndarray x = cnp.PyArray_FROM_OTF(indices, cnp.NPY_INT64, cnp.NPY_ARRAY_IN_ARRAY | cnp.NPY_ARRAY_FORCECAST)
    cdef const fo_kernels *table = single
    cdef Py_ssize_t position
    with nogil:
        position = table.first_outside(cnp.PyArray_SIZE(x), <const cnp.int64_t *> cnp.PyArray_DATA(x), limit)
    return position
