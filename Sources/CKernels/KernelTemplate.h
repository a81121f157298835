// The kernels, written once in vectors of LANES floats. A file that includes this defines first
//   KERNELS     the name of the table
//   LANES       the floats of a vector
//   FUSED       1 when the target has a fused multiply-add
// and makes every function after it compile for its target.

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

// As many sums as there are registers, less those of the right side and one of the left.
#if LANES == 16
#define TILE_ROWS 14
#define TILE_HEIGHTS(CASE) TILE_HEIGHTS_TO_6(CASE) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#else
#define TILE_ROWS 6
#define TILE_HEIGHTS(CASE) TILE_HEIGHTS_TO_6(CASE)
#endif
#define TILE_HEIGHTS_TO_6(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#define TILE_COLUMNS (2 * LANES)
#define PEAK_CHAINS 12
#define INLINE static inline __attribute__((always_inline))

typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef float LooseVector __attribute__((vector_size(LANES * 4), aligned(4)));
typedef int32_t Mask __attribute__((vector_size(LANES * 4)));

INLINE Vector load(const float *source) { return *(const LooseVector *)source; }
INLINE void store(float *destination, Vector value) { *(LooseVector *)destination = value; }
INLINE Vector splat(float value) { return value - (Vector){0}; }

INLINE Vector select(Mask mask, Vector yes, Vector no) {
    return (Vector)(((Mask)yes & mask) | ((Mask)no & ~mask));
}

INLINE Vector multiply_add(Vector a, Vector b, Vector c) {
#if FUSED
    return __builtin_elementwise_fma(a, b, c);
#else
    return a * b + c;
#endif
}

// A comparison with NaN is false, so NaN stays NaN.
INLINE Vector at_least(Vector x, Vector lower) { return select(x < lower, lower, x); }
INLINE Vector at_most(Vector x, Vector upper) { return select(x > upper, upper, x); }
INLINE Vector clamp(Vector x, Vector lower, Vector upper) { return at_most(at_least(x, lower), upper); }

// result[i] = x[lanes[i]]
INLINE Vector permute(Vector x, Mask lanes) {
#if LANES == 16
    return __builtin_ia32_permvarsf512(x, lanes);
#elif LANES == 8
    return __builtin_ia32_permvarsf256(x, lanes);
#else
    Vector result;
    for (int i = 0; i < LANES; i++) result[i] = x[lanes[i]];
    return result;
#endif
}

// Work in `count` parts of `most` at most, as few and as equal as can be: the first `longer` have one more than `least`. A tile
// with a pixel less takes so much less time; one with a single pixel would wait for its own sums.
typedef struct {
    size_t count, least, longer;
} Parts;

INLINE Parts parts_of(size_t total, size_t most) {
    const size_t count = (total + most - 1) / most;
    return count > 0 ? (Parts){count, total / count, total % count} : (Parts){0, 0, 0};
}

INLINE size_t part_size(Parts parts, size_t index) { return parts.least + (index < parts.longer); }

// The greater of two; NaN of either side stays.
INLINE Vector greater(Vector left, Vector right) {
    return select(left != left, left, select(left > right, left, right));
}

// The first `count` elements; the others are 0.
INLINE Vector load_part(const float *source, size_t count) {
#if LANES == 16
    return __builtin_ia32_loadups512_mask(source, (Vector){0}, (uint16_t)((1u << count) - 1));
#else
    float buffer[LANES] = {0};
    for (size_t i = 0; i < count; i++) buffer[i] = source[i];
    return load(buffer);
#endif
}

INLINE void store_part(float *destination, Vector value, size_t count) {
#if LANES == 16
    __builtin_ia32_storeups512_mask(destination, value, (uint16_t)((1u << count) - 1));
#else
    float buffer[LANES];
    store(buffer, value);
    for (size_t i = 0; i < count; i++) destination[i] = buffer[i];
#endif
}

// MARK: Matrix products

