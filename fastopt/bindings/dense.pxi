# Products of matrices and the dense layer.

cdef fo_matrix matrix(cnp.ndarray a, bint transposed) noexcept:
    """A two-dimensional array as C sees it, rows and columns exchanged where asked for."""
    cdef fo_matrix m
    cdef int first = transposed, itemsize = cnp.PyArray_ITEMSIZE(a)
    m.rows, m.cols = cnp.PyArray_DIM(a, first), cnp.PyArray_DIM(a, 1 - first)
    m.row, m.col = cnp.PyArray_STRIDE(a, first) // itemsize, cnp.PyArray_STRIDE(a, 1 - first) // itemsize
    m.data, m.packed = cnp.PyArray_DATA(a), NULL
    return m


cdef class Packed:
    """A copy of a matrix in the order in which products read their right operand: gemm takes it for b, and packs nothing.

    It serves the CPU target that it was made on.
    """
    cdef readonly tuple shape
    cdef readonly object dtype
    cdef cnp.ndarray panels
    cdef const fo_kernels *table

    def __cinit__(self, b, *, bint transpose=False):
        cdef cnp.ndarray array = strided("Packed", "b", b, None)
        cdef cnp.npy_intp[1] size
        cdef fo_matrix m
        if cnp.PyArray_NDIM(array) != 2:
            wrong_shape("Packed", "b", array, "two dimensions")
        m = matrix(array, transpose)
        self.shape, self.dtype, self.table = (m.rows, m.cols), array.dtype, table_of(array)
        size[0] = self.table.packed_size(m.rows, m.cols)
        self.panels = cnp.PyArray_EMPTY(1, size, cnp.PyArray_TYPE(array), 0)
        self.table.pack(&m, cnp.PyArray_DATA(self.panels))


cdef fo_matrix packed_matrix(str owner, str name, Packed b, cnp.ndarray like) except *:
    """A packed right operand as C sees it."""
    cdef fo_matrix m
    if b.table != table_of(like):
        raise TypeError(f"{owner}: {name} was packed for {b.dtype}, {(<bytes> b.table.isa).decode()}, expected {like.dtype}, "
                        f"{(<bytes> table_of(like).isa).decode()}; pack it again")
    memset(&m, 0, sizeof(m))
    m.rows, m.cols = b.shape
    m.packed = cnp.PyArray_DATA(b.panels)
    return m


def gemm(a, b, *, bint transpose_a=False, bint transpose_b=False, out=None, bint accumulate=False):
    cdef cnp.ndarray x = strided("gemm", "a", a, None), y = None, z
    cdef fo_matrix ma, mb, mc
    cdef cnp.npy_intp[2] shape
    cdef const fo_kernels *table = table_of(x)
    cdef int status
    if cnp.PyArray_NDIM(x) != 2:
        wrong_shape("gemm", "a", x, "two dimensions")
    ma = matrix(x, transpose_a)
    if isinstance(b, Packed):
        if transpose_b:
            raise ValueError("gemm: transpose_b=True with a packed b, expected Packed(b, transpose=True)")
        mb = packed_matrix("gemm", "b", b, x)
    else:
        y = strided("gemm", "b", b, x)
        if cnp.PyArray_NDIM(y) != 2:
            wrong_shape("gemm", "b", y, "two dimensions")
        mb = matrix(y, transpose_b)
    if ma.cols != mb.rows:
        wrong_shape("gemm", "b", b, f"({mb.cols}, {ma.cols}) = (N, K)" if transpose_b else f"({ma.cols}, {mb.cols}) = (K, N)")
    if accumulate and out is None:
        raise ValueError("gemm: accumulate=True needs out, the array to add to")
    shape[0], shape[1] = ma.rows, mb.cols
    z = result("gemm", "c", out, 2, shape, cnp.PyArray_TYPE(x))
    if out is not None:
        apart("gemm", "c", z, "a", x)
        if y is not None:
            apart("gemm", "c", z, "b", y)
    mc = matrix(z, False)
    with nogil:
        status = table.gemm(&ma, &mb, &mc, accumulate)
    if status:
        raise MemoryError("gemm: no memory to pack the matrices in")
    return z


