# Whether numbers lie where they may.

def all_within(numbers, double low=-INFINITY, double high=INFINITY):
    """Whether all numbers, an array of float32 or float64, are finite and in [low, high]."""
    cdef cnp.ndarray x = numbers
    x = cnp.PyArray_FROM_OTF(x, cnp.PyArray_TYPE(x), cnp.NPY_ARRAY_IN_ARRAY)
    return bool(table_of(x).all_within(cnp.PyArray_SIZE(x), cnp.PyArray_DATA(x), low, high))


def first_outside(indices, cnp.npy_intp limit):
    """The position, in C order, of the first of some integers that is not in [0, limit); -1 where there is none."""
    cdef cnp.ndarray x = cnp.PyArray_FROM_OTF(indices, cnp.NPY_INT64, cnp.NPY_ARRAY_IN_ARRAY | cnp.NPY_ARRAY_FORCECAST)
    return single.first_outside(cnp.PyArray_SIZE(x), <const cnp.int64_t *> cnp.PyArray_DATA(x), limit)