// `rows` × (vectors · LANES) sums; both are constants where this is inlined, so the sums live in registers.
// Element (i, k) of the left side lies at a[i·rowStride + k·depthStride]; of the right side, two vectors make up a panel.
// `count`: the columns that exist of the last vector (LANES: all of them). A step fetches what lies at `next`, and goes on by
// `nextStep`.
INLINE void tile(
    const ck_matrix_block *block, size_t row, size_t column, const float *a, size_t rowStride, size_t depthStride,
    const float *b, const float *next, size_t nextStep, const int rows, const int vectors, size_t count) {
    Vector sums[TILE_ROWS][4];
    float *c = block->c + row * block->cStride + column;
    const size_t last = (size_t)(vectors - 1), panelStride = block->bPanelStride;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        for (size_t v = 0; v < (size_t)vectors; v++) {
            const float *place = c + (size_t)i * block->cStride + v * LANES;
            sums[i][v] = !block->accumulate             ? (Vector){0}
                         : v == last && count < LANES ? load_part(place, count)
                                                        : load(place);
        }
    }
    for (size_t k = block->depth; k > 0; k--) {
        Vector right[4];
        for (size_t v = 0; v < (size_t)vectors; v++) right[v] = load(b + v / 2 * panelStride + v % 2 * LANES);
        const float *x = a;
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++, x += rowStride) {
            // Of many rows one pointer: left alone, the compiler computes a place for each, and spills them and sums.
            if (rows > 6) __asm__("" : "+r"(x));
            const Vector left = splat(*x);
            for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(left, right[v], sums[i][v]);
        }
        a += depthStride;
        b += TILE_COLUMNS;
        // Always, if only what is here already: with a condition the compiler writes the loop twice, and spills sums.
        __builtin_prefetch(next);
        next += nextStep;
    }
    const Vector lower = splat(block->lower), upper = splat(block->upper);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
        for (size_t v = 0; v < (size_t)vectors; v++) {
            const size_t offset = (row + (size_t)i) * block->cStride + column + v * LANES;
            const _Bool part = v == last && count < LANES;
            Vector value = sums[i][v];
            if (block->finish) {
                if (block->rowBias) value += splat(block->rowBias[row + (size_t)i]);
                if (block->columnBias) {
                    const float *bias = block->columnBias + column + v * LANES;
                    value += part ? load_part(bias, count) : load(bias);
                }
                if (block->residual) {
                    const float *residual = block->residual + offset;
                    value += part ? load_part(residual, count) : load(residual);
                }
                value = clamp(value, lower, upper);
            }
            if (part) store_part(block->c + offset, value, count);
            else store(block->c + offset, value);
        }
    }
}

// Tiles at the right or the lower edge; functions of their own for every height, for their registers' sake.
#define EDGE_TILE(height)                                                                                        \
    static __attribute__((noinline)) void edge_tile_##height(                                                    \
        const ck_matrix_block *block, size_t row, size_t column, const float *a, const float *b,                 \
        size_t columns) {                                                                                        \
        if (columns > LANES) tile(block, row, column, a, 1, TILE_ROWS, b, b, 0, height, 2, columns - LANES);     \
        else tile(block, row, column, a, 1, TILE_ROWS, b, b, 0, height, 1, columns);                             \
    }
TILE_HEIGHTS(EDGE_TILE)

static __attribute__((noinline)) void whole_tile(
    const ck_matrix_block *block, size_t row, size_t column, const float *a, const float *b) {
    tile(block, row, column, a, 1, TILE_ROWS, b, b, 0, TILE_ROWS, 2, LANES);
}

static void matrix_block(const ck_matrix_block *block) {
    typedef void (*Tile)(const ck_matrix_block *, size_t, size_t, const float *, const float *, size_t);
#define NAME(height) edge_tile_##height,
    static const Tile edges[] = {TILE_HEIGHTS(NAME)};
#undef NAME
    const float *a = block->a;
    for (size_t row = 0; row < block->rows; row += TILE_ROWS, a += block->aPanelStride) {
        const size_t rows = block->rows - row < TILE_ROWS ? block->rows - row : TILE_ROWS;
        const float *b = block->b;
        for (size_t column = 0; column < block->columns; column += TILE_COLUMNS, b += block->bPanelStride) {
            const size_t left = block->columns - column;
            if (rows == TILE_ROWS && left >= TILE_COLUMNS) whole_tile(block, row, column, a, b);
            else edges[rows - 1](block, row, column, a, b, left < TILE_COLUMNS ? left : TILE_COLUMNS);
        }
    }
}

// Two and three rows take two panels at once: fewer sums would not hide the latency of one.
#define PANELS_AT_ONCE(rows) ((rows) <= 3 ? 2 : 1)

