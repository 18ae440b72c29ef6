# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The one compiled module: checks arguments, releases the GIL, calls the kernel tables of csrc/. No arithmetic here."""
cimport numpy as cnp
from cpython.dict cimport PyDict_Next
from cpython.object cimport PyObject
from libc.math cimport INFINITY
from libc.stdlib cimport calloc, free
from libc.string cimport memset

import os
import time

import numpy as np

cdef extern from "Python.h":
    PyObject *PyTuple_GET_ITEM(tuple t, Py_ssize_t i)           # borrowed, unlike Cython's own

cnp.import_array()

include "bindings/machine.pxi"
include "bindings/arrays.pxi"
include "bindings/range.pxi"
include "bindings/optim.pxi"
include "bindings/activation.pxi"
include "bindings/dense.pxi"
include "bindings/loss.pxi"
include "bindings/dropout.pxi"
include "bindings/normalization.pxi"
include "bindings/recurrent.pxi"
include "bindings/embedding.pxi"
