/* products.h -- the products over all tokens: pre-activations of the inputs, gradients of weights and inputs. */

static int slot_of(const recurrent *n, int gate, bool of_state)
{
    return of_state && n->l.cell == FO_GRU && gate == 2 ? 3 : gate;
}

/* How many gates from `gate` on one product does: they must lie side by side, and have one operand. */
static int gates_together(const recurrent *n, int gate, bool of_state)
{
    const int gates = n->l.gates, masks = of_state ? n->l.recurrent_masks : n->l.input_masks;
    if (n->units != n->l.units || masks > 1)
        return 1;
    return of_state && (n->l.cell == FO_GRU || n->l.cell == FO_GRU_BEFORE) ? (gate == 0 ? 2 : 1) : gates;
}

/* This thread's share of to = from, masked: rows of `width` elements, `stride` apart in from, one for each token. */
static void mask_tokens(const recurrent *n, const fo_team *team, const real *from, ptrdiff_t stride, ptrdiff_t width,
                        const real *mask, int masks, int number, real *to)
{
    const ptrdiff_t end = fo_share(n->l.batch, team->rank + 1, team->size, 1);
    for (ptrdiff_t r = fo_share(n->l.batch, team->rank, team->size, 1); r < end; r++) {
        const real *m = mask + (n->order[r] * masks + number) * width;
        for (ptrdiff_t token = n->offset[r]; token < n->offset[r] + n->length[r]; token++)
            for (ptrdiff_t j = 0; j < width; j++)
                to[token * width + j] = from[token * stride + j] * m[j];
    }
}

/* The input that gate `gate` sees, (tokens, inputs); all threads together. */
static const real *masked_input(const recurrent *n, fo_team *team, int gate)
{
    const fo_recurrent *l = &n->l;
    if (!l->input_masks)
        return n->x;
    if (l->input_masks > 1 || gate == 0) {
        fo_barrier(team);
        mask_tokens(n, team, n->x, l->inputs, l->inputs, l->input_mask, l->input_masks, gate, n->masked);
        fo_barrier(team);
    }
    return n->masked;
}

static void share(recurrent *n, const product *g, const fo_team *team)
{
    if (gemm_share(g, team->rank, team->size))
        __atomic_store_n(&n->failed, 1, __ATOMIC_RELAXED);
}

/* The pre-activations that come from the inputs, into the slots of the gates. */
static void input_products(recurrent *n, fo_team *team)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t columns = l->gates * l->units;
    for (int g = 0, count; g < l->gates; g += count) {
        count = gates_together(n, g, false);
        const real *bias = n->start ? n->start : l->bias;
        const product z = {.m = n->tokens, .n = count * l->units, .k = l->inputs, .a = masked_input(n, team, g), .a_row = l->inputs,
                           .a_col = 1, .b = (const real *)l->kernel + g * l->units, .b_row = columns, .b_col = 1,
                           .c = n->gates + g * n->units, .c_row = n->slots * n->units, .c_col = 1,
                           .start = bias ? bias + g * l->units : NULL, .start_row = 0, .start_col = 1};
        share(n, &z, team);
    }
}

/* Gradients of weights: to (rows, gates * units) = operand^T dz, for the gates from g on. */
static void weight_product(recurrent *n, fo_team *team, const real *operand, ptrdiff_t stride, ptrdiff_t rows, int gate, int count,
                           int slot, real *to)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t columns = l->gates * l->units;
    real *c = to + gate * l->units;
    const product dw = {.m = rows, .n = count * l->units, .k = n->tokens, .a = operand, .a_row = 1, .a_col = stride,
                        .b = n->gates + slot * n->units, .b_row = n->slots * n->units, .b_col = 1,
                        .c = c, .c_row = columns, .c_col = 1,
                        .start = l->accumulate ? c : NULL, .start_row = columns, .start_col = 1};
    share(n, &dw, team);
}

/* This thread's share of the gradients of the biases: every slot is read once, whoever its sums belong to. */
static void bias_gradients(const recurrent *n, const fo_team *team)
{
    const fo_recurrent *l = &n->l;
    const int rows = l->cell == FO_GRU ? 2 : 1;                /* of the bias */
    const ptrdiff_t stride = n->slots * n->units, columns = rows == 2 ? stride : l->gates * n->units;
    const ptrdiff_t end = fo_share(columns, team->rank + 1, team->size, LANES);
    real total[MOST_SUMMED];
    for (ptrdiff_t j = fo_share(columns, team->rank, team->size, LANES), count; j < end; j += count) {
        count = sum_columns(n->gates + j, n->tokens, stride, end - j, total);
        for (int b = 0; b < rows * l->gates; b++) {
            const ptrdiff_t first = slot_of(n, b % l->gates, b >= l->gates) * n->units;    /* of its columns */
            real *to = (real *)l->dbias + b * l->units;
            for (ptrdiff_t c = j > first ? j : first; c < j + count && c < first + l->units; c++)
                to[c - first] = l->accumulate ? to[c - first] + total[c - j] : total[c - j];
        }
    }
}

