// Windows that slide over values blocked by channel, [items][blocks][depth][height][width][16]: depthwise convolution, pools, and
// convolution in groups of fewer channels than a vector has. Included by KernelTemplate.h, in whose vectors it is written.
//
// An output is one chain over the taps that lie inside of the input, in C order, whatever tile computes it, for one input channel
// of its group after the other. Tiles of the usual widths read what changes nothing where a row has no pixel; for the others,
// inner pixels are computed along their row, those whose windows reach over the left or the right border along their column.

// The pixels of a tile: enough sums to hide the latency of one, and room for the weights of a row beside them.
#define WINDOW_PIXELS 8
// Rows of at least so many pixels are cut into tiles that have as many, so those of constant widths do not come smaller.
#define WINDOW_MINIMUM_PIXELS 4
#define WINDOW_MAXIMUM_WIDTH 7

// What a maximum reads where a tap lies outside of the input; it changes nothing.
static const float least[CK_BLOCK] = {
    -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY,
    -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY,
};

// The taps of one axis that lie inside of the input.
typedef struct {
    size_t begin, end;
} TapRange;

// Rows of pixels whose windows lie the same way to the borders; steps of the source and of weights are in floats.
typedef struct {
    // The first pixel's first tap.
    const float *source, *weights;
    // The input channels that go into an output.
    size_t groupChannels;
    // The first pixel.
    float *destination;
    const float *initial, *residual, *divisors;
    float lower, upper;
    // The taps.
    size_t deep, high, wide;
    ptrdiff_t sheetTaps, rowTaps, columnTaps;
    size_t sheetWeights, rowWeights, channelWeights;
    // From one pixel of a row to the next, and from one row to the next; those of the target in pixels.
    ptrdiff_t sourceStep, sourceRowStep;
    size_t targetStep, targetRowStep;
    size_t rows;
    // The pixels of an input row, and how many lie before it; for tiles of a constant width.
    ptrdiff_t rowPixels, padBegin;
} WindowRun;

INLINE Vector window_value(const ck_window_kind kind, Vector weight, Vector x, Vector value) {
    switch (kind) {
    case CK_WINDOW_MAXIMUM: return greater(value, x);
    case CK_WINDOW_SUM: return value + x;
    case CK_WINDOW_WEIGHTED_SUM:
    case CK_WINDOW_GROUPED_SUM: return multiply_add(weight, x, value);
    }
}

INLINE _Bool is_weighted(const ck_window_kind kind) {
    return kind == CK_WINDOW_WEIGHTED_SUM || kind == CK_WINDOW_GROUPED_SUM;
}

// A pixel's values; of a grouped sum, those of the channels `lanes`.
INLINE Vector window_pixel(const ck_window_kind kind, const float *pixel, Mask lanes) {
    return kind == CK_WINDOW_GROUPED_SUM ? permute(load(pixel), lanes) : load(pixel);
}

// One tap for `pixels` pixels.
INLINE void window_tap(
    const ck_window_kind kind, const int pixels, ptrdiff_t step, Mask lanes, const float *source,
    const float *weights, Vector *values) {
    const Vector weight = is_weighted(kind) ? load(weights) : (Vector){0};
#pragma clang loop unroll(full)
    for (int p = 0; p < pixels; p++)
        values[p] = window_value(kind, weight, window_pixel(kind, source + p * step, lanes), values[p]);
}

// A row of taps for `pixels` pixels: an input pixel is loaded once for all outputs that it goes into.
//
// The pixels `begin` ..< `end` of those under the tile exist, for the others `absent` is read; `clipped` 0: all exist.
// `isFirst`: values begin with the first tap.
INLINE void window_row_taps(
    const ck_window_kind kind, const int pixels, const int width, const int stride, const int clipped,
    ptrdiff_t begin, ptrdiff_t end, const float *absent, const int isFirst, Mask lanes, const float *source,
    const float *weights, Vector *values) {
    const int count = (pixels - 1) * stride + width;
    Vector weight[WINDOW_MAXIMUM_WIDTH];
#pragma clang loop unroll(full)
    for (int x = 0; x < width; x++)
        weight[x] = is_weighted(kind) ? load(weights + x * CK_BLOCK) : (Vector){0};
#pragma clang loop unroll(full)
    for (int place = 0; place < count; place++) {
        const float *pixel = source + place * CK_BLOCK;
        // A window has a tap inside, so it reaches over a border by less than its width.
        if (clipped && place < width - 1) pixel = place < begin ? absent : pixel;
        if (clipped && place > count - width) pixel = place >= end ? absent : pixel;
        const Vector x = window_pixel(kind, pixel, lanes);
#pragma clang loop unroll(full)
        for (int p = 0; p < pixels; p++) {
            const int tap = place - p * stride;
            if (isFirst && tap == 0) values[p] = x;
            else if (tap >= 0 && tap < width) values[p] = window_value(kind, weight[tap], x, values[p]);
        }
    }
}