cdef int fill_dense(str owner, fo_dense *d, cnp.ndarray x, cnp.ndarray kernel) except -1:
    """The sizes of a layer, checked, and its input and kernel."""
    if cnp.PyArray_NDIM(kernel) != 2:
        wrong_shape(owner, "kernel", kernel, "(I, O)")
    if cnp.PyArray_NDIM(x) < 1 or last(x) != cnp.PyArray_DIM(kernel, 0):
        wrong_shape(owner, "x", x, f"(..., {kernel.shape[0]}) = (..., I)")
    memset(d, 0, sizeof(fo_dense))
    d.rows, d.inputs, d.outputs = rows_of(x), last(x), last(kernel)
    d.x, d.kernel = cnp.PyArray_DATA(x), cnp.PyArray_DATA(kernel)
    return 0


def dense_forward(x, kernel, bias=None, activation="linear", *, bint return_z=False, alpha=None, out=None):
    cdef str owner = "dense_forward"
    cdef cnp.ndarray a = contiguous(owner, "x", x, None), w = contiguous(owner, "kernel", kernel, a), b, y, z
    cdef cnp.npy_intp[cnp.NPY_MAXDIMS] shape
    cdef fo_dense d
    cdef const fo_kernels *table = table_of(a)
    cdef int i, status, ndim = cnp.PyArray_NDIM(a)
    fill_dense(owner, &d, a, w)
    d.activation = activation_of(owner, activation, alpha, ndim, &d.alpha).kind
    if bias is not None:
        b = contiguous(owner, "bias", bias, a)
        if cnp.PyArray_NDIM(b) != 1 or last(b) != d.outputs:
            wrong_shape(owner, "bias", b, f"({d.outputs},) = (O,)")
        d.bias = cnp.PyArray_DATA(b)
    for i in range(ndim):
        shape[i] = cnp.PyArray_DIM(a, i)
    shape[ndim - 1] = d.outputs
    y_out, z_out = outs(owner, out, 2) if return_z else (out, None)
    y = result(owner, "y", y_out, ndim, shape, cnp.PyArray_TYPE(a))
    d.y = cnp.PyArray_DATA(y)
    if return_z:
        z = result(owner, "z", z_out, ndim, shape, cnp.PyArray_TYPE(a))
        d.z = cnp.PyArray_DATA(z)
    if out is not None:
        apart_from(owner, "y", y, a, w)
        if bias is not None:
            apart(owner, "y", y, "bias", b)
        if return_z:
            apart_from(owner, "z", z, a, w)
            apart(owner, "y", y, "z", z)
            if bias is not None:
                apart(owner, "z", z, "bias", b)
    with nogil:
        status = table.dense_forward(&d)
    if status:
        raise MemoryError(f"{owner}: no memory to pack the matrices in")
    return (y, z) if return_z else y


cdef int apart_from(str owner, str name, cnp.ndarray out, cnp.ndarray x, cnp.ndarray kernel) except -1:
    apart(owner, name, out, "x", x)
    apart(owner, name, out, "kernel", kernel)
    return 0


