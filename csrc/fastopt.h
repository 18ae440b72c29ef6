/* fastopt.h -- the whole C interface: what the binding sees of csrc/.
 *
 * Kernels are static in the translation unit of their (CPU target, dtype); each unit exports one const fo_kernels.
 * Arrays cross as void *, sizes count elements, hyperparameters travel by name in fo_hyper: one prototype serves
 * every dtype. Only names that leave a translation unit begin with fo_. */
#ifndef FO_FASTOPT_H
#define FO_FASTOPT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FO_STATES = 3 };                                        /* most state arrays that an optimizer keeps */
enum { FO_EPS_OUTSIDE, FO_EPS_HAT, FO_EPS_INSIDE, FO_EPS_MAX };
enum { FO_VELOCITY_SUM, FO_VELOCITY_AVERAGE, FO_VELOCITY_STEP };
enum { FO_AMSGRAD_OFF, FO_AMSGRAD_RAW, FO_AMSGRAD_CORRECTED };

/* Hyperparameters of one update, under the names of the Python API; a kernel reads those that it has. In double:
 * each kernel derives its scalars in double and rounds them to its dtype once. */
typedef struct {
    double lr, weight_decay, grad_scale, clip_value, clip_factor;
    double momentum, dampening, lr_decay, alpha, rho, eps, eps_root;
    double beta1, beta2, momentum_decay, threshold;
    double eta_minus, eta_plus, step_min, step_max;
    double ema;                                                /* decay of the average of the parameters, below 0: none */
    int maximize, decoupled_weight_decay, nesterov, velocity, centered, lr_in_momentum;
    int eps_mode, amsgrad, bias_correction, scheduled_momentum, clamp_unchanged, delayed, flush_subnormals;
    /* filled in for each tensor by fo_at_step: they follow the number of its steps */
    double step, beta1_power, beta2_power, mu, mu_next, mu_product;
    int first;                                                 /* the first step with the present states */
} fo_hyper;

/* Sets the last rows of fo_hyper for step number `step` (from 1) of a tensor whose states began after `born` steps;
 * mu_product is NAdam's product before that step, the field its product with this step. */
void fo_at_step(fo_hyper *h, double step, double born, double mu_product);

/* One update of n contiguous elements, in place: param and states change, grad does not. */
typedef void fo_update(ptrdiff_t n, void *param, const void *grad, void *const *state, const fo_hyper *h);
typedef struct { const char *name; fo_update *update; } fo_optimizer;

/* The kinds of activations, in the order of the table `activations`. */
enum {
    FO_LINEAR, FO_RELU, FO_LEAKY_RELU, FO_ELU, FO_SELU, FO_GELU, FO_GELU_TANH, FO_SILU, FO_SIGMOID, FO_HARD_SIGMOID, FO_TANH,
    FO_SOFTPLUS, FO_SOFTSIGN, FO_EXPONENTIAL, FO_SOFTMAX, FO_LOG_SOFTMAX
};
typedef struct { const char *name; double nanoseconds; } fo_activation;

/* A matrix of any strides, which count elements; a result's `data` is written. */
typedef struct {
    ptrdiff_t rows, cols;
    const void *data;
    ptrdiff_t row, col;
    const void *packed;                                        /* the right operand of a product as .pack left it, or NULL */
} fo_matrix;

/* A dense layer over `rows` inputs: C-contiguous arrays, NULL where there is none or none is wanted. */
typedef struct {
    ptrdiff_t rows, inputs, outputs;
    const void *x, *kernel, *bias;                             /* (rows, inputs), (inputs, outputs), (outputs) */
    void *y, *z;                                               /* (rows, outputs) */
    int activation;
    double alpha;
    /* backward */
    const void *dy;                                            /* (rows, outputs), written where overwrite_dy says */
    void *dx, *dkernel, *dbias;
    bool accumulate, overwrite_dy;
} fo_dense;

/* A loss over `rows` rows of `columns` elements, one row at least one column; all arrays contiguous. */
typedef struct {
    ptrdiff_t rows, columns;
    const void *y_true, *y_pred;                               /* (rows, columns) */
    const int64_t *labels;                                     /* NULL, or (rows) in [0, columns): y_true is not read then */
    const void *weight;                                        /* (rows); NULL: 1 / rows each */
    void *each, *dy;                                           /* (rows) or NULL, each row's loss; (rows, columns), its gradient */
    double delta, label_smoothing;
    bool from_logits;
} fo_loss;
typedef double fo_loss_value(const fo_loss *l);
typedef struct { const char *name; fo_loss_value *value; } fo_loss_row;

