# Products of matrices and the dense layer.

cdef fo_matrix matrix(cnp.ndarray a, bint transposed) noexcept:
    """A two-dimensional array as C sees it, rows and columns exchanged where asked for."""
    cdef fo_matrix m
    cdef int first = transposed, itemsize = cnp.PyArray_ITEMSIZE(a)
    m.rows, m.cols = cnp.PyArray_DIM(a, first), cnp.PyArray_DIM(a, 1 - first)
    m.row, m.col = cnp.PyArray_STRIDE(a, first) // itemsize, cnp.PyArray_STRIDE(a, 1 - first) // itemsize
    m.data = cnp.PyArray_DATA(a)
    return m


cdef fo_matrix rows_by_last(cnp.ndarray a) noexcept:
    """A contiguous array as a matrix of its last axis."""
    cdef fo_matrix m
    m.cols = last(a)
    m.rows, m.row, m.col, m.data = rows_of(a), m.cols, 1, cnp.PyArray_DATA(a)
    return m


def gemm(a, b, *, bint transpose_a=False, bint transpose_b=False, out=None, bint accumulate=False):
    cdef cnp.ndarray x = strided("gemm", "a", a, None), y = strided("gemm", "b", b, x), z
    cdef fo_matrix ma, mb, mc
    cdef cnp.npy_intp[2] shape
    cdef const fo_kernels *table = table_of(x)
    cdef int status
    if cnp.PyArray_NDIM(x) != 2:
        wrong_shape("gemm", "a", x, "two dimensions")
    if cnp.PyArray_NDIM(y) != 2:
        wrong_shape("gemm", "b", y, "two dimensions")
    ma, mb = matrix(x, transpose_a), matrix(y, transpose_b)
    if ma.cols != mb.rows:
        wrong_shape("gemm", "b", y, f"({mb.cols}, {ma.cols}) = (N, K)" if transpose_b else f"({ma.cols}, {mb.cols}) = (K, N)")
    if accumulate and out is None:
        raise ValueError("gemm: accumulate=True needs out, the array to add to")
    shape[0], shape[1] = ma.rows, mb.cols
    z = result("gemm", "c", out, 2, shape, cnp.PyArray_TYPE(x))
    if out is not None:
        apart("gemm", "c", z, "a", x)
        apart("gemm", "c", z, "b", y)
    mc = matrix(z, False)
    with nogil:
        status = table.gemm(&ma, &mb, &mc, accumulate)
    if status:
        raise MemoryError("gemm: no memory to pack the matrices in")
    return z