// Tiles of whole panels and of the last one's columns, for one height; functions of their own, for their registers' sake.
#define ROWS_TILE(height)                                                                                        \
    static __attribute__((noinline)) void rows_tile_##height(                                                    \
        const ck_matrix_block *block, size_t row, size_t column, const float *b, size_t columns,                 \
        const float *next, size_t nextStep) {                                                                    \
        const float *a = block->a + row * block->aRowStride;                                                     \
        const size_t stride = block->aRowStride;                                                                 \
        const int wide = 2 * PANELS_AT_ONCE(height);                                                             \
        if (columns >= (size_t)wide * LANES)                                                                     \
            tile(block, row, column, a, stride, 1, b, next, nextStep, height, wide, LANES);                      \
        else if (columns >= 2 * LANES)                                                                           \
            tile(block, row, column, a, stride, 1, b, next, nextStep, height, 2, LANES);                         \
        else if (columns > LANES)                                                                                \
            tile(block, row, column, a, stride, 1, b, next, nextStep, height, 2, columns - LANES);               \
        else tile(block, row, column, a, stride, 1, b, next, nextStep, height, 1, columns);                      \
    }
TILE_HEIGHTS(ROWS_TILE)

static void matrix_rows(const ck_matrix_block *block) {
    typedef void (*Tile)(const ck_matrix_block *, size_t, size_t, const float *, size_t, const float *, size_t);
#define NAME(height) rows_tile_##height,
    static const Tile tiles[] = {TILE_HEIGHTS(NAME)};
#undef NAME
    if (block->rows == 0) return;
    // Tiles of about the same height: a whole one and one of two rows would leave that without work to hide its latency.
    const size_t count = (block->rows + TILE_ROWS - 1) / TILE_ROWS;
    const size_t wide = PANELS_AT_ONCE(block->rows);
    const float *b = block->b;
    for (size_t column = 0; column < block->columns;) {
        const size_t left = block->columns - column;
        const size_t panels = left >= wide * TILE_COLUMNS ? wide : 1;
        const size_t columns = left < panels * TILE_COLUMNS ? left : panels * TILE_COLUMNS;
        size_t row = 0;
        // Each tile fetches a part of the next panel, so that memory is busy all the time.
        const float *next = b + panels * block->bPanelStride;
        const size_t step = column + columns < block->columns ? (TILE_COLUMNS + count - 1) / count : 0;
        for (size_t index = 0; index < count; index++) {
            const size_t height = (block->rows - row + count - index - 1) / (count - index);
            tiles[height - 1](block, row, column, b, columns, step > 0 ? next : b, step);
            row += height;
            next += step * block->depth;
        }
        column += panels * TILE_COLUMNS;
        b += panels * block->bPanelStride;
    }
}

// Up to eight vectors of columns at once, so that enough sums are under way to hide the latency of one.
INLINE void row_vectors(const ck_matrix_block *block, size_t column, const float *b, const int vectors) {
    Vector sums[8];
    const size_t stride = block->bPanelStride;
    const float *a = block->a;
    for (int v = 0; v < vectors; v++) sums[v] = (Vector){0};
    for (size_t k = block->depth; k > 0; k--, a++, b += TILE_COLUMNS) {
        const Vector left = splat(*a);
#pragma clang loop unroll(full)
        for (size_t v = 0; v < (size_t)vectors; v++)
            sums[v] = multiply_add(left, load(b + v / 2 * stride + v % 2 * LANES), sums[v]);
    }
    const Vector lower = splat(block->lower), upper = splat(block->upper);
    for (int v = 0; v < vectors; v++, column += LANES) {
        const size_t left = block->columns - column;
        Vector value = sums[v];
        if (block->rowBias) value += splat(block->rowBias[0]);
        if (left >= LANES) {
            if (block->columnBias) value += load(block->columnBias + column);
            if (block->residual) value += load(block->residual + column);
            store(block->c + column, clamp(value, lower, upper));
        } else {
            if (block->columnBias) value += load_part(block->columnBias + column, left);
            if (block->residual) value += load_part(block->residual + column, left);
            store_part(block->c + column, clamp(value, lower, upper), left);
        }
    }
}

#define ROW_CASE(vectors)                                                                                        \
    case vectors: row_vectors(block, column, b, vectors); break;

