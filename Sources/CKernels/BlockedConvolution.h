// Convolutions in the blocked layout, included by KernelTemplate.h.
//
// An output is one chain of multiply-adds: over the channel blocks, the taps of a block, the channels of a tap. A tile keeps
// some pixels × the channels of a panel in registers; how pixels are dealt out to tiles changes no bit.

// The pixels of a tile and the vectors of a panel: as many sums as there are registers, less the weights and one input.
#if LANES == 16
#define TILE_PIXELS 14
#define PANEL_VECTORS 2
#elif LANES == 8
#define TILE_PIXELS 6
#define PANEL_VECTORS 2
#elif defined(__aarch64__)
#define TILE_PIXELS 6
#define PANEL_VECTORS 4
#else
#define TILE_PIXELS 3
#define PANEL_VECTORS 4
#endif
#define PANEL_CHANNELS (PANEL_VECTORS * LANES)

// What a tap reads where it lies outside the image.
static const float outside[CK_BLOCK] = {0};

// The pixels that are looked up at once.
#define RUN_PIXELS (TILE_PIXELS * 32)

// Where pixels lie.
typedef struct {
    // The place of each pixel's first tap in the source, which may lie outside the image.
    const float *sources[RUN_PIXELS];
    // The place of each pixel in the first block of the output and of the residual.
    size_t outputs[RUN_PIXELS];
    // The image position of each pixel's first tap.
    ptrdiff_t positions[RUN_PIXELS][3];
    // Whether every tap of the pixel lies inside.
    _Bool isInside[RUN_PIXELS];
} PixelRun;

// Adds `depth` input channels of one tap.
INLINE void add_tap(
    Vector sums[TILE_PIXELS][PANEL_VECTORS], const float *const *places, ptrdiff_t offset, const float *weights,
    size_t depth, const int pixels, const int vectors, const _Bool contiguous) {
    const float *x[TILE_PIXELS];
#pragma clang loop unroll(full)
    for (int i = 0; i < pixels; i++) {
        x[i] = places[i] + offset;
        // Keeps a pointer a pixel: left alone, the compiler rewrites them as many sums of offsets that it then spills.
        if (!contiguous) __asm__("" : "+r"(x[i]));
    }
#define ADD_CHANNEL(k)                                                                                           \
    {                                                                                                            \
        Vector right[PANEL_VECTORS];                                                                             \
        for (int v = 0; v < vectors; v++) right[v] = load(weights + (k) * PANEL_CHANNELS + v * LANES);           \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < pixels; i++) {                                    \
            const Vector left = splat(x[i][k]);                                                                  \
            for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(left, right[v], sums[i][v]);             \
        }                                                                                                        \
    }
    if (depth == CK_BLOCK) {
        // A few channels of a large tile are as good as all of them, and take less of the program.
#if LANES == 8
#pragma clang loop unroll(full)
#else
#pragma clang loop unroll_count(2)
#endif
        for (size_t k = 0; k < CK_BLOCK; k++) ADD_CHANNEL(k)
    } else {
#pragma clang loop unroll(disable)
        for (size_t k = 0; k < depth; k++) ADD_CHANNEL(k)
    }
#undef ADD_CHANNEL
}

// Every sum begins with its bias.
INLINE void begin_tile(
    const ck_blocked_convolution *c, size_t panel, Vector sums[TILE_PIXELS][PANEL_VECTORS], const int pixels,
    const int vectors) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        const Vector bias = load(c->bias + panel * PANEL_CHANNELS + v * LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++) sums[i][v] = bias;
    }
}