// For each lane of a vector, the place of channel `channel` of its group; a group has a power of two of channels.
INLINE Mask group_lanes(size_t groupChannels, size_t channel) {
    Mask lanes;
    for (int i = 0; i < LANES; i++) lanes[i] = i;
    return (lanes & ~(int32_t)(groupChannels - 1)) + (int32_t)channel;
}

// The sums of a tile, stored at the pixel `target` places behind the run's first one.
INLINE void window_tile(
    const ck_window_kind kind, const int pixels, const int width, const int stride, const int clipped,
    ptrdiff_t begin, ptrdiff_t end, const WindowRun *run, const float *source, size_t target, size_t lane) {
    Vector values[WINDOW_PIXELS];
    const Vector start = run->initial                  ? load(run->initial + lane)
                         : kind == CK_WINDOW_MAXIMUM ? splat(-INFINITY)
                                                     : (Vector){0};
#pragma clang loop unroll(full)
    for (int p = 0; p < pixels; p++) values[p] = start;
    const float *absent = kind == CK_WINDOW_MAXIMUM ? least : outside;
    // A comparison less, where there is a first tap.
    _Bool isFirst = kind == CK_WINDOW_MAXIMUM && width > 0 && !clipped;
    const size_t groupChannels = kind == CK_WINDOW_GROUPED_SUM ? run->groupChannels : 1;
    for (size_t channel = 0; channel < groupChannels; channel++) {
        const Mask lanes = kind == CK_WINDOW_GROUPED_SUM ? group_lanes(groupChannels, channel) : (Mask){0};
        const float *sheet = source + lane, *sheetWeights = run->weights + channel * run->channelWeights + lane;
        for (size_t z = run->deep; z > 0; z--, sheet += run->sheetTaps, sheetWeights += run->sheetWeights) {
            const float *row = sheet, *weights = sheetWeights;
            for (size_t y = run->high; y > 0; y--, row += run->rowTaps, weights += run->rowWeights) {
                if (width > 0) {
                    if (isFirst)
                        window_row_taps(
                            kind, pixels, width, stride, clipped, begin, end, absent, 1, lanes, row, weights, values);
                    else
                        window_row_taps(
                            kind, pixels, width, stride, clipped, begin, end, absent, 0, lanes, row, weights, values);
                    isFirst = 0;
                    continue;
                }
                const float *tap = row, *weight = weights;
                for (size_t x = run->wide; x > 0; x--, tap += run->columnTaps, weight += CK_BLOCK)
                    window_tap(kind, pixels, run->sourceStep, lanes, tap, weight, values);
            }
        }
    }
    const size_t step = run->targetStep * CK_BLOCK;
    float *place = run->destination + target * CK_BLOCK + lane;
    if (is_weighted(kind) && run->residual) {
        const float *residual = run->residual + target * CK_BLOCK + lane;
#pragma clang loop unroll(full)
        for (int p = 0; p < pixels; p++, residual += step) values[p] += load(residual);
    }
    const Vector lower = splat(run->lower), upper = splat(run->upper);
#pragma clang loop unroll(full)
    for (int p = 0; p < pixels; p++, place += step) {
        Vector value = values[p];
        if (kind == CK_WINDOW_SUM) value /= splat(run->divisors[target + (size_t)p * run->targetStep]);
        if (is_weighted(kind)) value = clamp(value, lower, upper);
        store(place, value);
    }
}

