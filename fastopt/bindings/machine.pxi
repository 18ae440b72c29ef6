# The C interface of csrc/fastopt.h, the choice of the CPU target, and threads.

cdef extern from "fastopt.h" nogil:
    enum: FO_STATES
    ctypedef struct fo_hyper:
        double lr, weight_decay, grad_scale, clip_value, clip_factor
        double momentum, dampening, lr_decay, alpha, rho, eps, eps_root
        double beta1, beta2, momentum_decay, threshold
        double eta_minus, eta_plus, step_min, step_max, ema
        int maximize, decoupled_weight_decay, nesterov, velocity, centered, lr_in_momentum
        int eps_mode, amsgrad, bias_correction, scheduled_momentum, clamp_unchanged, delayed, flush_subnormals
    ctypedef void (*fo_update)(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h) noexcept nogil
    ctypedef struct fo_optimizer:
        const char *name
    ctypedef struct fo_activation:
        const char *name
    ctypedef struct fo_matrix:
        ptrdiff_t rows, cols
        const void *data
        ptrdiff_t row, col
        const void *packed
    ctypedef struct fo_dense:
        ptrdiff_t rows, inputs, outputs
        const void *x
        const void *kernel
        const void *bias
        void *y
        void *z
        int activation
        double alpha
        const void *dy
        void *dx
        void *dkernel
        void *dbias
        bint accumulate, overwrite_dy

    ctypedef struct fo_loss:
        ptrdiff_t rows, columns
        const void *y_true
        const void *y_pred
        const cnp.int64_t *labels
        const void *weight
        void *each
        void *dy
        double delta, label_smoothing
        bint from_logits
    ctypedef double (*fo_loss_value)(const fo_loss *l) noexcept nogil
    ctypedef struct fo_norm:
        ptrdiff_t rows, columns
        const void *x
        const void *dy
        const void *gamma
        const void *beta
        void *y
        void *mean
        void *spread
        void *dgamma
        void *dbeta
        double eps
        bint fixed
    enum: FO_RNN, FO_LSTM, FO_GRU, FO_GRU_BEFORE
    ctypedef struct fo_recurrent:
        int cell, gates, activation, recurrent_activation
        double alpha, recurrent_alpha, clip
        bint reverse, input_forget, keep
        ptrdiff_t batch, steps, inputs, units, outputs
        const cnp.int64_t *lengths
        const void *x
        const void *kernel
        const void *recurrent_kernel
        const void *bias
        const void *h0
        const void *c0
        const void *peepholes
        const void *projection
        const void *input_mask
        const void *recurrent_mask
        int input_masks, recurrent_masks
        void *y
        void *h_n
        void *c_n
        void *memory
        const void *dy
        const void *dh_n
        const void *dc_n
        void *dx
        void *dkernel
        void *drecurrent
        void *dbias
        void *dh0
        void *dc0
        void *dpeepholes
        void *dprojection
        bint accumulate
    ctypedef struct fo_embedding:
        ptrdiff_t count, vocabulary, columns
        const cnp.int64_t *indices
        const void *embeddings
        const void *dy
        void *y
        void *dembeddings
        bint accumulate
    ctypedef struct fo_kernels:
        const char *isa
        const fo_optimizer *optimizers
        void (*ema)(ptrdiff_t n, void *average, const void *param, double decay) noexcept nogil
        int (*gemm)(const fo_matrix *a, const fo_matrix *b, const fo_matrix *c, bint accumulate) noexcept nogil
        ptrdiff_t (*packed_size)(ptrdiff_t rows, ptrdiff_t cols) noexcept nogil
        void (*pack)(const fo_matrix *b, void *to) noexcept nogil
        int (*dense_forward)(const fo_dense *layer) noexcept nogil
        int (*dense_backward)(const fo_dense *layer) noexcept nogil
        const fo_activation *activations
        void (*activation_forward)(ptrdiff_t rows, ptrdiff_t cols, int kind, double alpha, const void *z, void *y) noexcept nogil
        void (*activation_backward)(ptrdiff_t rows, ptrdiff_t cols, int kind, double alpha, const void *dy, const void *y,
                                    const void *z, void *dz) noexcept nogil
        double (*penalty)(ptrdiff_t n, const void *param, void *gradient, double l1, double l2, bint accumulate) noexcept nogil
        void (*dropout)(ptrdiff_t n, const void *x, void *y, double rate, cnp.uint64_t seed, cnp.uint64_t step) noexcept nogil
        int (*batch_norm_forward)(const fo_norm *n) noexcept nogil
        int (*batch_norm_backward)(const fo_norm *n) noexcept nogil
        int (*layer_norm_forward)(const fo_norm *n) noexcept nogil
        int (*layer_norm_backward)(const fo_norm *n) noexcept nogil
        size_t (*recurrent_size)(const fo_recurrent *layer) noexcept nogil
        int (*recurrent_forward)(const fo_recurrent *layer) noexcept nogil
        int (*recurrent_backward)(const fo_recurrent *layer) noexcept nogil
        ptrdiff_t (*embedding_forward)(const fo_embedding *e) noexcept nogil
        ptrdiff_t (*embedding_backward)(const fo_embedding *e) noexcept nogil
        bint (*all_within)(ptrdiff_t n, const void *numbers, double low, double high) noexcept nogil
        ptrdiff_t (*first_outside)(ptrdiff_t n, const cnp.int64_t *indices, cnp.int64_t limit) noexcept nogil
        double (*fma_peak)(ptrdiff_t turns) noexcept nogil
    const fo_kernels *fo_select(const char *isa, int bits)
    const char *fo_isa_name(int i)
    fo_update fo_find_update(const fo_kernels *kernels, const char *name)
    fo_loss_value fo_find_loss(const fo_kernels *kernels, const char *name)
    void fo_set_num_threads(int n)
    int fo_chosen_num_threads()
    int fo_get_num_threads()
    bint fo_has_openmp()
    void fo_force_threads(int always)
    double fo_region_nanoseconds()
    int fo_init_threads(int threads)
    ctypedef struct fo_layout:
        int ndim
        ptrdiff_t *shape
        ptrdiff_t *param_stride
        ptrdiff_t *grad_stride
    ctypedef struct fo_tensor:
        ptrdiff_t size
        int itemsize
        bint direct
        char *param
        char *ema
        char **state
        const char *grad
        const fo_kernels *kernels
        fo_update update
        const fo_hyper *hyper
        fo_layout *layout
        double step, born, mu_product
    ctypedef struct fo_options:
        double grad_scale, clip_value, clip_norm
        int clip_rule, clip_each, skip_nonfinite, want_norm, count_all
    ctypedef struct fo_result:
        double grad_norm
        int skipped
        ptrdiff_t tensor
    int fo_step(fo_tensor *tensors, ptrdiff_t count, const fo_options *options, fo_result *result)