def dense_backward(dy, x, kernel, y, activation="linear", *, z=None, alpha=None, need=(True, True, True), bint accumulate=False,
                   bint overwrite_dy=False, out=None):
    cdef str owner = "dense_backward"
    cdef cnp.ndarray a = contiguous(owner, "x", x, None), w = contiguous(owner, "kernel", kernel, a)
    cdef cnp.ndarray g = contiguous(owner, "dy", dy, a), v = contiguous(owner, "y", y, a), u
    cdef cnp.npy_intp[1] width
    cdef cnp.npy_intp[cnp.NPY_MAXDIMS] shape
    cdef fo_dense d
    cdef const fo_kernels *table = table_of(a)
    cdef int i, status
    cdef Activation f
    fill_dense(owner, &d, a, w)
    f = activation_of(owner, activation, alpha, cnp.PyArray_NDIM(a), &d.alpha)
    d.activation = f.kind
    for i in range(cnp.PyArray_NDIM(a)):
        shape[i] = cnp.PyArray_DIM(a, i)
    shape[cnp.PyArray_NDIM(a) - 1] = d.outputs
    if cnp.PyArray_NDIM(g) != cnp.PyArray_NDIM(a) or not cnp.PyArray_CompareLists(cnp.PyArray_DIMS(g), shape, cnp.PyArray_NDIM(a)):
        wrong_shape(owner, "dy", g, f"{(*np.shape(x)[:np.ndim(x) - 1], d.outputs)} = (..., O)")
    if not same_shape(v, g):
        wrong_shape(owner, "y", v, f"{np.shape(dy)} as dy")
    if z is not None:
        u = contiguous(owner, "z", z, a)
        if not same_shape(u, g):
            wrong_shape(owner, "z", u, f"{np.shape(dy)} as dy")
        d.z = cnp.PyArray_DATA(u)
    elif f.needs_z:
        raise ValueError(f"{owner}: activation {activation!r} needs z, got None: its derivative is no function of y")
    if not isinstance(need, (tuple, list)) or len(need) != 3:
        raise TypeError(f"{owner}: need must be three flags, for dx, dkernel and dbias, got {need!r}")
    need_dx, need_dkernel, need_dbias = need
    dx_out, dkernel_out, dbias_out = outs(owner, out, 3)
    if accumulate and ((need_dkernel and dkernel_out is None) or (need_dbias and dbias_out is None)):
        raise ValueError(f"{owner}: accumulate=True needs dkernel and dbias in out, the arrays to add to")
    dx = dkernel = dbias = None
    if need_dx:
        dx = result_like(owner, "dx", dx_out, a)
        d.dx = cnp.PyArray_DATA(<cnp.ndarray> dx)
    if need_dkernel:
        dkernel = result_like(owner, "dkernel", dkernel_out, w)
        d.dkernel = cnp.PyArray_DATA(<cnp.ndarray> dkernel)
    if need_dbias:
        width[0] = d.outputs
        dbias = result(owner, "dbias", dbias_out, 1, width, cnp.PyArray_TYPE(a))
        d.dbias = cnp.PyArray_DATA(<cnp.ndarray> dbias)
    if out is not None:
        for name, array in (("dx", dx), ("dkernel", dkernel), ("dbias", dbias)):
            if array is not None:
                apart_from(owner, name, array, a, w)
                apart(owner, name, array, "dy", g)
                apart(owner, name, array, "y", v)
                if z is not None:
                    apart(owner, name, array, "z", u)
        for name, array, other, second in (("dx", dx, "dkernel", dkernel), ("dx", dx, "dbias", dbias),
                                           ("dkernel", dkernel, "dbias", dbias)):
            if array is not None and second is not None:
                apart(owner, name, array, other, second)
    d.dy, d.y = cnp.PyArray_DATA(g), cnp.PyArray_DATA(v)
    d.accumulate = accumulate
    d.overwrite_dy = overwrite_dy and spare(g, a, w, v, None if z is None else u)
    with nogil:
        status = table.dense_backward(&d)
    if status:
        raise MemoryError(f"{owner}: no memory to pack the matrices in")
    return dx, dkernel, dbias


cdef bint spare(cnp.ndarray dy, cnp.ndarray x, cnp.ndarray kernel, cnp.ndarray y, cnp.ndarray z) noexcept:
    """Whether dy, which may be overwritten, can be: not where it lies in what is still read."""
    return (cnp.PyArray_ISWRITEABLE(dy) and not meet(dy, x) and not meet(dy, kernel) and not meet(dy, y)
            and (z is None or not meet(dy, z)))


