// Cells of recurrent layers: what is done with the gates of one item at one time, eight or so units at once. Part of
// KernelTemplate.h.

INLINE Vector load_units(const float *source, size_t count) {
    return count < LANES ? load_part(source, count) : load(source);
}

INLINE void store_units(float *destination, Vector value, size_t count) {
    if (count < LANES) store_part(destination, value, count);
    else store(destination, value);
}

static void lstm_cell(const float *gates, float *cell, float *hidden, size_t size) {
    for (size_t i = 0; i < size; i += LANES) {
        const size_t count = size - i < LANES ? size - i : LANES;
        const Vector input = sigmoid(load_units(gates + i, count));
        const Vector output = sigmoid(load_units(gates + size + i, count));
        const Vector forget = sigmoid(load_units(gates + 2 * size + i, count));
        const Vector candidate = hyperbolic_tangent(load_units(gates + 3 * size + i, count));
        const Vector next = multiply_add(forget, load_units(cell + i, count), input * candidate);
        store_units(cell + i, next, count);
        store_units(hidden + i, output * hyperbolic_tangent(next), count);
    }
}

static void gru_cell(
    const float *gates, const float *recurrent, const float *previous, float *hidden, size_t size) {
    for (size_t i = 0; i < size; i += LANES) {
        const size_t count = size - i < LANES ? size - i : LANES;
        const Vector update = sigmoid(load_units(gates + i, count) + load_units(recurrent + i, count));
        const Vector reset = sigmoid(load_units(gates + size + i, count) + load_units(recurrent + size + i, count));
        const Vector linear = load_units(recurrent + 2 * size + i, count);
        const Vector candidate = hyperbolic_tangent(
            multiply_add(reset, linear, load_units(gates + 2 * size + i, count)));
        const Vector kept = update * load_units(previous + i, count);
        store_units(hidden + i, multiply_add(splat(1) - update, candidate, kept), count);
    }
}
