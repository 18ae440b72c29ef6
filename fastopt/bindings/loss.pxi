# Losses, and the penalty on weights.
from libc.float cimport DBL_MAX

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8(str text)                      # kept by the text

cdef str FINITE = "a finite number >= 0"


cdef double within(str owner, str name, object value, double low, double high, str expected) except? -1:
    """A number of [low, high]."""
    cdef double number
    try:
        number = value
    except TypeError:
        raise TypeError(f"{owner}: {name} must be {expected}, got {value!r}") from None
    if not low <= number <= high:
        raise ValueError(f"{owner}: {name} must be {expected}, got {value!r}")
    return number


cdef bint of_rows(cnp.ndarray a, cnp.ndarray like) noexcept:
    """Whether the shape is that of `like` without its last axis."""
    cdef int i, ndim = cnp.PyArray_NDIM(like) - 1
    if cnp.PyArray_NDIM(a) != ndim:
        return False
    for i in range(ndim):
        if cnp.PyArray_DIM(a, i) != cnp.PyArray_DIM(like, i):
            return False
    return True


cdef str for_rows_of(str name, object like):
    """What is expected where of_rows is not so."""
    shape = like.shape
    return f"{shape[:len(shape) - 1]} for {name} of shape {shape}"


cdef cnp.ndarray receiver(str owner, object rows, cnp.ndarray y_pred):
    """The array that the rows' losses are written to."""
    if plain(rows) and cnp.PyArray_ISWRITEABLE(<cnp.ndarray> rows) and cnp.PyArray_TYPE(<cnp.ndarray> rows) == cnp.PyArray_TYPE(y_pred) \
            and of_rows(rows, y_pred):
        return <cnp.ndarray> rows
    wanted = f"expected a writeable C-contiguous {y_pred.dtype} array of shape {for_rows_of('y_pred', y_pred)}"
    if not isinstance(rows, cnp.ndarray):
        raise TypeError(f"{owner}: rows is of type {type(rows).__qualname__}, {wanted}")
    raise ValueError(f"{owner}: rows has shape {rows.shape}, dtype {rows.dtype}, strides {rows.strides}"
                     f"{'' if rows.flags.writeable else ', is read-only'}, {wanted}")


cdef cnp.ndarray labels_of(str owner, object y_true, cnp.ndarray y_pred):
    """Integer labels as int64, each in [0, C)."""
    cdef cnp.ndarray labels
    cdef cnp.npy_intp wrong, classes = last(y_pred)
    if not isinstance(y_true, cnp.ndarray):
        raise TypeError(f"{owner}: y_true is of type {type(y_true).__qualname__}, expected a NumPy array of integers")
    if not cnp.PyTypeNum_ISINTEGER(cnp.PyArray_TYPE(<cnp.ndarray> y_true)):
        raise TypeError(f"{owner}: y_true has dtype {y_true.dtype}, expected integers")
    if not of_rows(y_true, y_pred):
        wrong_shape(owner, "y_true", y_true, for_rows_of("y_pred", y_pred))
    labels = cnp.PyArray_FROM_OTF(y_true, cnp.NPY_INT64, cnp.NPY_ARRAY_IN_ARRAY | cnp.NPY_ARRAY_FORCECAST)
    wrong = outside_of(labels, classes)
    if wrong >= 0:
        at = tuple([int(k) for k in np.unravel_index(wrong, y_true.shape)])
        raise ValueError(f"{owner}: y_true{list(at) or ''} is {y_true[at]}, expected a class in [0, {classes})")
    return labels


