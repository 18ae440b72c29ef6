# Activations: their names, looked up once, and both directions.
from fastopt.reference.activations import ACTIVATIONS, lookup


def activations():
    """Names of the activations in the table, by kind."""
    names, i = [], 0
    while single.activations[i].name != NULL:
        names.append((<bytes>single.activations[i].name).decode())
        i += 1
    return names


cdef class Activation:
    """One activation as C knows it."""
    cdef int kind
    cdef bint needs_z
    cdef double alpha

    def __init__(self, kind, needs_z, alpha):
        self.kind, self.needs_z, self.alpha = kind, needs_z, alpha


cdef dict known_activations = {}


cdef Activation activation_of(str owner, object name, object alpha, int ndim, double *value):
    """The activation of that name, and in `value` its alpha; raises as the definition does."""
    cdef Activation found
    if not known_activations:  # filled in one go: another thread sees all or nothing
        rules = [(kind, key, ACTIVATIONS[key]) for kind, key in enumerate(activations())]
        known_activations.update({key: Activation(kind, rule.needs_z, rule.alpha or 0) for kind, key, rule in rules})
    if alpha is None and ndim > 0 and type(name) is str:
        found = known_activations.get(name)
        if found is not None:
            value[0] = found.alpha
            return found
    alpha = lookup(owner, name, alpha, ndim)[1]
    value[0] = 0 if alpha is None else alpha
    return known_activations[name]


cdef int apart_or_same(str owner, str name, cnp.ndarray out, str argument, cnp.ndarray array) except -1:
    """Raises where a result overlaps an argument without being it."""
    if cnp.PyArray_BYTES(out) != cnp.PyArray_BYTES(array) or not cnp.PyArray_IS_C_CONTIGUOUS(array):
        apart(owner, name, out, argument, array)
    return 0


def activation_forward(x, activation="linear", *, alpha=None, out=None):
    cdef cnp.ndarray z = contiguous("activation_forward", "x", x, None), y
    cdef double value
    cdef Activation f = activation_of("activation_forward", activation, alpha, cnp.PyArray_NDIM(z), &value)
    cdef const fo_kernels *table = table_of(z)
    cdef ptrdiff_t rows = rows_of(z), cols = last(z)
    y = result_like("activation_forward", "y", out, z)
    if out is not None:
        apart_or_same("activation_forward", "y", y, "x", z)
    with nogil:
        table.activation_forward(rows, cols, f.kind, value, cnp.PyArray_DATA(z), cnp.PyArray_DATA(y))
    return y


def activation_backward(dy, y, activation="linear", *, z=None, alpha=None, out=None):
    cdef str owner = "activation_backward"
    cdef cnp.ndarray d = contiguous(owner, "dy", dy, None), a = contiguous(owner, "y", y, d), b = a, dz
    cdef double value
    cdef Activation f = activation_of(owner, activation, alpha, cnp.PyArray_NDIM(a), &value)
    cdef const fo_kernels *table = table_of(d)
    cdef ptrdiff_t rows = rows_of(d), cols = last(d)
    if not same_shape(d, a):
        wrong_shape(owner, "y", a, f"{np.shape(dy)} as dy")
    if z is not None:
        b = contiguous(owner, "z", z, d)
        if not same_shape(d, b):
            wrong_shape(owner, "z", b, f"{np.shape(dy)} as dy")
    elif f.needs_z:
        raise ValueError(f"{owner}: activation {activation!r} needs z, got None: its derivative is no function of y")
    dz = result_like(owner, "dz", out, d)
    if out is not None:
        apart_or_same(owner, "dz", dz, "dy", d)
        apart_or_same(owner, "dz", dz, "y", a)
        apart_or_same(owner, "dz", dz, "z", b)
    with nogil:
        table.activation_backward(rows, cols, f.kind, value, cnp.PyArray_DATA(d), cnp.PyArray_DATA(a), cnp.PyArray_DATA(b),
                                  cnp.PyArray_DATA(dz))
    return dz
