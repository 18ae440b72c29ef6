"""Builds fastopt._core: csrc/kernels.c once per (CPU target, dtype), linked into one extension module."""

import os
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob

import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

TARGETS = {"baseline": (16, [])}  # name: bytes of a vector register, compiler flags
if sysconfig.get_platform().endswith(("x86_64", "amd64")):  # what is built for, which need not be what builds
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
EXTRA = os.environ.get("FASTOPT_CFLAGS", "").split()  # behind all others, so that they win: -fsanitize=..., -g
HEADERS = glob("csrc/**/*.[ch]", recursive=True)


class BuildKernels(build_ext):
    def build_extension(self, ext):
        if self.compiler.compiler_type == "msvc":
            raise SystemExit("fastopt: the kernels use vector extensions that MSVC does not have; see CONTRIBUTING.md, Wheels")

        def compile(folder, sources, flags, **macros):
            return self.compiler.compile(
                sources,
                output_dir=f"{self.build_temp}/{folder}",
                macros=list(macros.items()),
                extra_postargs=CFLAGS + flags + EXTRA,
                depends=HEADERS,
            )

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            units = [
                pool.submit(
                    compile,
                    f"{name}_{bits}",
                    ["csrc/kernels.c"],
                    flags,
                    FO_TABLE=f"fo_{name}_{bits}",
                    FO_ISA=f'"{name}"',
                    FO_BITS=str(bits),
                    FO_VECTOR_BYTES=str(vector_bytes),
                )
                for name, (vector_bytes, flags) in TARGETS.items()
                for bits in (32, 64)
            ]
            common = ["csrc/dispatch.c", "csrc/team.c", "csrc/workspace.c", "csrc/step.c"]
            units.append(pool.submit(compile, "common", common, OPENMP))
        objects = [name for unit in units for name in unit.result()]
        ext.extra_objects = [*ext.extra_objects, *objects]
        super().build_extension(ext)


core = Extension(
    "fastopt._core",
    ["fastopt/_core.pyx"],
    include_dirs=["csrc", numpy.get_include()],
    define_macros=[
        ("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"),
        ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION"),
        ("FO_FLAGS", f'"{" ".join(CFLAGS + OPENMP + EXTRA)}"'),
    ],
    extra_compile_args=["-O2", "-g0", "-fvisibility=hidden", *EXTRA],
    extra_link_args=OPENMP,
    depends=[*HEADERS, "fastopt/_core.pyx", *glob("fastopt/bindings/*.pxi")],  # the sdist carries these, too
)
# force: what Cython makes depends on NumPy's version, which it does not look at
modules = cythonize([core], build_dir="build/cython", language_level=3, force=True)
setup(cmdclass={"build_ext": BuildKernels}, ext_modules=modules)