// `count` tiles of `pixels` pixels in each row, from pixel `first` on.
INLINE void window_tiles(
    const ck_window_kind kind, const int pixels, const int width, const int stride, const WindowRun *given,
    size_t first, size_t count) {
    const WindowRun run = *given;
    const ptrdiff_t sourceStep = width ? stride * CK_BLOCK : run.sourceStep;
    for (size_t row = 0; row < run.rows; row++) {
        const float *source = run.source + (ptrdiff_t)row * run.sourceRowStep + (ptrdiff_t)first * sourceStep;
        size_t target = row * run.targetRowStep + first * run.targetStep;
        for (size_t tile = 0; tile < count; tile++) {
            const ptrdiff_t place = run.padBegin - (ptrdiff_t)(first + tile * (size_t)pixels) * stride;
            const ptrdiff_t end = place + run.rowPixels;
            if (width > 0 && (place > 0 || end < (pixels - 1) * stride + width)) {
                for (size_t lane = 0; lane < CK_BLOCK; lane += LANES)
                    window_tile(kind, pixels, width, stride, 1, place, end, &run, source, target, lane);
            } else {
                for (size_t lane = 0; lane < CK_BLOCK; lane += LANES)
                    window_tile(kind, pixels, width, stride, 0, 0, 0, &run, source, target, lane);
            }
            source += pixels * sourceStep;
            target += (size_t)pixels * run.targetStep;
        }
    }
}

typedef void (*WindowTiles)(const WindowRun *run, size_t first, size_t count);

// A function for each number of pixels; a width of 0 takes every width, step and dilation.
#define WINDOW_TILES_OF(kind, width, stride, pixels)                                                             \
    static __attribute__((noinline)) void window_##kind##_##width##_##stride##_##pixels(                         \
        const WindowRun *run, size_t first, size_t count) {                                                      \
        window_tiles(CK_WINDOW_##kind, pixels, width, stride, run, first, count);                                \
    }

#define WINDOW_TILES(kind, width, stride)                                                                        \
    WINDOW_TILES_OF(kind, width, stride, 4)                                                                      \
    WINDOW_TILES_OF(kind, width, stride, 5)                                                                      \
    WINDOW_TILES_OF(kind, width, stride, 6)                                                                      \
    WINDOW_TILES_OF(kind, width, stride, 7)                                                                      \
    WINDOW_TILES_OF(kind, width, stride, 8)                                                                      \
    static const WindowTiles window_##kind##_##width##_##stride[WINDOW_PIXELS] = {                               \
        SMALL_WINDOW_TILES(kind, width)                                                                          \
        window_##kind##_##width##_##stride##_4, window_##kind##_##width##_##stride##_5,                          \
        window_##kind##_##width##_##stride##_6, window_##kind##_##width##_##stride##_7,                          \
        window_##kind##_##width##_##stride##_8,                                                                  \
    };

#define WINDOW_TILES_OF_ANY_WIDTH(kind)                                                                          \
    WINDOW_TILES_OF(kind, 0, 0, 1)                                                                               \
    WINDOW_TILES_OF(kind, 0, 0, 2)                                                                               \
    WINDOW_TILES_OF(kind, 0, 0, 3)                                                                               \
    WINDOW_TILES(kind, 0, 0)

#define SMALL_WINDOW_TILES(kind, width) SMALL_WINDOW_TILES_##width(kind)
#define SMALL_WINDOW_TILES_0(kind) window_##kind##_0_0_1, window_##kind##_0_0_2, window_##kind##_0_0_3,
#define SMALL_WINDOW_TILES_2(kind) NULL, NULL, NULL,
#define SMALL_WINDOW_TILES_3(kind) NULL, NULL, NULL,
#define SMALL_WINDOW_TILES_5(kind) NULL, NULL, NULL,
#define SMALL_WINDOW_TILES_7(kind) NULL, NULL, NULL,

WINDOW_TILES_OF_ANY_WIDTH(MAXIMUM)
WINDOW_TILES(MAXIMUM, 2, 2)
WINDOW_TILES(MAXIMUM, 3, 1)
WINDOW_TILES(MAXIMUM, 3, 2)
WINDOW_TILES_OF_ANY_WIDTH(SUM)
WINDOW_TILES(SUM, 2, 2)
WINDOW_TILES(SUM, 3, 1)
WINDOW_TILES_OF_ANY_WIDTH(WEIGHTED_SUM)
WINDOW_TILES(WEIGHTED_SUM, 3, 1)
WINDOW_TILES(WEIGHTED_SUM, 3, 2)
WINDOW_TILES(WEIGHTED_SUM, 5, 1)
WINDOW_TILES(WEIGHTED_SUM, 5, 2)
WINDOW_TILES(WEIGHTED_SUM, 7, 1)
WINDOW_TILES_OF_ANY_WIDTH(GROUPED_SUM)
WINDOW_TILES(GROUPED_SUM, 3, 1)
WINDOW_TILES(GROUPED_SUM, 3, 2)

