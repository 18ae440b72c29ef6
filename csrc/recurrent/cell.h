/* cell.h -- what the cells share: a block of a step, gates and their slopes, of any activation. */

/* An elementwise activation or its derivative, of a kind known only now. */
static __attribute__((noinline)) vreal activated_by(int kind, vreal z, real alpha)
{
    return activated(kind, z, alpha);
}

static __attribute__((noinline)) vreal slope_by(int kind, vreal dy, vreal y, real alpha)
{
    return gradient_of(kind, dy, y, y, alpha);
}

/* A gate of its pre-activation, and back; `plain`: of kind `usual`, without a limit. */
FO_INLINE vreal gate(const recurrent *n, const bool plain, const int usual, vreal z)
{
    if (plain)
        return activated(usual, z, 0);
    const bool state = usual == FO_TANH;
    if (n->l.clip < INFINITY)
        z = vmax(vsplat(-n->l.clip), vmin(vsplat(n->l.clip), z));
    return activated_by(state ? n->l.activation : n->l.recurrent_activation, z, state ? n->l.alpha : n->l.recurrent_alpha);
}

FO_INLINE vreal gate_slope(const recurrent *n, const bool plain, const int usual, vreal dy, vreal y)
{
    if (plain)
        return gradient_of(usual, dy, y, y, 0);
    const bool state = usual == FO_TANH;
    const int kind = state ? n->l.activation : n->l.recurrent_activation;
    const real alpha = state ? n->l.alpha : n->l.recurrent_alpha;
    vreal dz = slope_by(kind, dy, y, alpha);
    if (n->l.clip < INFINITY) {                                /* at the limits, which no kind passes through twice, it is 0 */
        const vreal low = activated_by(kind, vsplat(-n->l.clip), alpha), high = activated_by(kind, vsplat(n->l.clip), alpha);
        dz = vselect((y <= low) | (y >= high), vsplat(0), dz);
    }
    return dz;
}

/* `high` rows and `wide` vectors from v on of a step, with what their recurrent products came to and, where inputs are fused,
 * those of the inputs, each [row][gate][vector][lane]. */
typedef struct {
    const row *rows;
    int high, wide, gates;
    ptrdiff_t step, v;
    const real *sums, *inputs;
} block;

/* What finishes a block: state and results from its sums. */
typedef void forward_cell(const recurrent *n, const block *b);

FO_INLINE const real *sums_of(const block *b, int i, int j)
{
    return b->sums + (i * b->gates * b->wide + j) * LANES;
}

/* From the inputs' part of the pre-activations of one gate to those of the next. */
FO_INLINE ptrdiff_t inputs_apart(const recurrent *n, const block *b)
{
    return b->inputs ? b->wide * LANES : n->units;
}

/* The pre-activations as the inputs alone make them, of row i and vector j. */
FO_INLINE const real *inputs_of(const recurrent *n, const block *b, int i, int j)
{
    return b->inputs ? b->inputs + (i * b->gates * b->wide + j) * LANES : gates_of(n, b->rows + i, b->v + j);
}

/* The gradients of the pre-activations of a step, for vectors v to v_end of its rows. */
typedef void backward_cell(const recurrent *n, const row *rows, ptrdiff_t count, ptrdiff_t step, ptrdiff_t v, ptrdiff_t v_end);