// Residual and clamp, then the panel's channels to their blocks. `outputs`: the places of the pixels; of pixels that lie
// beside each other, that of the first.
INLINE void finish_tile(
    const ck_blocked_convolution *c, const size_t *outputs, const _Bool contiguous, size_t panel,
    Vector sums[TILE_PIXELS][PANEL_VECTORS], const int pixels, const int vectors) {
#define OUTPUT(i) (contiguous ? outputs[0] + (size_t)(i) * CK_BLOCK : outputs[i])
#define EACH_SUM(statement)                                                                                      \
    _Pragma("clang loop unroll(full)") for (int v = 0; v < vectors; v++)                                         \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < pixels; i++) statement
    const float *residual = c->residual;
    float *output = c->output;
    size_t places[PANEL_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
        const size_t channel = panel * PANEL_CHANNELS + (size_t)v * LANES;
        places[v] = channel / CK_BLOCK * c->outputBlockStride + channel % CK_BLOCK;
    }
    // What bounds nothing takes no time: of a shallow sum, a bound is a tenth.
    if (residual) EACH_SUM(sums[i][v] += load(residual + OUTPUT(i) + places[v]);)
    if (c->lower > -INFINITY) EACH_SUM(sums[i][v] = at_least(sums[i][v], splat(c->lower));)
    if (c->upper < INFINITY) EACH_SUM(sums[i][v] = at_most(sums[i][v], splat(c->upper));)
    EACH_SUM(store(output + OUTPUT(i) + places[v], sums[i][v]);)
#undef EACH_SUM
#undef OUTPUT
}

// The taps for which a tile looks up once what lies inside; for those behind, every channel block looks again.
#define LOOKED_UP_TAPS 32

// The pixels of a tile, a bit each, for which a tap lies inside the image.
static uint32_t tap_pixels(const ck_blocked_convolution *c, const PixelRun *run, size_t first, size_t tap, int pixels) {
    uint32_t result = 0;
    for (int i = 0; i < pixels; i++) {
        const ptrdiff_t *position = run->positions[first + (size_t)i];
        uint32_t isThere = 1;
        for (int axis = 0; axis < 3; axis++)
            isThere &= (size_t)(position[axis] + c->taps[tap].position[axis]) < c->extents[axis];
        result |= isThere << i;
    }
    return result;
}

// A tile; `inside` is a constant: whether every tap of every pixel lies inside the image.
INLINE void blocked_tile(
    const ck_blocked_convolution *c, const PixelRun *run, size_t first, size_t panel, const _Bool inside,
    const int pixels, const int vectors) {
    Vector sums[TILE_PIXELS][PANEL_VECTORS];
    begin_tile(c, panel, sums, pixels, vectors);
    const float *weights = c->weights + panel * c->panelStride;
    const float *const *sources = run->sources + first;
    const ck_tap *const taps = c->taps;
    const size_t tapCount = c->tapCount;
    const ptrdiff_t blockStride = (ptrdiff_t)c->sourceBlockStride;
    uint32_t there[LOOKED_UP_TAPS];
    if (!inside)
        for (size_t t = 0; t < tapCount && t < LOOKED_UP_TAPS; t++) there[t] = tap_pixels(c, run, first, t, pixels);
    ptrdiff_t block = 0;
    for (size_t rest = c->inputChannels; rest > 0; block += blockStride) {
        const size_t depth = rest < CK_BLOCK ? rest : CK_BLOCK;
        rest -= depth;
        for (size_t t = 0; t < tapCount; t++, weights += depth * PANEL_CHANNELS) {
            if (inside) {
                add_tap(sums, sources, taps[t].offset + block, weights, depth, pixels, vectors, 0);
                continue;
            }
            const uint32_t isThere = t < LOOKED_UP_TAPS ? there[t] : tap_pixels(c, run, first, t, pixels);
            const float *places[TILE_PIXELS];
            for (int i = 0; i < pixels; i++) places[i] = isThere >> i & 1 ? sources[i] + taps[t].offset + block : outside;
            add_tap(sums, places, 0, weights, depth, pixels, vectors, 0);
        }
    }
    finish_tile(c, run->outputs + first, 0, panel, sums, pixels, vectors);
}

