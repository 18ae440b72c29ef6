"""Builds fastopt._core: csrc/kernels.c once per (CPU target, dtype), linked into one extension module."""

import os
import platform
import sys
from glob import glob

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

TARGETS = {"baseline": (16, [])}  # name: bytes of a vector register, compiler flags
if platform.machine() in ("x86_64", "AMD64"):
    TARGETS["avx2"] = (32, ["-mavx2", "-mfma"])
    TARGETS["avx512"] = (64, ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mprefer-vector-width=512"])

# no -ffast-math: NaN and Inf propagate, and gcc 12 would link in code that flushes subnormals for the whole process
CFLAGS = [
    "-std=c11",
    "-O3",
    "-g0",
    "-fno-math-errno",
    "-fno-trapping-math",
    "-ffp-contract=fast",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
]
OPENMP = ["-fopenmp"] if os.environ.get("FASTOPT_OPENMP", "1") != "0" and sys.platform != "darwin" else []
HEADERS = glob("csrc/**/*.[ch]", recursive=True)


class BuildKernels(build_ext):
    def build_extension(self, ext):
        objects = []
        for name, (vector_bytes, flags) in TARGETS.items():
            for bits in (32, 64):
                objects += self.compiler.compile(
                    ["csrc/kernels.c"],
                    output_dir=f"{self.build_temp}/{name}_{bits}",
                    macros=[
                        ("FO_TABLE", f"fo_{name}_{bits}"),
                        ("FO_ISA", f'"{name}"'),
                        ("FO_BITS", str(bits)),
                        ("FO_VECTOR_BYTES", str(vector_bytes)),
                    ],
                    extra_postargs=CFLAGS + flags,
                    depends=HEADERS,
                )
        objects += self.compiler.compile(
            ["csrc/dispatch.c", "csrc/team.c", "csrc/workspace.c", "csrc/step.c"],
            output_dir=f"{self.build_temp}/common",
            extra_postargs=CFLAGS + OPENMP,
            depends=HEADERS,
        )
        ext.extra_objects = [*ext.extra_objects, *objects]
        super().build_extension(ext)


core = Extension(
    "fastopt._core",
    ["fastopt/_core.pyx"],
    include_dirs=["csrc", numpy.get_include()],
    define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")],
    extra_compile_args=["-O2", "-g0", "-fvisibility=hidden"],
    extra_link_args=OPENMP,
    depends=[*HEADERS, "fastopt/_core.pyx", *glob("fastopt/bindings/*.pxi")],  # the sdist carries these, too
)
setup(cmdclass={"build_ext": BuildKernels}, ext_modules=cythonize([core], build_dir="build/cython", language_level=3))