static __attribute__((noinline)) void row_rest(
    const ck_matrix_block *block, size_t column, const float *b, size_t vectors) {
    switch (vectors) {
        ROW_CASE(1)
        ROW_CASE(2)
        ROW_CASE(3)
        ROW_CASE(4)
        ROW_CASE(5)
        ROW_CASE(6)
        ROW_CASE(7)
        ROW_CASE(8)
    }
}

static void matrix_row(const ck_matrix_block *block) {
    const float *b = block->b;
    size_t column = 0;
    for (; column + 8 * LANES <= block->columns; column += 8 * LANES, b += 4 * block->bPanelStride)
        row_vectors(block, column, b, 8);
    if (column < block->columns) row_rest(block, column, b, (block->columns - column + LANES - 1) / LANES);
}

// MARK: Peak

static float multiply_adds(size_t steps) {
    Vector sums[PEAK_CHAINS];
    for (int i = 0; i < PEAK_CHAINS; i++) sums[i] = splat((float)i);
    Vector left = splat(0.5f), right = splat(0.25f);
    for (; steps > 0; steps--) {
#pragma clang loop unroll(full)
        for (int i = 0; i < PEAK_CHAINS; i++) sums[i] = multiply_add(left, sums[i], right);
    }
    for (int i = 1; i < PEAK_CHAINS; i++) sums[0] += sums[i];
    return sums[0][0];
}

// MARK: Patches

static void pack_patches(const ck_patches *patches, float *destination) {
    size_t starts[TILE_COLUMNS], lengths[TILE_COLUMNS], bases[TILE_COLUMNS];
    for (size_t done = 0; done < patches->count; done += TILE_COLUMNS) {
        const size_t left = patches->count - done;
        const size_t count = left < TILE_COLUMNS ? left : TILE_COLUMNS;
        // A tile's pixels fall into runs that lie side by side in the source: pieces of rows.
        size_t runs = 0;
        for (size_t start = 0; start < count; runs++) {
            const size_t pixel = patches->first + done + start;
            const size_t x = pixel % patches->width, row = pixel / patches->width;
            const size_t y = row % patches->height, z = row / patches->height;
            const size_t length = patches->width - x;
            starts[runs] = start;
            lengths[runs] = length < count - start ? length : count - start;
            bases[runs] = z * patches->planeStride + y * patches->rowStride + x;
            start += lengths[runs];
        }
        if (runs == 1) {
            const float *source = patches->source + bases[0];
            for (size_t k = 0; k < patches->depth; k++, destination += TILE_COLUMNS) {
                const float *place = source + patches->tapOffsets[k];
                store(destination, load(place));
                if (lengths[0] > LANES) store(destination + LANES, load(place + LANES));
            }
            continue;
        }
        for (size_t k = 0; k < patches->depth; k++, destination += TILE_COLUMNS) {
            const float *place = patches->source + patches->tapOffsets[k];
            // A run is copied in whole vectors; what it writes too much is overwritten by the next one.
            for (size_t run = 0; run < runs; run++) {
                store(destination + starts[run], load(place + bases[run]));
                if (lengths[run] > LANES)
                    store(destination + starts[run] + LANES, load(place + bases[run] + LANES));
            }
        }
    }
}

// MARK: Windows

INLINE void window_vectors(
    const ck_window_kind kind, float *destination, const float *source, const ptrdiff_t *tapOffsets,
    const float *weights, size_t tapCount, const int vectors, size_t count, float initial, float lower,
    float upper) {
    Vector values[4];
    for (int v = 0; v < vectors; v++) values[v] = splat(initial);
    for (size_t tap = 0; tap < tapCount; tap++) {
        const float *place = source + tapOffsets[tap];
        const Vector weight = splat(kind == CK_WINDOW_WEIGHTED_SUM ? weights[tap] : 1);
        for (int v = 0; v < vectors; v++) {
            const Vector x = load(place + v * LANES);
            if (kind == CK_WINDOW_MAXIMUM) {
                // NaN wins: it is neither below nor equal.
                values[v] = select((values[v] >= x) | (values[v] != values[v]), values[v], x);
            } else if (kind == CK_WINDOW_SUM) {
                values[v] += x;
            } else {
                values[v] = multiply_add(weight, x, values[v]);
            }
        }
    }
    const Vector low = splat(lower), high = splat(upper);
    for (int v = 0; v < vectors; v++) {
        const Vector value = kind == CK_WINDOW_MAXIMUM ? values[v] : clamp(values[v], low, high);
        if (v == vectors - 1 && count < LANES) store_part(destination + v * LANES, value, count);
        else store(destination + v * LANES, value);
    }
}

