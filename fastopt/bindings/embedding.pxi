# Rows of a matrix by number.

cdef cnp.ndarray fill_embedding(str owner, fo_embedding *e, object indices, cnp.ndarray embeddings):
    """The sizes, checked, and the indices, which come back as int64."""
    cdef cnp.ndarray numbers
    if not isinstance(indices, cnp.ndarray):
        raise TypeError(f"{owner}: indices is of type {type(indices).__qualname__}, expected a NumPy array of integers")
    if not cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(<cnp.ndarray> indices)):
        raise TypeError(f"{owner}: indices has dtype {indices.dtype}, expected integers")
    if cnp.PyArray_NDIM(embeddings) != 2:
        wrong_shape(owner, "embeddings", embeddings, "(V, D)")
    numbers = cnp.PyArray_FROM_OTF(indices, cnp.NPY_INT64, cnp.NPY_ARRAY_IN_ARRAY | cnp.NPY_ARRAY_FORCECAST)
    memset(e, 0, sizeof(fo_embedding))
    e.count, e.indices = cnp.PyArray_SIZE(numbers), <const cnp.int64_t *> cnp.PyArray_DATA(numbers)
    e.vocabulary, e.columns = cnp.PyArray_DIM(embeddings, 0), cnp.PyArray_DIM(embeddings, 1)
    return numbers


cdef int outside(str owner, object indices, cnp.npy_intp position, cnp.npy_intp vocabulary) except -1:
    """Raises for the index at this position in C order."""
    at = tuple([int(k) for k in np.unravel_index(position, indices.shape)])
    raise ValueError(f"{owner}: indices{list(at) or ''} is {indices[at]}, expected an index in [0, {vocabulary}) = [0, V)")


def embedding_forward(indices, embeddings, *, out=None):
    cdef str owner = "embedding_forward"
    cdef cnp.ndarray w = contiguous(owner, "embeddings", embeddings, None), y
    cdef const fo_kernels *table = table_of(w)
    cdef fo_embedding e
    cdef cnp.ndarray numbers = fill_embedding(owner, &e, indices, w)
    cdef cnp.npy_intp[cnp.NPY_MAXDIMS + 1] shape
    cdef cnp.npy_intp wrong
    cdef int i, ndim = cnp.PyArray_NDIM(numbers)
    for i in range(ndim):
        shape[i] = cnp.PyArray_DIM(numbers, i)
    shape[ndim] = e.columns
    y = result(owner, "y", out, ndim + 1, shape, cnp.PyArray_TYPE(w))
    if out is not None:
        apart(owner, "y", y, "embeddings", w)
        apart(owner, "y", y, "indices", numbers)
    e.embeddings, e.y = cnp.PyArray_DATA(w), cnp.PyArray_DATA(y)
    with nogil:
        wrong = table.embedding_forward(&e)
    if wrong >= 0:
        outside(owner, indices, wrong, e.vocabulary)
    return y


def embedding_backward(dy, indices, embeddings, *, bint accumulate=False, out=None):
    cdef str owner = "embedding_backward"
    cdef cnp.ndarray g = contiguous(owner, "dy", dy, None), w = strided(owner, "embeddings", embeddings, g), dw
    cdef const fo_kernels *table = table_of(g)
    cdef fo_embedding e
    cdef cnp.ndarray numbers = fill_embedding(owner, &e, indices, w)
    cdef cnp.npy_intp wrong
    if not of_rows(numbers, g) or last(g) != e.columns:
        wrong_shape(owner, "dy", g, f"{(*indices.shape, e.columns)} = (..., D)")
    if accumulate and out is None:
        raise ValueError(f"{owner}: accumulate=True needs out, the array to add to")
    dw = result_like(owner, "dembeddings", out, w)
    if out is not None:
        apart(owner, "dembeddings", dw, "dy", g)
        apart(owner, "dembeddings", dw, "indices", numbers)
    e.dy, e.dembeddings, e.accumulate = cnp.PyArray_DATA(g), cnp.PyArray_DATA(dw), accumulate
    with nogil:
        wrong = table.embedding_backward(&e)
    if wrong >= 0:
        outside(owner, indices, wrong, e.vocabulary)
    return dw
