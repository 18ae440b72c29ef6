/* loss -- losses of predictions p against targets t, (R, C) both, and their gradients.
 *
 * A loss is computed in blocks of rows: a block leaves the loss of each of its rows in double, unweighted, and writes their
 * gradient. Blocks make up chunks, whose size follows from R and C alone: threads share them, and their sums are added in
 * order, so any number of threads comes to the same bits. */
enum { PIECE = 512, LOSS_CHUNKS = 256 };                       /* elements of a block, at most; chunks of a loss, at most */

typedef void loss_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each);

typedef struct {
    const fo_loss *loss;
    loss_block *block;
    ptrdiff_t step, size, count;                               /* rows of a block, rows of a chunk, chunks */
    double partial[LOSS_CHUNKS];
} loss_job;

static void loss_task(void *context, fo_team *team)
{
    loss_job *job = context;
    const fo_loss *l = job->loss;
    const real *weight = l->weight;
    real *rows = l->each;
    const ptrdiff_t to = fo_share(job->count, team->rank + 1, team->size, 1);
    for (ptrdiff_t chunk = fo_share(job->count, team->rank, team->size, 1); chunk < to; chunk++) {
        const ptrdiff_t first = chunk * job->size, end = first + job->size < l->rows ? first + job->size : l->rows;
        double each[PIECE], sum = 0;
        for (ptrdiff_t begin = first, n; begin < end; begin += n) {
            n = end - begin < job->step ? end - begin : job->step;
            job->block(l, begin, n, each);
            for (ptrdiff_t r = 0; r < n; r++) {
                sum += weight ? weight[begin + r] * each[r] : each[r];
                if (rows)
                    rows[begin + r] = each[r];
            }
        }
        job->partial[chunk] = sum;
    }
}

/* `width`: elements of a row, as a block counts them; `nanoseconds`: what one takes on one core, roughly. */
static double loss_of_blocks(const fo_loss *l, loss_block *block, ptrdiff_t width, double nanoseconds)
{
    loss_job job;
    double sum = 0;
    if (l->rows == 0)
        return 0;
    job.loss = l;
    job.block = block;
    job.step = width < PIECE ? PIECE / width : 1;
    job.size = (l->rows + LOSS_CHUNKS - 1) / LOSS_CHUNKS;
    job.size = job.size < job.step ? job.step : job.size;
    job.count = (l->rows + job.size - 1) / job.size;
    fo_run(fo_team_size(nanoseconds * l->rows * width), loss_task, &job);
    for (ptrdiff_t i = 0; i < job.count; i++)
        sum += job.partial[i];
    return l->weight ? sum : sum / l->rows;
}

/* What the gradient of row r is weighted with. */
FO_INLINE double weight_of(const fo_loss *l, ptrdiff_t r)
{
    return l->weight ? ((const real *)l->weight)[r] : 1.0 / l->rows;
}