INLINE void window_loop(
    const ck_window_kind kind, float *destination, const float *source, const ptrdiff_t *tapOffsets,
    const float *weights, size_t tapCount, size_t count, float initial, float lower, float upper) {
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        window_vectors(
            kind, destination + i, source + i, tapOffsets, weights, tapCount, 4, LANES, initial, lower, upper);
    for (; i + 2 * LANES <= count; i += 2 * LANES)
        window_vectors(
            kind, destination + i, source + i, tapOffsets, weights, tapCount, 2, LANES, initial, lower, upper);
    for (; i < count; i += LANES)
        window_vectors(
            kind, destination + i, source + i, tapOffsets, weights, tapCount, 1,
            count - i < LANES ? count - i : LANES, initial, lower, upper);
}

static void window_row(
    ck_window_kind kind, float *destination, const float *source, const ptrdiff_t *tapOffsets,
    const float *weights, size_t tapCount, size_t count, float initial, float lower, float upper) {
    switch (kind) {
    case CK_WINDOW_MAXIMUM:
        window_loop(
            CK_WINDOW_MAXIMUM, destination, source, tapOffsets, weights, tapCount, count, initial, lower, upper);
        break;
    case CK_WINDOW_SUM:
        window_loop(
            CK_WINDOW_SUM, destination, source, tapOffsets, weights, tapCount, count, initial, lower, upper);
        break;
    case CK_WINDOW_WEIGHTED_SUM:
        window_loop(
            CK_WINDOW_WEIGHTED_SUM, destination, source, tapOffsets, weights, tapCount, count, initial, lower,
            upper);
        break;
    case CK_WINDOW_GROUPED_SUM: break;
    }
}

// MARK: Functions of one value

INLINE Vector round_even(Vector x) {
    // Adding and taking away 1.5·2²³ leaves the nearest integer of any |x| < 2²².
    const Vector magic = splat(12582912.0f);
    return (x + magic) - magic;
}

// eˣ = 2ⁿ·e^r with n = round(x / ln 2); the polynomial is Taylor's to r⁷, whose error on |r| ≤ 0.347 is below 2⁻²⁴.
INLINE Vector exponential(Vector x) {
    const Vector limited = clamp(x, splat(-87.9f), splat(88.72283f));
    const Vector n = round_even(limited * splat(1.44269504f));
    Vector r = multiply_add(n, splat(-0.693359375f), limited);
    r = multiply_add(n, splat(2.12194440e-4f), r);
    Vector p = splat(1.9841270e-4f);
    p = multiply_add(p, r, splat(1.3888889e-3f));
    p = multiply_add(p, r, splat(8.3333333e-3f));
    p = multiply_add(p, r, splat(4.1666667e-2f));
    p = multiply_add(p, r, splat(1.6666667e-1f));
    p = multiply_add(p, r, splat(0.5f));
    p = multiply_add(p, r, splat(1));
    p = multiply_add(p, r, splat(1));
    // 2ⁿ in two factors: n may be 128, whose power is no float.
    const Mask whole = __builtin_convertvector(select(x == x, n, splat(0)), Mask);
    const Mask half = whole >> 1;
    const Vector first = (Vector)((half + 127) << 23), second = (Vector)((whole - half + 127) << 23);
    Vector result = p * first * second;
    result = select(x < splat(-87.9f), splat(0), result);
    result = select(x > splat(88.72283f), splat(INFINITY), result);
    return select(x == x, result, x);
}

