// Winograd's convolution of 3×3 windows, in the blocked layout; included by KernelTemplate.h.
//
// A tile of 4×4 (3×3, 2×2) outputs is Aᵀ·[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)]·A of the 6×6 (5×5, 4×4) inputs d below it: the product of two
// polynomials by Toom and Cook, transposed. Each of the 36 (25, 16) positions is a matrix product of its own.
// The points are 0, ±5/8, ±3/2, ∞ for 4×4, 0, ±3/4, 2, ∞ for 3×3 and 0, ±1, ∞ for 2×2. Every constant that follows from them is
// exactly a float; with the customary ±1 and ±2 the error of 4×4 is twice as large, and with ±1 and 2 that of 3×3 a third.
//
// With stride 2, the inputs at even places meet two taps, as in 2×2 outputs of 2×2 windows (the points 0, 1 and ∞), and those at odd
// places one: a line of five inputs has three positions of the former and then its two odd inputs as they are.
//
// An output is one chain of operations: over the input channels at each position, then over the positions.
// Source: Lavin & Gray 2016; for the choice of points, Barabasz, Anderson, Soodhalter & Gregg 2020.

#define WINOGRAD_SIDE 6

INLINE size_t winograd_side(const size_t tile, const size_t stride) { return (tile - 1) * stride + 3; }

// Bᵀ·d of one row or column, in place.
INLINE void winograd_input_line(const size_t tile, const size_t stride, Vector *d) {
    if (stride == 2) {
        const Vector d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4];
        d[0] = d[0] - d2;
        d[1] = d2;
        d[2] = d2 - d4;
        d[3] = d1;
        d[4] = d3;
        return;
    }
    if (tile == 2) {
        const Vector d1 = d[1], d2 = d[2];
        d[0] = d[0] - d2;
        d[1] = d2 + d1;
        d[2] = d2 - d1;
        d[3] = d[3] - d1;
        return;
    }
    if (tile == 3) {
        const float c = (float)CK_WINOGRAD_C, b = (float)CK_WINOGRAD_D;
        const Vector d1 = d[1], d3 = d[3];
        // (x − b) times 1, x, x² and x³.
        const Vector first = multiply_add(splat(-b), d[0], d1), second = multiply_add(splat(-b), d1, d[2]);
        const Vector third = multiply_add(splat(-b), d[2], d3), fourth = multiply_add(splat(-b), d3, d[4]);
        d[0] = multiply_add(splat(-c * c), first, third);
        d[1] = multiply_add(splat(c), second, third);
        d[2] = multiply_add(splat(-c), second, third);
        d[3] = multiply_add(splat(-c * c), d1, d3);
        d[4] = multiply_add(splat(-c * c), second, fourth);
        return;
    }
    const float a = (float)CK_WINOGRAD_A, b = (float)CK_WINOGRAD_B;
    const Vector d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3], d4 = d[4], d5 = d[5];
    const Vector evenA = multiply_add(splat(-b * b), d2, d4), oddA = multiply_add(splat(-b * b), d1, d3);
    const Vector evenB = multiply_add(splat(-a * a), d2, d4), oddB = multiply_add(splat(-a * a), d1, d3);
    const Vector product = splat(a * a * b * b), sum = splat(-(a * a + b * b));
    d[0] = multiply_add(product, d0, multiply_add(sum, d2, d4));
    d[1] = multiply_add(splat(a), oddA, evenA);
    d[2] = multiply_add(splat(-a), oddA, evenA);
    d[3] = multiply_add(splat(b), oddB, evenB);
    d[4] = multiply_add(splat(-b), oddB, evenB);
    d[5] = multiply_add(product, d1, multiply_add(sum, d3, d5));
}

// Aᵀ·m of one row or column, in place: the first `tile` elements.
INLINE void winograd_output_line(const size_t tile, const size_t stride, Vector *m) {
    if (stride == 2) {
        const Vector first = m[0] + m[1] + m[3];
        m[1] = m[1] - m[2] + m[4];
        m[0] = first;
        return;
    }
    if (tile == 2) {
        const Vector first = m[0] + (m[1] + m[2]);
        m[1] = (m[1] - m[2]) + m[3];
        m[0] = first;
        return;
    }
    if (tile == 3) {
        const float c = (float)CK_WINOGRAD_C, b = (float)CK_WINOGRAD_D;
        const Vector even = m[1] + m[2], odd = m[1] - m[2], last = m[3];
        m[0] = m[0] + (even + last);
        m[1] = multiply_add(splat(b), last, splat(c) * odd);
        m[2] = multiply_add(splat(b * b), last, multiply_add(splat(c * c), even, m[4]));
        return;
    }
    const float a = (float)CK_WINOGRAD_A, b = (float)CK_WINOGRAD_B;
    const Vector evenA = m[1] + m[2], oddA = m[1] - m[2], evenB = m[3] + m[4], oddB = m[3] - m[4];
    m[0] = m[0] + (evenA + evenB);
    m[1] = multiply_add(splat(b), oddB, splat(a) * oddA);
    m[2] = multiply_add(splat(b * b), evenB, splat(a * a) * evenA);
    m[3] = multiply_add(splat(b * b * b), oddB, multiply_add(splat(a * a * a), oddA, m[5]));
}