/* In double, 32 sums side by side. */
FO_INLINE double sum_of(const real *x, ptrdiff_t n)
{
    double sum = 0;
    ptrdiff_t i = 0;
    if (n >= 32) {
        double sums[32] = {0};
        for (; i + 32 <= n; i += 32)
            for (int j = 0; j < 32; j++)
                sums[j] += x[i + j];
        for (int j = 0; j < 32; j++)
            sum += sums[j];
    }
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

static const double EPSILON = 1e-7;                            /* Keras's */

/* x within [low, high]; NaN stays. */
FO_INLINE vreal clip(vreal x, real low, real high)
{
    return vmax(vsplat(low), vmin(vsplat(high), x));
}

/* `value` where x was not clipped, 0 where it was. */
FO_INLINE vreal inside(vreal x, real low, real high, vreal value)
{
    return (vreal)((vint)value & ~((x < low) | (x > high)));
}

/* log(1 - p), 0 <= p < 1: what rounding 1 - p leaves out is added to the logarithm. */
FO_INLINE vreal log_of_rest(vreal p)
{
    const vreal rest = 1 - p;
    return vlog(rest) + ((1 - rest) - p);
}

/* Losses whose terms, one an element, are added up: the term of t and p, and its slope with respect to p. The target is
 * t keep + shift. */
typedef struct { real delta, keep, shift; } term_options;
typedef vreal loss_term(vreal t, vreal p, term_options o, vreal *slope);

/* The block of such a loss; each call gets a loop around its own term. */
FO_INLINE void add_terms(loss_term *term, bool mean, term_options o, const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    const ptrdiff_t columns = l->columns, total = n * columns;
    const real *t = (const real *)l->y_true + begin * columns, *p = (const real *)l->y_pred + begin * columns;
    real *dy = (real *)l->dy + begin * columns, terms[PIECE];
    const double divisor = mean ? columns : 1;
    const real share = 1 / (l->weight ? divisor : divisor * l->rows);

    each[0] = 0;
    for (ptrdiff_t at = 0; at < total; at += PIECE) {          /* one piece, but for a long row */
        const ptrdiff_t size = total - at < PIECE ? total - at : PIECE;
        for (ptrdiff_t i = 0; i < size; i += LANES) {
            vreal slope;
            store_to(terms, i, size, term(load_from(t + at, i, size, 0), load_from(p + at, i, size, 0), o, &slope));
            store_to(dy + at, i, size, slope * share);
        }
        if (n == 1)
            each[0] += sum_of(terms, size);
        else
            for (ptrdiff_t r = 0; r < n; r++)
                each[r] = sum_of(terms + r * columns, columns);
    }
    for (ptrdiff_t r = 0; r < n; r++)
        each[r] /= divisor;
    if (l->weight)
        for (ptrdiff_t r = 0; r < n; r++) {
            const real weight = weight_of(l, begin + r);
            for (ptrdiff_t i = r * columns; i < (r + 1) * columns; i++)
                dy[i] *= weight;
        }
}

/* -1, 0 or 1; NaN for NaN. */
FO_INLINE vreal vsign(vreal x)
{
    const vreal one = vselect(x > 0, vsplat(1), vsplat(-1));
    return vselect((x > 0) | (x < 0), one, x);
}

FO_INLINE vreal squared_term(vreal t, vreal p, term_options o, vreal *slope)
{
    (void)o;
    *slope = 2 * (p - t);
    return (p - t) * (p - t);
}

FO_INLINE vreal absolute_term(vreal t, vreal p, term_options o, vreal *slope)
{
    (void)o;
    *slope = vsign(p - t);
    return vabs(p - t);
}

/* Huber 1964 */
FO_INLINE vreal huber_term(vreal t, vreal p, term_options o, vreal *slope)
{
    const vreal error = p - t, size = vabs(error);
    const vint far = size > o.delta;
    *slope = vselect(far, o.delta * vsign(error), error);
    return vselect(far, o.delta * size - (real)0.5 * o.delta * o.delta, (real)0.5 * error * error);
}

/* -t log(p) - (1 - t) log(1 - p), slope (p - t) / (p (1 - p)) */
FO_INLINE vreal probability_term(vreal t, vreal y, term_options o, vreal *slope)
{
    const real low = EPSILON, high = 1 - EPSILON;
    const vreal p = clip(y, low, high);
    t = t * o.keep + o.shift;
    *slope = inside(y, low, high, (p - t) / (p * (1 - p)));
    return -t * vlog(p) - (1 - t) * log_of_rest(p);
}

/* The same for p = sigmoid(x) = (x > 0 ? 1 : e) / (1 + e), e = exp(-|x|): -log(p) = max(-x, 0) + log(1 + e); slope p - t */
FO_INLINE vreal logit_term(vreal t, vreal x, term_options o, vreal *slope)
{
    const vreal size = vabs(x), e = vexp(-size);
    t = t * o.keep + o.shift;
    *slope = vselect(x > 0, vsplat(1), e) / (1 + e) - t;
    return size * vselect(x > 0, 1 - t, t) + vlog1p(e);
}

/* Kullback & Leibler 1951 */
FO_INLINE vreal divergence_term(vreal t, vreal y, term_options o, vreal *slope)
{
    (void)o;
    const real low = EPSILON;
    const vreal ratio = clip(t, low, 1) / clip(y, low, 1);
    *slope = inside(y, low, 1, -ratio);
    return clip(t, low, 1) * vlog(ratio);
}

/* max(1 - t p, 0), t of 0 and 1 being taken to -1 and 1 by keep and shift */
FO_INLINE vreal hinge_term(vreal t, vreal p, term_options o, vreal *slope)
{
    t = t * o.keep + o.shift;
    const vreal margin = 1 - t * p;
    const vint met = margin <= 0;
    *slope = (vreal)((vint)-t & ~met);
    return (vreal)((vint)margin & ~met);
}

static void squared_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    add_terms(squared_term, true, (term_options){0}, l, begin, n, each);
}