// e^−x for sigmoids and their like: one factor 2ⁿ does, as a greater power than e⁸⁸ is as good as infinite and a smaller one than
// e^−87 as good as 0 there. The polynomial is the best of degree 6; its relative error is 2e-9.
INLINE Vector inverse_exponential(Vector x) {
    const Vector limited = clamp(-x, splat(-87), splat(88));
    // Beside 1.5·2²³ a float's last bit stands for 1: the sum is rounded to n, which its low bits hold.
    const Vector magic = splat(12582912);
    const Vector shifted = multiply_add(limited, splat(1.44269504f), magic);
    const Vector n = shifted - magic;
    Vector r = multiply_add(n, splat(-0.693359375f), limited);
    r = multiply_add(n, splat(2.12194440e-4f), r);
    Vector p = splat(1.3843607e-3f);
    p = multiply_add(p, r, splat(8.3741956e-3f));
    p = multiply_add(p, r, splat(4.1668005e-2f));
    p = multiply_add(p, r, splat(1.6666430e-1f));
    p = multiply_add(p, r, splat(0.49999994f));
    p = multiply_add(p, r, splat(1));
    p = multiply_add(p, r, splat(1));
    const Vector power = (Vector)(((Mask)shifted << 23) + 0x3f800000);
    return select(x < splat(-88), splat(INFINITY), p * power);
}

INLINE Vector sigmoid(Vector x) {
    return splat(1) / (splat(1) + inverse_exponential(x));
}

INLINE Vector absolute(Vector x) { return (Vector)((Mask)x & 0x7fffffff); }
INLINE Vector with_sign(Vector magnitude, Vector sign) {
    return (Vector)((Mask)magnitude | ((Mask)sign & (Mask)splat(-0.0f)));
}

INLINE Vector hyperbolic_tangent(Vector x) {
    const Vector magnitude = absolute(x);
    // Near 0 the quotient cancels; the odd series does not.
    const Vector square = x * x;
    Vector series = splat(-17.0f / 315);
    series = multiply_add(series, square, splat(2.0f / 15));
    series = multiply_add(series, square, splat(-1.0f / 3));
    series = multiply_add(series * square, magnitude, magnitude);
    const Vector quotient = splat(1) - splat(2) / (inverse_exponential(-(magnitude + magnitude)) + splat(1));
    return with_sign(select(magnitude < splat(0.25f), series, quotient), x);
}

// x·P(x²)/Q(x²), fitted to a relative error of 2e-8 on |x| < 3.92; beyond, erf is ±1 as a float.
INLINE Vector error_function(Vector x) {
    const Vector bound = splat(3.92f), limited = clamp(x, -bound, bound), square = limited * limited;
    Vector p = splat(2.0501109e-6f), q = splat(3.8091959e-5f);
    p = multiply_add(p, square, splat(2.8488267e-4f));
    q = multiply_add(q, square, splat(1.1625251e-3f));
    p = multiply_add(p, square, splat(3.7655653e-3f));
    q = multiply_add(q, square, splat(1.4969110e-2f));
    p = multiply_add(p, square, splat(5.2748561e-2f));
    q = multiply_add(q, square, splat(1.1410857e-1f));
    p = multiply_add(p, square, splat(1.9040510e-1f));
    q = multiply_add(q, square, splat(5.0207490e-1f));
    p = multiply_add(p, square, splat(1.1283791f));
    q = multiply_add(q, square, splat(1));
    return select(absolute(x) >= bound, with_sign(splat(1), x), limited * p / q);
}

INLINE Vector square_root(Vector x) {
    Vector result;
    for (int i = 0; i < LANES; i++) result[i] = sqrtf(x[i]);
    return result;
}

INLINE Vector apply_unary(const ck_unary_kind kind, Vector x, Vector alpha, Vector beta) {
    switch (kind) {
    case CK_CLAMP: return clamp(x, alpha, beta);
    case CK_LEAKY_RELU: return select(x < splat(0), alpha * x, x);
    case CK_SIGMOID: return sigmoid(x);
    case CK_TANH: return hyperbolic_tangent(x);
    case CK_HARD_SIGMOID: return clamp(multiply_add(alpha, x, beta), splat(0), splat(1));
    case CK_HARD_SWISH:
        return x * clamp(multiply_add(splat(1.0f / 6), x, splat(0.5f)), splat(0), splat(1));
    case CK_ERF: return error_function(x);
    case CK_GELU: return alpha * x * (splat(1) + error_function(x * splat(0.70710678f)));
    case CK_GELU_TANH: {
        const Vector cubic = multiply_add(splat(0.044715f) * x * x, x, x);
        return splat(0.5f) * x * (splat(1) + hyperbolic_tangent(splat(0.79788456f) * cubic));
    }
    case CK_EXP: return exponential(x);
    case CK_SQRT: return square_root(x);
    case CK_NEGATE: return -x;
    case CK_ABSOLUTE: return absolute(x);
    case CK_SILU: return x / (splat(1) + inverse_exponential(x));
    case CK_ELU: return select(x < splat(0), alpha * (exponential(x) - splat(1)), x);
    case CK_SCALE_SHIFT: return multiply_add(alpha, x, beta);
    }
    return x;
}