cdef class DensePasses:
    """dense_forward and dense_backward for a layer that gets input of one shape after the other, and writes to the same arrays.

    What a call has in common with the one before is not checked again; whatever is not as it was goes through the functions.
    """
    cdef fo_dense d                                            # as of the call before
    cdef str activation
    cdef object alpha, kernel, bias
    cdef cnp.ndarray x, y, z
    cdef tuple out

    def __cinit__(self, str activation not None, alpha, cnp.ndarray y not None, cnp.ndarray z):
        self.activation, self.alpha, self.y, self.z = activation, alpha, y, z

    def forward(self, x, kernel, bias):
        """y, the array that it was made with."""
        cdef fo_dense d
        cdef const fo_kernels *table = table_of(self.y)
        cdef int status
        if (kernel is self.kernel and bias is self.bias and twin(x, self.x) and not meet(x, self.y)
                and (self.z is None or not meet(x, self.z))):
            self.x, self.d.x = x, cnp.PyArray_DATA(<cnp.ndarray> x)
            d = self.d
            with nogil:
                status = table.dense_forward(&d)
            if status:
                raise MemoryError("dense_forward: no memory to pack the matrices in")
            return self.y
        self.kernel = None
        out = self.y if self.z is None else (self.y, self.z)
        dense_forward(x, kernel, bias, self.activation, return_z=self.z is not None, alpha=self.alpha, out=out)
        if plain(x) and plain(kernel) and (bias is None or plain(bias)):
            fill_dense("dense_forward", &self.d, x, kernel)
            self.d.activation = activation_of("dense_forward", self.activation, self.alpha, 1, &self.d.alpha).kind
            self.d.bias = NULL if bias is None else cnp.PyArray_DATA(<cnp.ndarray> bias)
            self.d.y = cnp.PyArray_DATA(self.y)
            self.d.z = NULL if self.z is None else cnp.PyArray_DATA(self.z)
            self.x, self.kernel, self.bias, self.out = x, kernel, bias, None
        return self.y

    def backward(self, dy, x, kernel, tuple out, bint accumulate):
        """Writes dx, dkernel, dbias to the arrays of `out`, None for one that is not wanted; dy may be overwritten."""
        cdef fo_dense d
        cdef const fo_kernels *table = table_of(self.y)
        cdef int status
        cdef bint known = kernel is self.kernel and x is self.x
        if known and out is self.out and twin(dy, self.y) and self.clear(dy):
            d = self.d
            d.dy, d.accumulate = cnp.PyArray_DATA(<cnp.ndarray> dy), accumulate
            d.overwrite_dy = spare(dy, x, kernel, self.y, self.z)
            with nogil:
                status = table.dense_backward(&d)
            if status:
                raise MemoryError("dense_backward: no memory to pack the matrices in")
            return
        self.out = None
        need = tuple([array is not None for array in out])
        dense_backward(dy, x, kernel, self.y, self.activation, z=self.z, alpha=self.alpha, need=need, accumulate=accumulate,
                       overwrite_dy=True, out=out)
        if known:
            dx, dkernel, dbias = out
            self.d.dx = NULL if dx is None else cnp.PyArray_DATA(<cnp.ndarray> dx)
            self.d.dkernel = NULL if dkernel is None else cnp.PyArray_DATA(<cnp.ndarray> dkernel)
            self.d.dbias = NULL if dbias is None else cnp.PyArray_DATA(<cnp.ndarray> dbias)
            self.out = out

    cdef bint clear(self, cnp.ndarray dy):
        """Whether the gradients to write lie apart from dy and x, which are others in each call."""
        for array in self.out:
            if array is not None and (meet(<cnp.ndarray> array, dy) or meet(<cnp.ndarray> array, self.x)):
                return False
        return True