static double mean_squared_error(const fo_loss *l)
{
    return loss_of_blocks(l, squared_block, l->columns, 0.2);
}

static void absolute_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    add_terms(absolute_term, true, (term_options){0}, l, begin, n, each);
}

static double mean_absolute_error(const fo_loss *l)
{
    return loss_of_blocks(l, absolute_block, l->columns, 0.2);
}

static void huber_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    add_terms(huber_term, true, (term_options){.delta = l->delta}, l, begin, n, each);
}

static double huber(const fo_loss *l)
{
    return loss_of_blocks(l, huber_block, l->columns, 0.3);
}

static void binary_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    const term_options o = {.keep = 1 - l->label_smoothing, .shift = l->label_smoothing / 2};
    if (l->from_logits)
        add_terms(logit_term, true, o, l, begin, n, each);
    else
        add_terms(probability_term, true, o, l, begin, n, each);
}

static double binary_crossentropy(const fo_loss *l)
{
    return loss_of_blocks(l, binary_block, l->columns, 2);
}

static void divergence_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    add_terms(divergence_term, false, (term_options){0}, l, begin, n, each);
}

static double kl_divergence(const fo_loss *l)
{
    return loss_of_blocks(l, divergence_block, l->columns, 1.5);
}

static void hinge_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    add_terms(hinge_term, true, (term_options){.keep = 1, .shift = 0}, l, begin, n, each);
}

static void binary_hinge_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    add_terms(hinge_term, true, (term_options){.keep = 2, .shift = -1}, l, begin, n, each);
}

static double hinge(const fo_loss *l)
{
    const real *t = l->y_true;
    ptrdiff_t i = 0;
    while (i < l->rows * l->columns && (t[i] == 0 || t[i] == 1))
        i++;
    return loss_of_blocks(l, i == l->rows * l->columns ? binary_hinge_block : hinge_block, l->columns, 0.3);
}

/* -t p / (|t| |p|), the lengths at least EPSILON; slope (cosine p / |p| - t / |t|) / |p|. Sums in double: squares do not
 * overflow. */
static void cosine_block(const fo_loss *l, ptrdiff_t begin, ptrdiff_t n, double *each)
{
    const ptrdiff_t columns = l->columns;
    for (ptrdiff_t r = 0; r < n; r++) {
        const real *t = (const real *)l->y_true + (begin + r) * columns, *p = (const real *)l->y_pred + (begin + r) * columns;
        real *dy = (real *)l->dy + (begin + r) * columns;
        double tt[8] = {0}, tp[8] = {0}, pp[8] = {0};
        for (ptrdiff_t i = 0; i < columns; i += 8) {
            const int width = columns - i < 8 ? (int)(columns - i) : 8;
            for (int j = 0; j < width; j++) {
                tt[j] += (double)t[i + j] * t[i + j];
                tp[j] += (double)t[i + j] * p[i + j];
                pp[j] += (double)p[i + j] * p[i + j];
            }
        }
        for (int j = 1; j < 8; j++) {
            tt[0] += tt[j];
            tp[0] += tp[j];
            pp[0] += pp[j];
        }
        const double of_t = sqrt(tt[0]), of_p = sqrt(pp[0]);
        const double length_t = of_t < EPSILON ? EPSILON : of_t, length = of_p < EPSILON ? EPSILON : of_p;
        const double cosine = tp[0] / (length_t * length), weight = weight_of(l, begin + r);
        const real along = of_p > EPSILON ? weight * cosine / (length * length) : 0, across = weight / (length_t * length);
        for (ptrdiff_t i = 0; i < columns; i++)
            dy[i] = along * p[i] - across * t[i];
        each[r] = -cosine;
    }
}

static double cosine_similarity(const fo_loss *l)
{
    return loss_of_blocks(l, cosine_block, l->columns, 0.5);
}