INLINE void unary_loop(
    const ck_unary_kind kind, float *destination, const float *source, size_t count, float alpha, float beta) {
    const Vector a = splat(alpha), b = splat(beta);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        store(destination + i, apply_unary(kind, load(source + i), a, b));
    if (i < count)
        store_part(destination + i, apply_unary(kind, load_part(source + i, count - i), a, b), count - i);
}

#define UNARY_CASE(kind)                                                                                         \
    case kind: unary_loop(kind, destination, source, count, alpha, beta); break;

static void unary(
    ck_unary_kind kind, float *destination, const float *source, size_t count, float alpha, float beta) {
    switch (kind) {
        UNARY_CASE(CK_CLAMP)
        UNARY_CASE(CK_LEAKY_RELU)
        UNARY_CASE(CK_SIGMOID)
        UNARY_CASE(CK_TANH)
        UNARY_CASE(CK_HARD_SIGMOID)
        UNARY_CASE(CK_HARD_SWISH)
        UNARY_CASE(CK_ERF)
        UNARY_CASE(CK_GELU)
        UNARY_CASE(CK_GELU_TANH)
        UNARY_CASE(CK_EXP)
        UNARY_CASE(CK_SQRT)
        UNARY_CASE(CK_NEGATE)
        UNARY_CASE(CK_ABSOLUTE)
        UNARY_CASE(CK_SILU)
        UNARY_CASE(CK_ELU)
        UNARY_CASE(CK_SCALE_SHIFT)
    }
}

// MARK: Functions of two values

INLINE Vector apply_binary(const ck_binary_kind kind, Vector left, Vector right) {
    switch (kind) {
    case CK_ADD: return left + right;
    case CK_SUBTRACT: return left - right;
    case CK_MULTIPLY: return left * right;
    case CK_DIVIDE: return left / right;
    // NaN of either side stays.
    case CK_MINIMUM: return select((left <= right) | (left != left), left, right);
    case CK_MAXIMUM: return select((left >= right) | (left != left), left, right);
    case CK_PRELU: return select(left < splat(0), left * right, left);
    }
    return left;
}

INLINE void binary_loop(
    const ck_binary_kind kind, float *destination, const float *left, size_t leftStride, const float *right,
    size_t rightStride, size_t count, float lower, float upper) {
    const Vector low = splat(lower), high = splat(upper);
    Vector a = leftStride == 0 && count > 0 ? splat(left[0]) : (Vector){0};
    Vector b = rightStride == 0 && count > 0 ? splat(right[0]) : (Vector){0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        if (leftStride) a = load(left + i);
        if (rightStride) b = load(right + i);
        store(destination + i, clamp(apply_binary(kind, a, b), low, high));
    }
    if (i < count) {
        if (leftStride) a = load_part(left + i, count - i);
        if (rightStride) b = load_part(right + i, count - i);
        store_part(destination + i, clamp(apply_binary(kind, a, b), low, high), count - i);
    }
}

#define BINARY_CASE(kind)                                                                                        \
    case kind:                                                                                                   \
        binary_loop(kind, destination, left, leftStride, right, rightStride, count, lower, upper);               \
        break;

static void binary(
    ck_binary_kind kind, float *destination, const float *left, size_t leftStride, const float *right,
    size_t rightStride, size_t count, float lower, float upper) {
    switch (kind) {
        BINARY_CASE(CK_ADD)
        BINARY_CASE(CK_SUBTRACT)
        BINARY_CASE(CK_MULTIPLY)
        BINARY_CASE(CK_DIVIDE)
        BINARY_CASE(CK_MINIMUM)
        BINARY_CASE(CK_MAXIMUM)
        BINARY_CASE(CK_PRELU)
    }
}

// MARK: Reductions