cdef object loss(str name, object y_true, object y_pred, object weight, object rows, object out, fo_loss *l,
                 bint sparse):
    """Checks the arrays, which `l` then holds, and calls the kernel: value, dy."""
    cdef cnp.ndarray p = contiguous(name, "y_pred", y_pred, None), t, w, each, dy
    cdef const fo_kernels *table = table_of(p)
    cdef const char *kernel = PyUnicode_AsUTF8(name)
    cdef double value
    if cnp.PyArray_NDIM(p) == 0 or last(p) == 0:
        wrong_shape(name, "y_pred", p, "(..., C) with at least one column")
    if sparse:
        t = labels_of(name, y_true, p)
    else:
        t = contiguous(name, "y_true", y_true, p)
        if not same_shape(t, p):
            shape = (<object> p).shape
            wrong_shape(name, "y_true", t, f"{shape} for y_pred of shape {shape}")
    dy = result_like(name, "dy", out, p)
    if out is not None:
        apart(name, "dy", dy, "y_pred", p)
        apart(name, "dy", dy, "y_true", t)
    l.weight = l.each = NULL
    if weight is not None:
        w = contiguous(name, "weight", weight, p)
        if not of_rows(w, p):
            wrong_shape(name, "weight", w, for_rows_of("y_pred", p))
        if out is not None:
            apart(name, "dy", dy, "weight", w)
        l.weight = cnp.PyArray_DATA(w)
    if rows is not None:
        each = receiver(name, rows, p)
        for argument, array in (("y_pred", p), ("y_true", t), ("weight", weight), ("dy", dy)):
            if array is not None and np.may_share_memory(each, array) and np.shares_memory(each, array):
                raise ValueError(f"{name}: rows overlaps {argument} in memory; pass another array")
        l.each = cnp.PyArray_DATA(each)
    l.rows, l.columns, l.y_pred, l.dy = rows_of(p), last(p), cnp.PyArray_DATA(p), cnp.PyArray_DATA(dy)
    l.y_true = cnp.PyArray_DATA(t)
    l.labels = <const cnp.int64_t *> l.y_true if sparse else NULL
    with nogil:
        value = fo_find_loss(table, kernel)(l)
    return value, dy


def mean_squared_error(y_true, y_pred, *, weight=None, rows=None, out=None):
    cdef fo_loss l
    return loss("mean_squared_error", y_true, y_pred, weight, rows, out, &l, False)


def mean_absolute_error(y_true, y_pred, *, weight=None, rows=None, out=None):
    cdef fo_loss l
    return loss("mean_absolute_error", y_true, y_pred, weight, rows, out, &l, False)


def huber(y_true, y_pred, *, delta=1.0, weight=None, rows=None, out=None):
    cdef fo_loss l
    l.delta = within("huber", "delta", delta, 5e-324, INFINITY, "a number above 0")
    return loss("huber", y_true, y_pred, weight, rows, out, &l, False)


def binary_crossentropy(y_true, y_pred, *, bint from_logits=False, label_smoothing=0.0, weight=None, rows=None, out=None):
    cdef fo_loss l
    l.from_logits = from_logits
    l.label_smoothing = within("binary_crossentropy", "label_smoothing", label_smoothing, 0, 1, "a number in [0, 1]")
    return loss("binary_crossentropy", y_true, y_pred, weight, rows, out, &l, False)


def categorical_crossentropy(y_true, y_pred, *, bint from_logits=False, label_smoothing=0.0, weight=None, rows=None, out=None):
    cdef fo_loss l
    l.from_logits = from_logits
    l.label_smoothing = within("categorical_crossentropy", "label_smoothing", label_smoothing, 0, 1, "a number in [0, 1]")
    return loss("categorical_crossentropy", y_true, y_pred, weight, rows, out, &l, False)


def sparse_categorical_crossentropy(y_true, y_pred, *, bint from_logits=False, weight=None, rows=None, out=None):
    cdef fo_loss l
    l.from_logits, l.label_smoothing = from_logits, 0
    return loss("sparse_categorical_crossentropy", y_true, y_pred, weight, rows, out, &l, True)


def kl_divergence(y_true, y_pred, *, weight=None, rows=None, out=None):
    cdef fo_loss l
    return loss("kl_divergence", y_true, y_pred, weight, rows, out, &l, False)


def hinge(y_true, y_pred, *, weight=None, rows=None, out=None):
    cdef fo_loss l
    return loss("hinge", y_true, y_pred, weight, rows, out, &l, False)


def cosine_similarity(y_true, y_pred, *, weight=None, rows=None, out=None):
    cdef fo_loss l
    return loss("cosine_similarity", y_true, y_pred, weight, rows, out, &l, False)


def penalty(param, *, l1=0.0, l2=0.0, bint accumulate=False, out=None):
    cdef cnp.ndarray w = contiguous("penalty", "param", param, None), gradient
    cdef const fo_kernels *table = table_of(w)
    cdef double value, first = within("penalty", "l1", l1, 0, DBL_MAX, FINITE), second = within("penalty", "l2", l2, 0, DBL_MAX, FINITE)
    if accumulate and out is None:
        raise ValueError("penalty: accumulate=True needs out, the array to add to")
    gradient = result_like("penalty", "gradient", out, w)
    if out is not None:
        apart("penalty", "gradient", gradient, "param", w)
    with nogil:
        value = table.penalty(cnp.PyArray_SIZE(w), cnp.PyArray_DATA(w), cnp.PyArray_DATA(gradient), first, second, accumulate)
    return value, gradient
