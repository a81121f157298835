// Functions of values blocked by channel, [blocks][pixels][16], that see a channel's place in its block. Included by
// KernelTemplate.h, in whose vectors it is written.

// MARK: A value for each channel

INLINE void channel_binary_loop(
    const ck_binary_kind kind, const _Bool reversed, float *destination, const float *source, const float *channels,
    size_t pixels, float lower, float upper) {
    const Vector low = splat(lower), high = splat(upper);
    Vector operands[CK_BLOCK / LANES];
    for (int v = 0; v < CK_BLOCK / LANES; v++) operands[v] = load(channels + v * LANES);
    for (size_t pixel = 0; pixel < pixels; pixel++, source += CK_BLOCK, destination += CK_BLOCK) {
        for (int v = 0; v < CK_BLOCK / LANES; v++) {
            const Vector x = load(source + v * LANES);
            const Vector y = reversed ? apply_binary(kind, operands[v], x) : apply_binary(kind, x, operands[v]);
            store(destination + v * LANES, clamp(y, low, high));
        }
    }
}

#define CHANNEL_BINARY_CASE(kind)                                                                                \
    case kind:                                                                                                   \
        if (reversed) channel_binary_loop(kind, 1, destination, source, channels, pixels, lower, upper);         \
        else channel_binary_loop(kind, 0, destination, source, channels, pixels, lower, upper);                  \
        break;

static void channel_binary(
    ck_binary_kind kind, _Bool reversed, float *destination, const float *source, const float *channels,
    size_t pixels, float lower, float upper) {
    switch (kind) {
        CHANNEL_BINARY_CASE(CK_ADD)
        CHANNEL_BINARY_CASE(CK_SUBTRACT)
        CHANNEL_BINARY_CASE(CK_MULTIPLY)
        CHANNEL_BINARY_CASE(CK_DIVIDE)
        CHANNEL_BINARY_CASE(CK_MINIMUM)
        CHANNEL_BINARY_CASE(CK_MAXIMUM)
        CHANNEL_BINARY_CASE(CK_PRELU)
    }
}

static void channel_affine(
    float *destination, const float *source, const float *scale, const float *shift, size_t pixels, float lower,
    float upper) {
    const Vector low = splat(lower), high = splat(upper);
    Vector scales[CK_BLOCK / LANES], shifts[CK_BLOCK / LANES];
    for (int v = 0; v < CK_BLOCK / LANES; v++) {
        scales[v] = load(scale + v * LANES);
        shifts[v] = load(shift + v * LANES);
    }
    for (size_t pixel = 0; pixel < pixels; pixel++, source += CK_BLOCK, destination += CK_BLOCK)
        for (int v = 0; v < CK_BLOCK / LANES; v++)
            store(
                destination + v * LANES,
                clamp(multiply_add(scales[v], load(source + v * LANES), shifts[v]), low, high));
}

// MARK: Sums over pixels

// Sums that are under way at once; the pixels are dealt out to them in turn.
#define CHANNEL_SUMS 4

static void channel_mean(float *destination, const float *source, size_t pixels, float divisor) {
    for (int lane = 0; lane < CK_BLOCK; lane += LANES) {
        Vector sums[CHANNEL_SUMS];
        for (int i = 0; i < CHANNEL_SUMS; i++) sums[i] = (Vector){0};
        const float *place = source + lane;
        size_t pixel = 0;
        for (; pixel + CHANNEL_SUMS <= pixels; pixel += CHANNEL_SUMS)
            for (int i = 0; i < CHANNEL_SUMS; i++, place += CK_BLOCK) sums[i] += load(place);
        for (; pixel < pixels; pixel++, place += CK_BLOCK) sums[0] += load(place);
        store(destination + lane, ((sums[0] + sums[1]) + (sums[2] + sums[3])) / splat(divisor));
    }
}

static void channel_squares(float *destination, const float *source, const float *centers, size_t pixels) {
    for (int lane = 0; lane < CK_BLOCK; lane += LANES) {
        const Vector center = load(centers + lane);
        Vector sums[CHANNEL_SUMS];
        for (int i = 0; i < CHANNEL_SUMS; i++) sums[i] = (Vector){0};
        const float *place = source + lane;
        size_t pixel = 0;
        for (; pixel + CHANNEL_SUMS <= pixels; pixel += CHANNEL_SUMS)
            for (int i = 0; i < CHANNEL_SUMS; i++, place += CK_BLOCK) {
                const Vector x = load(place) - center;
                sums[i] = multiply_add(x, x, sums[i]);
            }
        for (; pixel < pixels; pixel++, place += CK_BLOCK) {
            const Vector x = load(place) - center;
            sums[0] = multiply_add(x, x, sums[0]);
        }
        store(destination + lane, (sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
}

// MARK: Channels in another order

// A vector of a source block, and where its elements go.
typedef struct {
    const float *source;
    Mask places, present;
} ChannelPiece;

INLINE void gather_pieces(float *destination, const ChannelPiece *pieces, const int count, size_t pixels) {
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        Vector value = permute(load(pieces[0].source + pixel * CK_BLOCK), pieces[0].places);
        for (int i = 1; i < count; i++)
            value = select(
                pieces[i].present, permute(load(pieces[i].source + pixel * CK_BLOCK), pieces[i].places), value);
        store(destination + pixel * CK_BLOCK, value);
    }
}

static void channel_gather(float *destination, const ck_channel_source *sources, size_t pixels) {
    for (int lane = 0; lane < CK_BLOCK; lane += LANES) {
        ChannelPiece pieces[LANES];
        int count = 0;
        for (int i = 0; i < LANES; i++) {
            const ck_channel_source from = sources[lane + i];
            if (from.block == NULL) continue;
            const float *source = from.block + from.lane / LANES * LANES;
            int piece = 0;
            while (piece < count && pieces[piece].source != source) piece++;
            if (piece == count) pieces[count++] = (ChannelPiece){.source = source};
            pieces[piece].places[i] = (int32_t)(from.lane % LANES);
            pieces[piece].present[i] = -1;
        }
        switch (count) {
        case 0: break;
        case 1: gather_pieces(destination + lane, pieces, 1, pixels); break;
        case 2: gather_pieces(destination + lane, pieces, 2, pixels); break;
        case 3: gather_pieces(destination + lane, pieces, 3, pixels); break;
        case 4: gather_pieces(destination + lane, pieces, 4, pixels); break;
        default: gather_pieces(destination + lane, pieces, count, pixels);
        }
    }
}