INLINE void winograd_input_tiles(const size_t tile, const size_t stride, const ck_winograd_input *given) {
    // A copy that no store can change.
    const ck_winograd_input in = *given;
    const size_t side = winograd_side(tile, stride), across = in.tilesAcross;
    const ptrdiff_t height = (ptrdiff_t)in.height, width = (ptrdiff_t)in.width;
    for (size_t block = 0; block < in.blocks; block++) {
        const float *plane = in.source + block * in.sourceBlockStride;
        float *destination = in.destination + block * in.destinationBlockStride;
        size_t tileRow = in.firstTile / across, tileColumn = in.firstTile % across;
        for (size_t index = 0; index < in.tileCount; index++, destination += CK_BLOCK) {
            const ptrdiff_t top = (ptrdiff_t)(tileRow * tile * stride) - (ptrdiff_t)in.padTop;
            const ptrdiff_t left = (ptrdiff_t)(tileColumn * tile * stride) - (ptrdiff_t)in.padLeft;
            const ptrdiff_t first = left < 0 ? -left : 0;
            const ptrdiff_t end = width - left < (ptrdiff_t)side ? width - left : (ptrdiff_t)side;
            // A row outside the plane is the same zeros at every step.
            const float *rows[WINOGRAD_SIDE];
            size_t steps[WINOGRAD_SIDE];
            for (size_t y = 0; y < side; y++) {
                const ptrdiff_t row = top + (ptrdiff_t)y;
                const _Bool isInside = row >= 0 && row < height && first < end;
                rows[y] = isInside ? plane + (row * width + left + first) * CK_BLOCK : outside;
                steps[y] = isInside ? CK_BLOCK : 0;
            }
            for (size_t v = 0; v < CK_BLOCK; v += LANES) {
                Vector d[WINOGRAD_SIDE][WINOGRAD_SIDE]; // [column][row]
                for (ptrdiff_t x = 0; x < (ptrdiff_t)side; x++) {
                    if (x < first || x >= end) {
                        for (size_t y = 0; y < side; y++) d[x][y] = (Vector){0};
                        continue;
                    }
#pragma clang loop unroll(full)
                    for (size_t y = 0; y < side; y++)
                        d[x][y] = load(rows[y] + (size_t)(x - first) * steps[y] + v);
                    winograd_input_line(tile, stride, d[x]);
                }
                float *place = destination + v;
#pragma clang loop unroll(disable)
                for (size_t y = 0; y < side; y++) {
                    Vector line[WINOGRAD_SIDE];
#pragma clang loop unroll(full)
                    for (size_t x = 0; x < side; x++) line[x] = d[x][y];
                    winograd_input_line(tile, stride, line);
#pragma clang loop unroll(full)
                    for (size_t x = 0; x < side; x++) {
                        store(place, line[x]);
                        place += in.positionStride;
                    }
                }
            }
            if (++tileColumn == across) {
                tileColumn = 0;
                tileRow++;
            }
        }
    }
}

static void winograd_input(const ck_winograd_input *in) {
    if (in->stride == 2) {
        winograd_input_tiles(2, 2, in);
        return;
    }
    switch (in->tile) {
        case 2: winograd_input_tiles(2, 1, in); break;
        case 3: winograd_input_tiles(3, 1, in); break;
        default: winograd_input_tiles(4, 1, in);
    }
}

