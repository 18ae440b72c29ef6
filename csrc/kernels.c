/* kernels.c -- every kernel of one (CPU target, dtype), compiled once for each: FO_TABLE names the table that this
 * translation unit exports, FO_ISA its CPU target; real.h reads the dtype. All kernels are static, so none needs a
 * suffix, and all are included here, so that no other symbol leaves. */
#include "real.h"
#include "fastopt.h"
#include "team.h"
#include "workspace.h"
#include <stdlib.h>
#include <string.h>

#include "optim/gradient.h"
#include "optim/sgd.c"
#include "optim/adagrad.c"
#include "optim/rmsprop.c"
#include "optim/adadelta.c"
#include "optim/adam.c"
#include "optim/adamax.c"
#include "optim/nadam.c"
#include "optim/radam.c"
#include "optim/lion.c"
#include "optim/rprop.c"
#include "optim/ema.c"
#include "optim/norm.c"
#include "vmath.h"
#include "rows.h"
#include "gemm.c"
#include "sums.h"
#include "activation.c"
#include "dense.c"
#include "loss.c"
#include "crossentropy.c"
#include "penalty.c"
#include "dropout.c"
#include "normalization.c"
#include "recurrent/layer.c"
#include "range.c"
#include "embedding.c"
#include "peak.c"

static const fo_optimizer optimizers[] = {
    {"sgd", sgd}, {"adagrad", adagrad}, {"rmsprop", rmsprop}, {"adadelta", adadelta}, {"adam", adam},
    {"adamax", adamax}, {"nadam", nadam}, {"radam", radam}, {"lion", lion}, {"rprop", rprop}, {NULL, NULL},
};

static const fo_loss_row losses[] = {
    {"mean_squared_error", mean_squared_error}, {"mean_absolute_error", mean_absolute_error}, {"huber", huber},
    {"binary_crossentropy", binary_crossentropy}, {"categorical_crossentropy", categorical_crossentropy},
    {"sparse_categorical_crossentropy", categorical_crossentropy}, {"kl_divergence", kl_divergence}, {"hinge", hinge},
    {"cosine_similarity", cosine_similarity}, {NULL, NULL},
};

const fo_kernels FO_TABLE = {
    .isa = FO_ISA,
    .bits = FO_BITS,
    .optimizers = optimizers,
    .ema = ema,
    .sum_of_squares = sum_of_squares,
    .all_finite = all_finite,
    .gemm = gemm,
    .packed_size = packed_size,
    .pack = pack_matrix,
    .dense_forward = dense_forward,
    .dense_backward = dense_backward,
    .activations = activations,
    .activation_forward = activation_forward,
    .activation_backward = activation_backward,
    .losses = losses,
    .penalty = penalty,
    .dropout = dropout,
    .batch_norm_forward = batch_norm_forward,
    .batch_norm_backward = batch_norm_backward,
    .layer_norm_forward = layer_norm_forward,
    .layer_norm_backward = layer_norm_backward,
    .recurrent_size = recurrent_size,
    .recurrent_forward = recurrent_forward,
    .recurrent_backward = recurrent_backward,
    .embedding_forward = embedding_forward,
    .embedding_backward = embedding_backward,
    .all_within = all_within,
    .first_outside = first_outside,
    .fma_peak = fma_peak,
};