cdef extern from *:
    """
    #if defined(__clang__)
    #define FO_COMPILER "clang " __clang_version__
    #elif defined(__GNUC__)
    #define FO_COMPILER "gcc " __VERSION__
    #else
    #define FO_COMPILER "unknown"
    #endif
    #ifndef FO_FLAGS
    #define FO_FLAGS "unknown"
    #endif
    """
    const char *FO_COMPILER
    const char *FO_FLAGS
    unsigned CYTHON_HEX_VERSION

cdef const fo_kernels *single                                   # the tables in use: float32, float64
cdef const fo_kernels *twice


def isas():
    """Names of the CPU targets that this build has and this machine runs, best first."""
    names, i = [], 0
    while fo_isa_name(i) != NULL:
        names.append((<bytes>fo_isa_name(i)).decode())
        i += 1
    return names


def isa():
    """The CPU target in use."""
    return (<bytes>single.isa).decode()


def use_isa(str name):
    """Switches every kernel to another CPU target; objects made before keep theirs. For tests."""
    global single, twice
    if name not in isas():
        raise ValueError(f"use_isa: {name!r} is not among the targets of this build and machine, {', '.join(isas())}")
    single, twice = fo_select(name.encode(), 32), fo_select(name.encode(), 64)


def build():
    """What this module was made by: compiler, flags (of the kernels, beside those of a CPU target), cython."""
    cdef unsigned version = CYTHON_HEX_VERSION
    cython = f"{version >> 24}.{version >> 16 & 255}.{version >> 8 & 255}"
    return {"compiler": FO_COMPILER.decode(), "flags": FO_FLAGS.decode(), "cython": cython}


def optimizers():
    """Names of the optimizer kernels in the table."""
    names, i = [], 0
    while single.optimizers[i].name != NULL:
        names.append((<bytes>single.optimizers[i].name).decode())
        i += 1
    return names


def start(int threads):
    """Chooses the CPU target (FASTOPT_ISA, else the best), sets the default thread count; called once, by the package."""
    wanted = os.environ.get("FASTOPT_ISA") or isas()[0]
    if wanted not in isas():
        raise ImportError(f"fastopt: FASTOPT_ISA={wanted} is not among the targets of this build and machine, {', '.join(isas())}")
    use_isa(wanted)
    if fo_init_threads(threads):
        raise ImportError("fastopt: pthread_atfork failed: no memory")


def set_num_threads(int n):
    fo_set_num_threads(n)


def chosen_num_threads():
    """What set_num_threads said, 0 where nobody did."""
    return fo_chosen_num_threads()


def get_num_threads():
    return fo_get_num_threads()


def force_threads(bint always):
    """Cuts every work among the threads, whatever its size. For tests."""
    fo_force_threads(always)


def has_openmp():
    return bool(fo_has_openmp())


def region_nanoseconds():
    """What opening a parallel region costs on this machine, measured once; larger works are cut among threads."""
    return fo_region_nanoseconds()


def fma_peak(dtype):
    """Floating-point operations a second of multiply-adds in registers, in all threads: a few milliseconds' measurement of what no
    product exceeds."""
    cdef const fo_kernels *kernels = single if np.dtype(dtype) == np.float32 else twice
    cdef double operations
    with nogil:
        kernels.fma_peak(1 << 16)                               # wakes the threads
    begin = time.perf_counter()
    with nogil:
        operations = kernels.fma_peak(1 << 20)
    return operations / (time.perf_counter() - begin)
