"""Operands packed once: the products that use them are the others to the bit, dot products along k excepted."""

import numpy as np
import pytest

from fastopt import kernels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_packed_operands_give_the_same_bits(isa, rng, cut, dtype):
    for threads in (1, 3):
        cut(threads)
        for m in (0, 1, 5, 13, 70):
            for k, n in ((0, 5), (1, 1), (17, 3), (256, 33), (257, 64), (600, 65), (40, 1100)):
                a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
                c = rng.standard_normal((m, n)).astype(dtype)
                packed, turned = kernels.Packed(b), kernels.Packed(np.asfortranarray(b).T, transpose=True)
                assert packed.shape == turned.shape == (k, n)
                assert packed.dtype == dtype
                want = kernels.gemm(a, b, out=c.copy(), accumulate=True)
                for operand in (packed, turned):
                    got = kernels.gemm(a, operand, out=c.copy(), accumulate=True)
                    np.testing.assert_allclose(got, want, rtol=0, atol=4 * np.finfo(dtype).eps * max(k, 1))
                    if m > 8 and n > 8:  # neither side is a few rows
                        np.testing.assert_array_equal(got, want)


def test_packed_operands_are_copies(compiled, rng):
    b = rng.standard_normal((30, 40))
    packed, before = kernels.Packed(b), b.copy()
    b[...] = np.nan
    np.testing.assert_allclose(kernels.gemm(np.eye(30), packed), before)


def test_errors(compiled):
    packed = kernels.Packed(np.ones((3, 4), np.float32))
    with pytest.raises(ValueError, match=r"Packed: b has shape \(3,\), expected two dimensions"):
        kernels.Packed(np.ones(3))
    with pytest.raises(TypeError, match=r"gemm: b was packed for float32, \w+, expected float64, \w+; pack it again"):
        kernels.gemm(np.ones((2, 3)), packed)
    with pytest.raises(ValueError, match=r"gemm: b has shape \(3, 4\), expected \(5, 4\) = \(K, N\)"):
        kernels.gemm(np.ones((2, 5), np.float32), packed)
    with pytest.raises(ValueError, match=r"gemm: transpose_b=True with a packed b, expected Packed\(b, transpose=True\)"):
        kernels.gemm(np.ones((2, 3), np.float32), packed, transpose_b=True)
    if len(compiled.isas()) > 1:
        here, other = compiled.isa(), compiled.isas()[-1]
        compiled.use_isa(compiled.isas()[0])
        packed = kernels.Packed(np.ones((3, 4)))
        compiled.use_isa(other)
        with pytest.raises(TypeError, match="pack it again"):
            kernels.gemm(np.ones((2, 3)), packed)
        compiled.use_isa(here)