// A tile of a pointwise convolution whose pixels lie beside each other in the source and in the output. Of every block of the
// weights at `next`, the first `lines` cache lines are fetched meanwhile; the first of several panels, which reads the source from
// memory, fetches the pixels of the next tile.
INLINE void contiguous_tile(
    const ck_blocked_convolution *c, const float *source, size_t output, size_t panel, const float *next, size_t lines,
    const int pixels, const int vectors) {
    Vector sums[TILE_PIXELS][PANEL_VECTORS];
    begin_tile(c, panel, sums, pixels, vectors);
    const float *weights = c->weights + panel * c->panelStride;
    const float *places[TILE_PIXELS];
    const ptrdiff_t blockStride = (ptrdiff_t)c->sourceBlockStride;
    const _Bool fetchesSource = panel == c->firstPanel;
    for (size_t rest = c->inputChannels; rest > 0; source += blockStride) {
        const size_t depth = rest < CK_BLOCK ? rest : CK_BLOCK;
        rest -= depth;
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++) places[i] = source + i * CK_BLOCK;
#pragma clang loop unroll(disable)
        for (size_t line = 0; line < lines; line++) __builtin_prefetch(next + line * CK_BLOCK);
        if (fetchesSource) {
#pragma clang loop unroll(full)
            for (int i = 0; i < pixels; i++) __builtin_prefetch(source + (pixels + i) * CK_BLOCK);
        }
        next += CK_BLOCK * PANEL_CHANNELS;
        add_tap(sums, places, 0, weights, depth, pixels, vectors, 1);
        weights += depth * PANEL_CHANNELS;
    }
    finish_tile(c, &output, 1, panel, sums, pixels, vectors);
}

// A tile of a convolution from plain planes: every tap of every channel lies inside, `step` floats between the pixels.
INLINE void planar_tile(
    const ck_blocked_convolution *c, const float *source, size_t step, size_t output, size_t panel, const int pixels,
    const int vectors) {
    Vector sums[TILE_PIXELS][PANEL_VECTORS];
    begin_tile(c, panel, sums, pixels, vectors);
    const float *weights = c->weights + panel * c->panelStride;
    const ck_tap *const end = c->taps + c->tapCount;
    for (const ck_tap *tap = c->taps; tap < end; tap++, weights += PANEL_CHANNELS) {
        const float *x = source + tap->offset;
        Vector right[PANEL_VECTORS];
        for (int v = 0; v < vectors; v++) right[v] = load(weights + v * LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < pixels; i++, x += step) {
            // Keeps one pointer: left alone, the compiler computes a place for every pixel, and spills them and sums.
            __asm__("" : "+r"(x));
            const Vector left = splat(*x);
            for (int v = 0; v < vectors; v++) sums[i][v] = multiply_add(left, right[v], sums[i][v]);
        }
    }
    finish_tile(c, &output, 1, panel, sums, pixels, vectors);
}

// Looks up output pixels first ..< first + count, counted through the items.
static void find_pixels(const ck_blocked_convolution *c, size_t first, size_t count, PixelRun *run) {
    const size_t *outputs = c->outputExtents, *inputs = c->extents;
    const size_t plane = outputs[0] * outputs[1] * outputs[2];
    size_t item = first / plane, pixel = first % plane;
    size_t z = pixel / outputs[2] / outputs[1], y = pixel / outputs[2] % outputs[1], x = pixel % outputs[2];
    const ptrdiff_t step = (ptrdiff_t)c->strides[2] * CK_BLOCK;
    for (size_t done = 0; done < count;) {
        // The pixels of a row, as far as they are asked for.
        const size_t rest = outputs[2] - x < count - done ? outputs[2] - x : count - done;
        const ptrdiff_t iz = (ptrdiff_t)(z * c->strides[0]) - c->pads[0], iy = (ptrdiff_t)(y * c->strides[1]) - c->pads[1];
        const ptrdiff_t ix = (ptrdiff_t)(x * c->strides[2]) - c->pads[2];
        const _Bool isInside = iz >= 0 && iz + c->reach[0] < (ptrdiff_t)inputs[0] && iy >= 0
            && iy + c->reach[1] < (ptrdiff_t)inputs[1];
        const float *source = c->source + (ptrdiff_t)(item * c->sourceItemStride)
            + ((iz * (ptrdiff_t)inputs[1] + iy) * (ptrdiff_t)inputs[2] + ix) * CK_BLOCK;
        const size_t output = item * c->outputItemStride + pixel * CK_BLOCK;
        for (size_t i = 0; i < rest; i++) {
            run->sources[done + i] = source + (ptrdiff_t)i * step;
            run->outputs[done + i] = output + i * CK_BLOCK;
        }
        for (size_t i = 0; i < rest; i++) {
            const ptrdiff_t position = ix + (ptrdiff_t)(i * c->strides[2]);
            run->positions[done + i][0] = iz;
            run->positions[done + i][1] = iy;
            run->positions[done + i][2] = position;
            run->isInside[done + i] = isInside && position >= 0 && position + c->reach[2] < (ptrdiff_t)inputs[2];
        }
        done += rest;
        pixel += rest;
        x = 0;
        if (++y < outputs[1]) continue;
        y = 0;
        if (++z < outputs[0]) continue;
        z = 0;
        pixel = 0;
        item++;
    }
}