static const struct {
    ck_window_kind kind;
    size_t width, stride;
    const WindowTiles *tiles;
} windowWidths[] = {
    {CK_WINDOW_MAXIMUM, 2, 2, window_MAXIMUM_2_2},           {CK_WINDOW_MAXIMUM, 3, 1, window_MAXIMUM_3_1},
    {CK_WINDOW_MAXIMUM, 3, 2, window_MAXIMUM_3_2},           {CK_WINDOW_SUM, 2, 2, window_SUM_2_2},
    {CK_WINDOW_SUM, 3, 1, window_SUM_3_1},                   {CK_WINDOW_WEIGHTED_SUM, 3, 1, window_WEIGHTED_SUM_3_1},
    {CK_WINDOW_WEIGHTED_SUM, 3, 2, window_WEIGHTED_SUM_3_2}, {CK_WINDOW_WEIGHTED_SUM, 5, 1, window_WEIGHTED_SUM_5_1},
    {CK_WINDOW_WEIGHTED_SUM, 5, 2, window_WEIGHTED_SUM_5_2}, {CK_WINDOW_WEIGHTED_SUM, 7, 1, window_WEIGHTED_SUM_7_1},
    {CK_WINDOW_GROUPED_SUM, 3, 1, window_GROUPED_SUM_3_1},   {CK_WINDOW_GROUPED_SUM, 3, 2, window_GROUPED_SUM_3_2},
};

// NULL: no tiles of the window's width.
static const WindowTiles *window_width_tiles(const ck_blocked_window *window) {
    const ck_window_axis *axis = &window->axes[2];
    if (axis->dilation != 1 || axis->output < WINDOW_MINIMUM_PIXELS) return NULL;
    const _Bool isEachInside =
        axis->padBegin < axis->kernel && (axis->output - 1) * axis->stride < axis->input + axis->padBegin;
    if (!isEachInside) return NULL;
    for (size_t i = 0; i < sizeof windowWidths / sizeof *windowWidths; i++)
        if (windowWidths[i].kind == window->kind && windowWidths[i].width == axis->kernel
            && windowWidths[i].stride == axis->stride)
            return windowWidths[i].tiles;
    return NULL;
}

static const WindowTiles *window_any_tiles(const ck_blocked_window *window) {
    switch (window->kind) {
    case CK_WINDOW_MAXIMUM: return window_MAXIMUM_0_0;
    case CK_WINDOW_SUM: return window_SUM_0_0;
    case CK_WINDOW_WEIGHTED_SUM: return window_WEIGHTED_SUM_0_0;
    case CK_WINDOW_GROUPED_SUM: return window_GROUPED_SUM_0_0;
    }
}

// Rows of `count` pixels.
static void window_run(const WindowTiles *tiles, const WindowRun *run, size_t count) {
    if (count == 0) return;
    const Parts parts = parts_of(count, WINDOW_PIXELS);
    if (parts.longer > 0) tiles[parts.least](run, 0, parts.longer);
    tiles[parts.least - 1](run, parts.longer * (parts.least + 1), parts.count - parts.longer);
}

INLINE TapRange tap_range(const ck_window_axis *axis, size_t output) {
    const ptrdiff_t begin = (ptrdiff_t)(output * axis->stride) - (ptrdiff_t)axis->padBegin;
    const ptrdiff_t dilation = (ptrdiff_t)axis->dilation, input = (ptrdiff_t)axis->input;
    TapRange range = {0, axis->kernel};
    if (begin < 0) range.begin = (size_t)((-begin + dilation - 1) / dilation);
    const ptrdiff_t end = input > begin ? (input - begin + dilation - 1) / dilation : 0;
    if ((size_t)end < range.end) range.end = (size_t)end;
    if (range.begin > range.end) range.begin = range.end;
    return range;
}

// The outputs whose windows lie inside of the input as a whole.
INLINE TapRange inner_outputs(const ck_window_axis *axis) {
    const ptrdiff_t reach = (ptrdiff_t)((axis->kernel - 1) * axis->dilation);
    const ptrdiff_t last = (ptrdiff_t)(axis->input + axis->padBegin) - 1 - reach;
    TapRange range = {(axis->padBegin + axis->stride - 1) / axis->stride, 0};
    if (last >= 0) range.end = (size_t)last / axis->stride + 1;
    if (range.end > axis->output) range.end = axis->output;
    if (range.begin > range.end) range.begin = range.end;
    return range;
}

