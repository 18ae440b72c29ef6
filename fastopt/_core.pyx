# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The one compiled module: checks arguments, releases the GIL, calls the kernel tables of csrc/. No arithmetic here."""
cimport cython
cimport numpy as cnp
from cpython.object cimport PyObject
from libc.math cimport INFINITY, isnan
from libc.stdlib cimport calloc, free
from libc.string cimport memset

import os

cnp.import_array()

include "bindings/machine.pxi"
include "bindings/optim.pxi"
