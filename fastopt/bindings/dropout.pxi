# Dropout.

cdef unsigned long long word(str owner, str name, object value) except? 0:
    """An integer of 64 bits, without a sign."""
    try:
        return <unsigned long long> value.__index__()
    except AttributeError:
        raise TypeError(f"{owner}: {name} must be an integer in [0, 2^64), got {value!r}") from None
    except OverflowError:
        raise ValueError(f"{owner}: {name} must be an integer in [0, 2^64), got {value!r}") from None


def dropout(x, rate, *, seed, step=0, out=None):
    cdef str owner = "dropout"
    cdef cnp.ndarray a = contiguous(owner, "x", x, None), y
    cdef const fo_kernels *table = table_of(a)
    cdef double p = within(owner, "rate", rate, 0, 1, "a number in [0, 1]")
    cdef unsigned long long key = word(owner, "seed", seed), count = word(owner, "step", step)
    y = result_like(owner, "y", out, a)
    if cnp.PyArray_DATA(y) != cnp.PyArray_DATA(a):              # in place is fine
        apart(owner, "y", y, "x", a)
    with nogil:
        table.dropout(cnp.PyArray_SIZE(a), cnp.PyArray_DATA(a), cnp.PyArray_DATA(y), p, key, count)
    return y