#define TILE_SIZES(CASE) CASE(1) CASE(2) CASE(3) TILE_SIZES_TO_6(CASE) TILE_SIZES_TO_14(CASE)
#if TILE_PIXELS >= 6
#define TILE_SIZES_TO_6(CASE) CASE(4) CASE(5) CASE(6)
#else
#define TILE_SIZES_TO_6(CASE)
#endif
#if TILE_PIXELS >= 14
#define TILE_SIZES_TO_14(CASE) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
#else
#define TILE_SIZES_TO_14(CASE)
#endif

#define VECTOR_CASE(pixels, inside, vectors)                                                                     \
    case vectors: blocked_tile(c, run, first, panel, inside, pixels, vectors); break;
#define PLANAR_CASE(pixels, vectors)                                                                             \
    case vectors:                                                                                                \
        for (; tiles > 0; tiles--, source += pixels * step, output += pixels * CK_BLOCK)                         \
            planar_tile(c, source, step, output, panel, pixels, vectors);                                        \
        break;
#define CONTIGUOUS_CASE(pixels, vectors)                                                                         \
    case vectors:                                                                                                \
        for (; tiles > 0; tiles--, source += pixels * CK_BLOCK, output += pixels * CK_BLOCK) {                   \
            contiguous_tile(c, source, output, panel, next, lines, pixels, vectors);                             \
            next += lines * CK_BLOCK;                                                                            \
        }                                                                                                        \
        break;
#if PANEL_VECTORS == 4
#define CONTIGUOUS_CASES(pixels)                                                                                 \
    CONTIGUOUS_CASE(pixels, 1) CONTIGUOUS_CASE(pixels, 2) CONTIGUOUS_CASE(pixels, 3) CONTIGUOUS_CASE(pixels, 4)
#define PLANAR_CASES(pixels)                                                                                     \
    PLANAR_CASE(pixels, 1) PLANAR_CASE(pixels, 2) PLANAR_CASE(pixels, 3) PLANAR_CASE(pixels, 4)
#define VECTOR_CASES(pixels, inside)                                                                             \
    VECTOR_CASE(pixels, inside, 1) VECTOR_CASE(pixels, inside, 2) VECTOR_CASE(pixels, inside, 3)                 \
    VECTOR_CASE(pixels, inside, 4)
#else
#define CONTIGUOUS_CASES(pixels) CONTIGUOUS_CASE(pixels, 1) CONTIGUOUS_CASE(pixels, 2)
#define PLANAR_CASES(pixels) PLANAR_CASE(pixels, 1) PLANAR_CASE(pixels, 2)
#define VECTOR_CASES(pixels, inside) VECTOR_CASE(pixels, inside, 1) VECTOR_CASE(pixels, inside, 2)
#endif
// One function a tile size: inlined into one they would share its registers.
#define DEFINE_TILE(pixels)                                                                                      \
    static __attribute__((noinline)) void inner_tile_##pixels(                                                   \
        const ck_blocked_convolution *c, const PixelRun *run, size_t first, size_t panel, size_t vectors) {      \
        switch (vectors) { VECTOR_CASES(pixels, 1) }                                                             \
    }                                                                                                            \
    static __attribute__((noinline)) void border_tile_##pixels(                                                  \
        const ck_blocked_convolution *c, const PixelRun *run, size_t first, size_t panel, size_t vectors) {      \
        switch (vectors) { VECTOR_CASES(pixels, 0) }                                                             \
    }                                                                                                            \
    static __attribute__((noinline)) void planar_tiles_##pixels(                                                 \
        const ck_blocked_convolution *c, const float *source, size_t output, size_t panel, size_t vectors,       \
        size_t tiles, const float *next, size_t lines) {                                                         \
        const size_t step = c->strides[2];                                                                       \
        switch (vectors) { PLANAR_CASES(pixels) }                                                                \
    }                                                                                                            \
    static __attribute__((noinline)) void contiguous_tiles_##pixels(                                             \
        const ck_blocked_convolution *c, const float *source, size_t output, size_t panel, size_t vectors,       \
        size_t tiles, const float *next, size_t lines) {                                                         \
        switch (vectors) { CONTIGUOUS_CASES(pixels) }                                                            \
    }