INLINE void winograd_output_tiles(const size_t tile, const size_t stride, const ck_winograd_output *given) {
    // A copy that no store can change.
    const ck_winograd_output out = *given;
    const size_t side = winograd_side(tile, stride), across = out.tilesAcross;
    const _Bool hasLower = out.lower > -INFINITY, hasUpper = out.upper < INFINITY;
    for (size_t block = 0; block < out.blocks; block++) {
        const float *source = out.source + block * out.sourceBlockStride;
        size_t tileRow = out.firstTile / across, tileColumn = out.firstTile % across;
        for (size_t index = 0; index < out.tileCount; index++, source += CK_BLOCK) {
            const size_t top = tileRow * tile, left = tileColumn * tile;
            const size_t height = out.height - top < tile ? out.height - top : tile;
            const size_t width = out.width - left < tile ? out.width - left : tile;
            const size_t corner = block * out.destinationBlockStride + (top * out.width + left) * CK_BLOCK;
            for (size_t v = 0; v < CK_BLOCK; v += LANES) {
                const Vector bias = load(out.bias + block * CK_BLOCK + v);
                Vector m[WINOGRAD_SIDE][WINOGRAD_SIDE]; // [column][row]
#pragma clang loop unroll(disable)
                for (size_t x = 0; x < side; x++) {
                    const float *place = source + x * out.positionStride + v;
#pragma clang loop unroll(full)
                    for (size_t y = 0; y < side; y++, place += side * out.positionStride) m[x][y] = load(place);
                    winograd_output_line(tile, stride, m[x]);
                }
#pragma clang loop unroll(disable)
                for (size_t y = 0; y < height; y++) {
                    Vector line[WINOGRAD_SIDE];
#pragma clang loop unroll(full)
                    for (size_t x = 0; x < side; x++) line[x] = m[x][y];
                    winograd_output_line(tile, stride, line);
                    const size_t offset = corner + y * out.width * CK_BLOCK + v;
#define EACH_OUTPUT(statement)                                                                                   \
    _Pragma("clang loop unroll(full)") for (size_t x = 0; x < tile; x++) statement
                    EACH_OUTPUT(line[x] += bias;)
                    if (out.residual)
                        EACH_OUTPUT(if (x < width) line[x] += load(out.residual + offset + x * CK_BLOCK);)
                    if (hasLower) EACH_OUTPUT(line[x] = at_least(line[x], splat(out.lower));)
                    if (hasUpper) EACH_OUTPUT(line[x] = at_most(line[x], splat(out.upper));)
                    EACH_OUTPUT(if (x < width) store(out.destination + offset + x * CK_BLOCK, line[x]);)
#undef EACH_OUTPUT
                }
            }
            if (++tileColumn == across) {
                tileColumn = 0;
                tileRow++;
            }
        }
    }
}

static void winograd_output(const ck_winograd_output *out) {
    if (out->stride == 2) {
        winograd_output_tiles(2, 2, out);
        return;
    }
    switch (out->tile) {
        case 2: winograd_output_tiles(2, 1, out); break;
        case 3: winograd_output_tiles(3, 1, out); break;
        default: winograd_output_tiles(4, 1, out);
    }
}

// Products of as many tiles each: other tiles, or other panels.
typedef struct {
    size_t count;
    const float *left, *right;
    float *result;
    // From one product to the next.
    size_t leftStep, rightStep, resultStep;
    // The weights that come next, of which each product fetches a part: of every CK_BLOCK channels `fetched` floats.
    const float *next;
    size_t nextStep, fetched;
} ProductRun;

// The sums of some tiles for one panel; both counts are constants where this is inlined.
INLINE void winograd_sums(
    const ck_winograd_product *p, const float *left, const float *right, const float *next, size_t fetched,
    float *result, const int tiles, const int vectors) {
    Vector sums[TILE_PIXELS][PANEL_VECTORS];
    const float *places[TILE_PIXELS];
    for (int i = 0; i < tiles; i++) {
        places[i] = left + i * CK_BLOCK;
        for (int v = 0; v < vectors; v++) sums[i][v] = (Vector){0};
    }
    ptrdiff_t block = 0;
    for (size_t rest = p->channels; rest > 0; block += (ptrdiff_t)p->leftBlockStride) {
        const size_t depth = rest < CK_BLOCK ? rest : CK_BLOCK;
        rest -= depth;
        for (size_t i = 0; i < fetched; i += CK_BLOCK) __builtin_prefetch(next + i);
        next += CK_BLOCK * PANEL_CHANNELS;
        add_tap(sums, places, block, right, depth, tiles, vectors, 0);
        right += depth * PANEL_CHANNELS;
    }
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        const size_t channel = (size_t)v * LANES;
        float *place = result + channel / CK_BLOCK * p->sumsBlockStride + channel % CK_BLOCK;
#pragma clang loop unroll(full)
        for (int i = 0; i < tiles; i++) store(place + i * CK_BLOCK, sums[i][v]);
    }
}