static void weight_gradients(recurrent *n, fo_team *team)
{
    const fo_recurrent *l = &n->l;
    for (int g = 0, count; l->dkernel && g < l->gates; g += count) {
        count = gates_together(n, g, false);
        weight_product(n, team, masked_input(n, team, g), l->inputs, l->inputs, g, count, slot_of(n, g, false), l->dkernel);
    }
    for (int g = 0, count; l->drecurrent && g < l->gates; g += count) {
        count = gates_together(n, g, true);
        const bool reset = l->cell == FO_GRU_BEFORE && g == 2;
        const real *operand = reset ? n->gates + 3 * n->units : l->recurrent_masks ? n->masked : n->operand;
        const ptrdiff_t stride = reset ? n->slots * n->units : l->recurrent_masks ? l->outputs : n->outputs;
        if (!reset && l->recurrent_masks && (l->recurrent_masks > 1 || g == 0)) {
            fo_barrier(team);
            mask_tokens(n, team, n->operand, n->outputs, l->outputs, l->recurrent_mask, l->recurrent_masks, g, n->masked);
            fo_barrier(team);
        }
        weight_product(n, team, operand, stride, l->outputs, g, count, slot_of(n, g, true), l->drecurrent);
    }
    if (l->dbias)
        bias_gradients(n, team);
    if (l->dpeepholes)
        peephole_gradients(n, team);
    if (l->dprojection) {
        const product dp = {.m = l->units, .n = l->outputs, .k = n->tokens, .a = n->hidden, .a_row = 1, .a_col = n->units,
                            .b = n->dh_kept, .b_row = n->outputs, .b_col = 1, .c = l->dprojection, .c_row = l->outputs, .c_col = 1,
                            .start = l->accumulate ? l->dprojection : NULL, .start_row = l->outputs, .start_col = 1};
        share(n, &dp, team);
    }
}

/* dx = dz kernel^T, masked as the input was; where lengths differ x is no longer needed, and dx takes its place first. */
static void input_gradient(recurrent *n, fo_team *team)
{
    const fo_recurrent *l = &n->l;
    const ptrdiff_t inputs = l->inputs, row = fo_share(l->batch, team->rank, team->size, 1);
    const ptrdiff_t end = fo_share(l->batch, team->rank + 1, team->size, 1);
    real *to = n->ragged ? n->own_x : l->dx;
    fo_barrier(team);
    for (int g = 0, count; g < l->gates; g += count) {
        count = gates_together(n, g, false);
        const bool each = l->input_masks > 1;
        const product dx = {.m = n->tokens, .n = inputs, .k = count * l->units, .a = n->gates + g * n->units,
                            .a_row = n->slots * n->units, .a_col = 1, .b = (const real *)l->kernel + g * l->units, .b_row = 1,
                            .b_col = l->gates * l->units, .c = each ? n->masked : to, .c_row = inputs, .c_col = 1,
                            .start = g && !each ? to : NULL, .start_row = inputs, .start_col = 1};
        share(n, &dx, team);
        fo_barrier(team);
        for (ptrdiff_t r = row; each && r < end; r++) {
            const real *mask = (const real *)l->input_mask + (n->order[r] * l->gates + g) * inputs;
            for (ptrdiff_t token = n->offset[r]; token < n->offset[r] + n->length[r]; token++)
                for (ptrdiff_t j = 0; j < inputs; j++) {
                    const real slope = n->masked[token * inputs + j] * mask[j];
                    to[token * inputs + j] = g ? to[token * inputs + j] + slope : slope;
                }
        }
        if (each)
            fo_barrier(team);
    }
    if (l->input_masks == 1)
        mask_tokens(n, team, to, inputs, inputs, l->input_mask, 1, 0, to);
    for (ptrdiff_t r = row; n->ragged && r < end; r++) {       /* this thread has masked these very sequences */
        real *dx = (real *)l->dx + n->order[r] * l->steps * inputs;
        memcpy(dx, to + n->offset[r] * inputs, n->length[r] * inputs * sizeof(real));
        memset(dx + n->length[r] * inputs, 0, (l->steps - n->length[r]) * inputs * sizeof(real));
    }
}