TILE_SIZES(DEFINE_TILE)

INLINE _Bool all_inside(const PixelRun *run, size_t first, size_t count) {
    _Bool result = 1;
    for (size_t i = 0; i < count; i++) result &= run->isInside[first + i];
    return result;
}

#define CALL_TILE(pixels)                                                                                        \
    case pixels:                                                                                                 \
        if (all_inside(run, first, pixels)) inner_tile_##pixels(c, run, first, panel, vectors);              \
        else border_tile_##pixels(c, run, first, panel, vectors);                                                \
        break;

// The vectors of a panel that hold output channels.
INLINE size_t panel_vectors(const ck_blocked_convolution *c, size_t panel) {
    const size_t left = c->outputChannels - panel * PANEL_CHANNELS;
    return left < PANEL_CHANNELS ? (left + LANES - 1) / LANES : PANEL_VECTORS;
}

// The pixels of a run for one panel; its weights stay in the nearest cache.
INLINE void run_panel(const ck_blocked_convolution *c, const PixelRun *run, size_t count, size_t panel) {
    const size_t vectors = panel_vectors(c, panel);
    const Parts tiles = parts_of(count, TILE_PIXELS);
    size_t first = 0;
    for (size_t tile = 0; tile < tiles.count; tile++) {
        const size_t pixels = part_size(tiles, tile);
        switch (pixels) { TILE_SIZES(CALL_TILE) }
        first += pixels;
    }
}

// `tiles` of `pixels` pixels beside each other.
typedef void (*TileRun)(
    const ck_blocked_convolution *c, const float *source, size_t output, size_t panel, size_t vectors, size_t tiles,
    const float *next, size_t lines);
#define PLANAR_TILES(pixels) planar_tiles_##pixels,
#define CONTIGUOUS_TILES(pixels) contiguous_tiles_##pixels,
static const TileRun planarTiles[] = {NULL, TILE_SIZES(PLANAR_TILES)};
static const TileRun contiguousTiles[] = {NULL, TILE_SIZES(CONTIGUOUS_TILES)};

// Pixels beside each other, in tiles, for one panel; in the source a pixel has `step` floats.
INLINE void run_tiles(
    const TileRun *tiles, const ck_blocked_convolution *c, const float *source, size_t step, size_t output,
    size_t panel, Parts parts) {
    const size_t vectors = panel_vectors(c, panel), pixels = parts.least + 1;
    // Each tile fetches a part of the next panel, so that memory is busy all the time.
    const _Bool isLast = (panel + 1) * PANEL_CHANNELS >= c->outputChannels;
    const float *next = c->weights + (panel + 1) * c->panelStride;
    const size_t lines = isLast ? 0 : (PANEL_CHANNELS + parts.count - 1) / parts.count;
    if (parts.longer > 0) tiles[pixels](c, source, output, panel, vectors, parts.longer, next, lines);
    source += parts.longer * pixels * step;
    output += parts.longer * pixels * CK_BLOCK;
    next += parts.longer * lines * CK_BLOCK;
    tiles[parts.least](c, source, output, panel, vectors, parts.count - parts.longer, next, lines);
}

// The same for all panels where each output pixel is made of one source pixel, in the same order.
static void contiguous_run(const ck_blocked_convolution *c, const float *source, size_t output, size_t count) {
    const Parts parts = parts_of(count, TILE_PIXELS);
    for (size_t panel = c->firstPanel; panel < c->firstPanel + c->panelCount; panel++)
        run_tiles(contiguousTiles, c, source, CK_BLOCK, output, panel, parts);
}