/* A normalisation of x (rows, columns), or its gradient; all arrays contiguous. */
typedef struct {
    ptrdiff_t rows, columns;
    const void *x, *dy, *gamma, *beta;                         /* gamma, beta (columns), NULL: 1, 0 */
    void *y;                                                   /* (rows, columns); the gradient: dx */
    void *mean, *spread;                                       /* batch: mean and variance (columns); layer: mean and rstd (rows) */
    void *dgamma, *dbeta;                                      /* (columns) */
    double eps;
    bool fixed;                                                /* batch: mean and variance are given */
} fo_norm;

enum { FO_RNN, FO_LSTM, FO_GRU, FO_GRU_BEFORE };              /* the last: GRU with the reset before the recurrent product */

/* A recurrent layer over `batch` sequences of up to `steps` steps; all arrays C-contiguous, NULL where there is none or none is
 * wanted. G = gates is 1, 4 (i f g o) or 3 (z r h), H = units, P = outputs, which is H where there is no projection. */
typedef struct {
    int cell, gates, activation, recurrent_activation;
    double alpha, recurrent_alpha, clip;                       /* clip: infinity for none */
    bool reverse, input_forget, keep;                          /* keep: backward will follow */
    ptrdiff_t batch, steps, inputs, units, outputs;
    const int64_t *lengths;                                    /* (batch), in 0 .. steps; NULL: all of them `steps` */
    const void *x, *kernel, *recurrent_kernel;                 /* (batch, steps, inputs), (inputs, GH), (P, GH) */
    const void *bias;                                          /* (GH); GRU with the reset after: (2, 3H) */
    const void *h0, *c0, *peepholes, *projection;              /* (batch, P), (batch, H), (3, H), (H, P) */
    const void *input_mask, *recurrent_mask;                   /* (batch, masks, inputs), (batch, masks, P) */
    int input_masks, recurrent_masks;                          /* 0, 1 for all gates, or G */
    void *y, *h_n, *c_n;                                       /* (batch, steps, P), (batch, P), (batch, H) */
    void *memory;                                              /* .recurrent_size bytes on a 64-byte boundary, for both passes */
    /* backward, after one forward pass with the same arguments and memory, which it uses up */
    const void *dy, *dh_n, *dc_n;
    void *dx, *dkernel, *drecurrent, *dbias, *dh0, *dc0, *dpeepholes, *dprojection;
    bool accumulate;                                           /* the gradients of weights are added to what is there */
} fo_recurrent;

/* Rows of a matrix (vocabulary, columns) by number, or its gradient; all arrays contiguous. */
typedef struct {
    ptrdiff_t count, vocabulary, columns;
    const int64_t *indices;                                    /* (count) */
    const void *embeddings, *dy;                               /* (vocabulary, columns), (count, columns) */
    void *y, *dembeddings;
    bool accumulate;
} fo_embedding;