INLINE float add_lanes(Vector a, Vector b, Vector c, Vector d) {
    const Vector total = (a + b) + (c + d);
    float result = 0;
    for (int i = 0; i < LANES; i++) result += total[i];
    return result;
}

INLINE float sum_loop(const _Bool squared, const float *source, size_t count, float center) {
    const Vector middle = splat(center);
    Vector sums[4] = {{0}, {0}, {0}, {0}};
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        for (int v = 0; v < 4; v++) {
            const Vector x = load(source + i + v * LANES) - middle;
            sums[v] = squared ? multiply_add(x, x, sums[v]) : sums[v] + x;
        }
    }
    for (; i + LANES <= count; i += LANES) {
        const Vector x = load(source + i) - middle;
        sums[0] = squared ? multiply_add(x, x, sums[0]) : sums[0] + x;
    }
    float rest = 0;
    for (; i < count; i++) {
        const float x = source[i] - center;
        rest += squared ? x * x : x;
    }
    return add_lanes(sums[0], sums[1], sums[2], sums[3]) + rest;
}

static float sum(const float *source, size_t count, float center) {
    return sum_loop(0, source, count, center);
}

static float sum_of_squares(const float *source, size_t count, float center) {
    return sum_loop(1, source, count, center);
}

static void normalize(
    float *destination, const float *source, size_t count, float mean, float factor, const float *scale,
    const float *shift) {
    const Vector center = splat(mean), factors = splat(factor), zero = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const Vector x = (load(source + i) - center) * factors;
        store(destination + i, multiply_add(x, load(scale + i), shift ? load(shift + i) : zero));
    }
    if (i == count) return;
    const Vector x = (load_part(source + i, count - i) - center) * factors;
    const Vector shifts = shift ? load_part(shift + i, count - i) : zero;
    store_part(destination + i, multiply_add(x, load_part(scale + i, count - i), shifts), count - i);
}

static float maximum(const float *source, size_t count) {
    Vector best = splat(-INFINITY);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const Vector x = load(source + i);
        best = select((best >= x) | (best != best), best, x);
    }
    float result = -INFINITY;
    for (int lane = 0; lane < LANES; lane++)
        if (!(result >= best[lane]) && result == result) result = best[lane];
    for (; i < count; i++)
        if (!(result >= source[i]) && result == result) result = source[i];
    return result;
}

static float exp_sum(float *destination, const float *source, size_t count, float center) {
    const Vector middle = splat(center);
    Vector total = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        const Vector value = exponential(load(source + i) - middle);
        store(destination + i, value);
        total += value;
    }
    float rest = 0;
    if (i < count) {
        store_part(destination + i, exponential(load_part(source + i, count - i) - middle), count - i);
        for (; i < count; i++) rest += destination[i];
    }
    return add_lanes(total, (Vector){0}, (Vector){0}, (Vector){0}) + rest;
}

#include "BlockedConvolution.h"
#include "BlockedWindow.h"
#include "BlockedChannels.h"
#include "BlockedWinograd.h"
#include "Recurrent.h"

const ck_kernels KERNELS = {
    .lanes = LANES,
    .tileRows = TILE_ROWS,
    .tileColumns = TILE_COLUMNS,
    .panelChannels = PANEL_CHANNELS,
    .tilePixels = TILE_PIXELS,
    .runPixels = RUN_PIXELS,
    .blocked_convolution = blocked_convolution,
    .planar_convolution = planar_convolution,
    .blocked_window = blocked_window,
    .channel_binary = channel_binary,
    .channel_affine = channel_affine,
    .channel_mean = channel_mean,
    .channel_squares = channel_squares,
    .channel_gather = channel_gather,
    .winograd_input = winograd_input,
    .winograd_product = winograd_product,
    .winograd_output = winograd_output,
    .matrix_block = matrix_block,
    .multiply_adds = multiply_adds,
    .multiplyAddOperations = 2 * PEAK_CHAINS * LANES,
    .matrix_rows = matrix_rows,
    .matrix_row = matrix_row,
    .pack_patches = pack_patches,
    .window_row = window_row,
    .unary = unary,
    .binary = binary,
    .sum = sum,
    .sum_of_squares = sum_of_squares,
    .normalize = normalize,
    .maximum = maximum,
    .exp_sum = exp_sum,
    .lstm_cell = lstm_cell,
    .gru_cell = gru_cell,
};