// The same for pixels that are apart in the source: they are brought together first.
static void packed_run(const ck_blocked_convolution *c, size_t first, size_t output, size_t count) {
    PixelRun run;
    find_pixels(c, first, count, &run);
    ck_blocked_convolution packed = *c;
    packed.source = c->packed;
    packed.sourceBlockStride = count * CK_BLOCK;
    float *target = c->packed;
    for (size_t channel = 0; channel < c->inputChannels; channel += CK_BLOCK) {
        const size_t block = channel / CK_BLOCK * c->sourceBlockStride;
        for (size_t i = 0; i < count; i++, target += CK_BLOCK) {
            const float *place = run.isInside[i] ? run.sources[i] + block : outside;
            for (size_t v = 0; v < CK_BLOCK; v += LANES) store(target + v, load(place + v));
        }
    }
    contiguous_run(&packed, packed.source, output, count);
}

// Pixels wherever they lie.
static void scattered_runs(const ck_blocked_convolution *c) {
    PixelRun run;
    const Parts runs = parts_of(c->pixelCount, RUN_PIXELS);
    size_t done = 0;
    for (size_t index = 0; index < runs.count; index++) {
        const size_t count = part_size(runs, index);
        find_pixels(c, c->firstPixel + done, count, &run);
        for (size_t panel = c->firstPanel; panel < c->firstPanel + c->panelCount; panel++)
            run_panel(c, &run, count, panel);
        done += count;
    }
}

// Whether output pixel i is made of source pixel i alone.
static _Bool is_contiguous(const ck_blocked_convolution *c) {
    _Bool result = c->tapCount == 1;
    for (int axis = 0; axis < 3; axis++)
        result &= c->strides[axis] == 1 && c->pads[axis] == 0 && c->extents[axis] == c->outputExtents[axis];
    return result;
}

// The fewest pixels of an item that are worth tiles of their own; fewer share tiles with other items.
#define CONTIGUOUS_PIXELS (TILE_PIXELS * 8)

static void blocked_convolution(const ck_blocked_convolution *c) {
    const size_t plane = c->outputExtents[0] * c->outputExtents[1] * c->outputExtents[2];
    const _Bool isContiguous = is_contiguous(c);
    if ((!isContiguous && !c->packed) || (plane < CONTIGUOUS_PIXELS && c->pixelCount > plane)) {
        scattered_runs(c);
        return;
    }
    for (size_t done = 0; done < c->pixelCount;) {
        const size_t item = (c->firstPixel + done) / plane, first = (c->firstPixel + done) % plane;
        const size_t inItem = plane - first < c->pixelCount - done ? plane - first : c->pixelCount - done;
        const Parts runs = parts_of(inItem, RUN_PIXELS);
        size_t pixel = first;
        for (size_t index = 0; index < runs.count; index++) {
            const size_t count = part_size(runs, index), output = item * c->outputItemStride + pixel * CK_BLOCK;
            if (isContiguous)
                contiguous_run(c, c->source + item * c->sourceItemStride + pixel * CK_BLOCK, output, count);
            else
                packed_run(c, item * plane + pixel, output, count);
            pixel += count;
        }
        done += inItem;
    }
}

// Row by row: the pixels of a row lie beside each other.
static void planar_convolution(const ck_blocked_convolution *c) {
    const size_t *extents = c->outputExtents;
    const size_t plane = extents[0] * extents[1] * extents[2];
    for (size_t done = 0; done < c->pixelCount;) {
        const size_t item = (c->firstPixel + done) / plane, pixel = (c->firstPixel + done) % plane;
        const size_t row = pixel / extents[2], x = pixel % extents[2];
        const size_t z = row / extents[1], y = row % extents[1];
        const size_t count = extents[2] - x < c->pixelCount - done ? extents[2] - x : c->pixelCount - done;
        const float *source = c->source + item * c->sourceItemStride
            + (z * c->strides[0] * c->extents[1] + y * c->strides[1]) * c->extents[2] + x * c->strides[2];
        const size_t output = item * c->outputItemStride + pixel * CK_BLOCK;
        const Parts parts = parts_of(count, TILE_PIXELS);
        for (size_t panel = c->firstPanel; panel < c->firstPanel + c->panelCount; panel++)
            run_tiles(planarTiles, c, source, c->strides[2], output, panel, parts);
        done += count;
    }
}