typedef struct {
    const char *isa;
    int bits;
    const fo_optimizer *optimizers;                            /* ends with a row without a name */
    void (*ema)(ptrdiff_t n, void *average, const void *param, double decay);
    /* squares[0]: sum of (g / grad_scale)^2, squares[1]: the same of the values clipped to +-clip_value */
    void (*sum_of_squares)(ptrdiff_t n, const void *grad, double grad_scale, double clip_value, double *squares);
    bool (*all_finite)(ptrdiff_t n, const void *grad, double grad_scale);
    /* c = a b or c + a b; -1 where memory is missing */
    int (*gemm)(const fo_matrix *a, const fo_matrix *b, const fo_matrix *c, bool accumulate);
    ptrdiff_t (*packed_size)(ptrdiff_t rows, ptrdiff_t cols);  /* elements that .pack writes, 64-byte aligned */
    void (*pack)(const fo_matrix *b, void *to);
    int (*dense_forward)(const fo_dense *layer);               /* -1 as well */
    int (*dense_backward)(const fo_dense *layer);
    const fo_activation *activations;                          /* by kind; ends with a row without a name */
    /* (rows, cols), C-contiguous. y may be z; dz may be dy; z is read by the three kinds whose derivative is no function of y */
    void (*activation_forward)(ptrdiff_t rows, ptrdiff_t cols, int kind, double alpha, const void *z, void *y);
    void (*activation_backward)(ptrdiff_t rows, ptrdiff_t cols, int kind, double alpha, const void *dy, const void *y,
                                const void *z, void *dz);
    const fo_loss_row *losses;                                 /* ends with a row without a name */
    double (*penalty)(ptrdiff_t n, const void *param, void *gradient, double l1, double l2, bool accumulate);
    void (*dropout)(ptrdiff_t n, const void *x, void *y, double rate, uint64_t seed, uint64_t step);   /* y may be x */
    /* -1 where memory is missing */
    int (*batch_norm_forward)(const fo_norm *n);
    int (*batch_norm_backward)(const fo_norm *n);
    int (*layer_norm_forward)(const fo_norm *n);
    int (*layer_norm_backward)(const fo_norm *n);
    size_t (*recurrent_size)(const fo_recurrent *layer);       /* bytes of its memory, by sizes, options and lengths */
    int (*recurrent_forward)(const fo_recurrent *layer);       /* -1 where memory is missing */
    int (*recurrent_backward)(const fo_recurrent *layer);
    /* -1, or the position of the first index that is not in [0, vocabulary): nothing is written then */
    ptrdiff_t (*embedding_forward)(const fo_embedding *e);
    ptrdiff_t (*embedding_backward)(const fo_embedding *e);
    bool (*all_within)(ptrdiff_t n, const void *numbers, double low, double high);     /* and finite */
    ptrdiff_t (*first_outside)(ptrdiff_t n, const int64_t *indices, int64_t limit);    /* of [0, limit); its position, or -1 */
    double (*fma_peak)(ptrdiff_t turns);                       /* does so many turns in every thread: operations done in all */
} fo_kernels;

/* dispatch.c */
const fo_kernels *fo_select(const char *isa, int bits);        /* NULL where this build or this CPU has no such target */
const char *fo_isa_name(int i);                                /* best first, runnable here only; NULL after the last */
fo_update *fo_find_update(const fo_kernels *kernels, const char *name);
fo_loss_value *fo_find_loss(const fo_kernels *kernels, const char *name);

/* team.c */
void fo_set_num_threads(int n);                                /* 0: the default again */
int fo_chosen_num_threads(void);                               /* what fo_set_num_threads said, or 0 */
int fo_get_num_threads(void);
bool fo_has_openmp(void);
int fo_team_size(double nanoseconds);                          /* 1 or fo_get_num_threads(), by what the work takes on one core */
void fo_force_threads(int always);                             /* for tests: every work is cut, whatever its size */
double fo_region_nanoseconds(void);                            /* what a parallel region costs here, measured once */
double fo_barrier_nanoseconds(void);                           /* and a barrier in one */
int fo_init_threads(int threads);                              /* the default; 0, or an error of pthread_atfork */

/* step.c */
typedef struct {                                               /* how a tensor lies that is not contiguous in the states' order */
    int ndim;
    ptrdiff_t shape[64], param_stride[64], grad_stride[64];    /* in the states' order, slowest first; strides in bytes */
} fo_layout;

typedef struct {
    ptrdiff_t size;                                            /* elements */
    int itemsize;
    bool direct;                                               /* param and grad are contiguous in the states' order */
    char *param, *state[FO_STATES], *ema;
    const char *grad;                                          /* NULL: skipped by this step */
    const fo_kernels *kernels;
    fo_update *update;
    const fo_hyper *hyper;
    fo_layout *layout;                                         /* read where not direct */
    double step, mu_product;                                   /* steps done; fo_step advances them */
    double born;                                               /* steps done when its states were made */
} fo_tensor;

enum { FO_CLIP_TORCH, FO_CLIP_PLAIN, FO_CLIP_KERAS };
typedef struct {
    double grad_scale, clip_value, clip_norm;                  /* 1, inf, inf: not asked for */
    int clip_rule, clip_each, skip_nonfinite, want_norm;       /* clip_each: clip_norm holds for each tensor by itself */
    int count_all;                                             /* tensors without a gradient count the step, too */
} fo_options;

typedef struct {
    double grad_norm;                                          /* of all, after grad_scale and clip_value, before clip_norm; else NaN */
    int skipped;
    ptrdiff_t tensor;                                          /* the first whose gradient is not finite, or -1 */
} fo_result;

/* One step over all tensors in one parallel region: 0, or -1 where memory for the norm's partial sums is missing. */
int fo_step(fo_tensor *tensors, ptrdiff_t count, const fo_options *options, fo_result *result);
#endif