// Where the pixel (sheet, row, column) begins: its first tap in the source, its place in the output.
INLINE void window_begin(
    WindowRun *run, const ck_blocked_window *window, const size_t *place, TapRange deep, TapRange high, TapRange wide) {
    const ck_window_axis *axes = window->axes;
    const TapRange taps[3] = {deep, high, wide};
    ptrdiff_t source = 0;
    size_t weights = 0, target = 0;
    for (int i = 0; i < 3; i++) {
        const ptrdiff_t position =
            taps[i].begin == taps[i].end
                ? 0
                : (ptrdiff_t)(place[i] * axes[i].stride + taps[i].begin * axes[i].dilation) - (ptrdiff_t)axes[i].padBegin;
        source = source * (ptrdiff_t)axes[i].input + position;
        weights = weights * axes[i].kernel + taps[i].begin;
        target = target * axes[i].output + place[i];
    }
    run->deep = deep.end - deep.begin;
    run->high = high.end - high.begin;
    run->wide = wide.end - wide.begin;
    run->source = window->source + source * CK_BLOCK;
    run->destination = window->destination + target * CK_BLOCK;
    if (window->weights) run->weights = window->weights + weights * CK_BLOCK;
    if (window->residual) run->residual = window->residual + target * CK_BLOCK;
    if (window->divisors) run->divisors = window->divisors + target;
}

// `count` rows of one sheet from `first` on, in which all have the same taps above and below.
static void window_rows(
    WindowRun *run, const ck_blocked_window *window, size_t sheet, size_t first, size_t count,
    const WindowTiles *widthTiles) {
    const ck_window_axis *axes = window->axes;
    const TapRange deep = tap_range(&axes[0], sheet), high = tap_range(&axes[1], first);
    const TapRange inner = widthTiles ? (TapRange){0, axes[2].output} : inner_outputs(&axes[2]);
    const ptrdiff_t rowStep = (ptrdiff_t)(axes[1].stride * axes[2].input) * CK_BLOCK;
    size_t place[3] = {sheet, first, inner.begin};
    if (inner.begin < inner.end) {
        window_begin(run, window, place, deep, high, (TapRange){0, axes[2].kernel});
        run->sourceStep = (ptrdiff_t)axes[2].stride * CK_BLOCK;
        run->sourceRowStep = rowStep;
        run->targetStep = 1;
        run->targetRowStep = axes[2].output;
        run->rows = count;
        window_run(widthTiles ? widthTiles : window_any_tiles(window), run, inner.end - inner.begin);
    }
    // The borders, column by column.
    run->sourceStep = rowStep;
    run->targetStep = axes[2].output;
    run->rows = 1;
    for (place[2] = 0; place[2] < axes[2].output; place[2]++) {
        if (place[2] == inner.begin) place[2] = inner.end;
        if (place[2] == axes[2].output) break;
        window_begin(run, window, place, deep, high, tap_range(&axes[2], place[2]));
        window_run(window_any_tiles(window), run, count);
    }
}

static void blocked_window(const ck_blocked_window *window) {
    const ck_window_axis *axes = window->axes;
    const WindowTiles *widthTiles = window_width_tiles(window);
    const TapRange high = inner_outputs(&axes[1]);
    WindowRun run = {
        .initial = window->initial,
        .lower = window->lower,
        .upper = window->upper,
        .sheetTaps = (ptrdiff_t)(axes[0].dilation * axes[1].input * axes[2].input) * CK_BLOCK,
        .rowTaps = (ptrdiff_t)(axes[1].dilation * axes[2].input) * CK_BLOCK,
        .columnTaps = (ptrdiff_t)axes[2].dilation * CK_BLOCK,
        .sheetWeights = axes[1].kernel * axes[2].kernel * CK_BLOCK,
        .rowWeights = axes[2].kernel * CK_BLOCK,
        .channelWeights = axes[0].kernel * axes[1].kernel * axes[2].kernel * CK_BLOCK,
        .groupChannels = window->groupChannels,
        .rowPixels = (ptrdiff_t)axes[2].input,
        .padBegin = (ptrdiff_t)axes[2].padBegin,
    };
    size_t row = window->firstRow;
    const size_t end = window->firstRow + window->rowCount;
    while (row < end) {
        const size_t sheet = row / axes[1].output, y = row % axes[1].output;
        const size_t left = end - row < axes[1].output - y ? end - row : axes[1].output - y;
        size_t count = 1;
        if (y >= high.begin && y < high.end) count = high.end - y < left ? high.end - y : left;
        window_rows(&run, window, sheet, y, count, widthTiles);
        row += count;
    }
}