#define WINOGRAD_VECTORS(tiles, vectors)                                                                         \
    case vectors:                                                                                                \
        for (size_t i = 0; i < run.count; i++) {                                                                 \
            winograd_sums(p, run.left, run.right, run.next, run.fetched, run.result, tiles, vectors);            \
            run.left += run.leftStep;                                                                            \
            run.right += run.rightStep;                                                                          \
            run.next += run.nextStep;                                                                            \
            run.result += run.resultStep;                                                                        \
        }                                                                                                        \
        break;
#if PANEL_VECTORS == 4
#define WINOGRAD_VECTOR_CASES(tiles)                                                                             \
    WINOGRAD_VECTORS(tiles, 1) WINOGRAD_VECTORS(tiles, 2) WINOGRAD_VECTORS(tiles, 3) WINOGRAD_VECTORS(tiles, 4)
#else
#define WINOGRAD_VECTOR_CASES(tiles) WINOGRAD_VECTORS(tiles, 1) WINOGRAD_VECTORS(tiles, 2)
#endif
#define DEFINE_WINOGRAD_SUMS(tiles)                                                                              \
    static __attribute__((noinline)) void winograd_sums_##tiles(                                                 \
        const ck_winograd_product *p, const ProductRun *given, size_t vectors) {                                 \
        ProductRun run = *given;                                                                                 \
        switch (vectors) { WINOGRAD_VECTOR_CASES(tiles) }                                                        \
    }
TILE_SIZES(DEFINE_WINOGRAD_SUMS)

#define WINOGRAD_SUMS(tiles) winograd_sums_##tiles,
static void (*const winogradSums[])(const ck_winograd_product *p, const ProductRun *run, size_t vectors) = {
    NULL, TILE_SIZES(WINOGRAD_SUMS)};

// All tiles of one panel, in groups; `fetches`: the weights at `run.next`.
static void winograd_panel(
    const ck_winograd_product *p, ProductRun run, Parts groups, size_t vectors, _Bool fetches) {
    // Every group of tiles fetches a part of the next weights, so that memory is busy all the time.
    const size_t lines = fetches ? (PANEL_CHANNELS + groups.count - 1) / groups.count : 0;
    size_t unfetched = PANEL_CHANNELS;
    run.rightStep = 0;
    for (int isShorter = 0; isShorter < 2; isShorter++) {
        const size_t tiles = groups.least + !isShorter;
        run.count = isShorter ? groups.count - groups.longer : groups.longer;
        if (run.count == 0) continue;
        run.leftStep = run.resultStep = tiles * CK_BLOCK;
        run.fetched = run.nextStep = unfetched > 0 ? lines * CK_BLOCK : 0;
        winogradSums[tiles](p, &run, vectors);
        run.left += run.count * run.leftStep;
        run.result += run.count * run.resultStep;
        run.next += run.count * run.nextStep;
        unfetched -= unfetched < run.count * lines ? unfetched : run.count * lines;
    }
}

static void winograd_product(const ck_winograd_product *p) {
    const size_t panelFloats = p->channels * PANEL_CHANNELS;
    const size_t panelSums = PANEL_CHANNELS / CK_BLOCK * p->sumsBlockStride;
    const Parts groups = parts_of(p->tileCount, TILE_PIXELS);
    // Where one group has all tiles and nothing is fetched, full panels are one run.
    const size_t full = p->outputChannels / PANEL_CHANNELS;
    const size_t together = groups.count > 1 || p->prefetches ? 0 : full < p->panelCount ? full : p->panelCount;
    for (size_t position = 0; position < p->positions; position++) {
        ProductRun run = {
            .count = together,
            .left = p->left + position * p->leftPositionStride,
            .right = p->right + position * p->rightPositionStride,
            .next = p->right,
            .result = p->sums + position * p->sumsPositionStride,
            .rightStep = panelFloats,
            .resultStep = panelSums,
        };
        if (together > 0) winogradSums[groups.least](p, &run, PANEL_VECTORS);
        const float *following = run.right + p->rightPositionStride;
        run.right += together * panelFloats;
        run.result += together * panelSums;
        for (size_t panel = together; panel < p->panelCount; panel++) {
            const size_t outputs = p->outputChannels - panel * PANEL_CHANNELS;
            const size_t vectors = outputs < PANEL_CHANNELS ? (outputs + LANES - 1) / LANES : PANEL_VECTORS;
            const _Bool isLast = panel + 1 == p->panelCount;
            run.next = isLast ? following : run.right + panelFloats;
            const _Bool fetches = p->prefetches && (!isLast || position + 1 < p->positions);
            winograd_panel(p, run, groups, vectors, fetches);
            run.right += panelFloats;
            run.result += panelSums;
        }
    }
}
