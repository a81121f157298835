#include "CKernels.h"

#include <string.h>

extern const ck_kernels ck_portable_kernels;
#if defined(__x86_64__)
extern const ck_kernels ck_avx2_kernels;
extern const ck_kernels ck_avx512_kernels;
#endif

bool ck_is_supported(ck_instruction_set set) {
    switch (set) {
    case CK_PORTABLE: return true;
#if defined(__x86_64__)
    case CK_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CK_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
            && ck_is_supported(CK_AVX2);
#endif
    default: return false;
    }
}

const ck_kernels *ck_kernels_of(ck_instruction_set set) {
    switch (set) {
    case CK_PORTABLE: return &ck_portable_kernels;
#if defined(__x86_64__)
    case CK_AVX2: return &ck_avx2_kernels;
    case CK_AVX512: return &ck_avx512_kernels;
#endif
    default: return NULL;
    }
}

typedef float LooseFloat __attribute__((aligned(1)));

enum { QUAD = 4 };
typedef float Quad __attribute__((vector_size(QUAD * sizeof(float))));

// The columns of four rows of four floats.
static inline void transpose_quads(const LooseFloat *rows, ptrdiff_t stride, Quad columns[QUAD]) {
    Quad row[QUAD];
    for (ptrdiff_t i = 0; i < QUAD; i++) memcpy(&row[i], rows + i * stride, sizeof(Quad));
    const Quad low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
    const Quad high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
    const Quad low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
    const Quad high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
    columns[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    columns[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    columns[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    columns[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

// Transposes `count` lines of [inputs][taps] floats to [taps][inputs][width]; lines that fill up the width are zero.
static void transpose_lines(
    float *destination, const LooseFloat *source, size_t count, size_t inputs, size_t taps, ptrdiff_t lineStride,
    size_t width) {
    size_t line = 0;
    for (; line + QUAD <= count; line += QUAD) {
        const LooseFloat *rows = source + (ptrdiff_t)line * lineStride;
        size_t input = 0, tap = 0;
        for (size_t column = 0; column < inputs * taps; column += QUAD) {
            const size_t size = inputs * taps - column < QUAD ? inputs * taps - column : QUAD;
            Quad columns[QUAD];
            if (size == QUAD)
                transpose_quads(rows + column, lineStride, columns);
            else
                for (size_t j = 0; j < size; j++)
                    for (size_t i = 0; i < QUAD; i++)
                        columns[j][i] = rows[(ptrdiff_t)i * lineStride + (ptrdiff_t)(column + j)];
            for (size_t j = 0; j < size; j++) {
                memcpy(destination + (tap * inputs + input) * width + line, &columns[j], sizeof(Quad));
                if (++tap < taps) continue;
                tap = 0;
                input++;
            }
        }
    }
    for (; line < width; line++) {
        const LooseFloat *row = source + (ptrdiff_t)line * lineStride;
        for (size_t tap = 0; tap < taps; tap++)
            for (size_t input = 0; input < inputs; input++)
                destination[(tap * inputs + input) * width + line] = line < count ? row[input * taps + tap] : 0;
    }
}

void ck_pack_panels(
    float *destination, const void *source, size_t lines, size_t depth, ptrdiff_t lineStride, ptrdiff_t depthStride,
    size_t width) {
    const LooseFloat *first = source;
    for (size_t line = 0; line < lines; line += width, destination += depth * width) {
        const size_t count = lines - line < width ? lines - line : width;
        const LooseFloat *panel = first + (ptrdiff_t)line * lineStride;
        if (lineStride == 1) {
            for (size_t k = 0; k < depth; k++) {
                float *place = destination + k * width;
                const LooseFloat *row = panel + (ptrdiff_t)k * depthStride;
                memcpy(place, row, count * sizeof(float));
                for (size_t i = count; i < width; i++) place[i] = 0;
            }
        } else if (depthStride == 1) {
            for (size_t k = 0; k < depth; k += CK_BLOCK) {
                const size_t size = depth - k < CK_BLOCK ? depth - k : CK_BLOCK;
                transpose_lines(destination + k * width, panel + k, count, size, 1, lineStride, width);
            }
        } else {
            for (size_t i = 0; i < width; i++) {
                const LooseFloat *row = panel + (ptrdiff_t)i * lineStride;
                for (size_t k = 0; k < depth; k++)
                    destination[k * width + i] = i < count ? row[(ptrdiff_t)k * depthStride] : 0;
            }
        }
    }
}

void ck_pack_blocked(
    float *destination, const void *source, size_t outputs, size_t inputs, size_t taps, size_t panelChannels) {
    const LooseFloat *first = source;
    for (size_t output = 0; output < outputs; output += panelChannels) {
        const size_t count = outputs - output < panelChannels ? outputs - output : panelChannels;
        for (size_t block = 0; block < inputs; block += CK_BLOCK) {
            const size_t size = inputs - block < CK_BLOCK ? inputs - block : CK_BLOCK;
            transpose_lines(
                destination, first + (output * inputs + block) * taps, count, size, taps, (ptrdiff_t)(inputs * taps),
                panelChannels);
            destination += taps * size * panelChannels;
        }
    }
}

// G of Winograd's transform: the kernel's polynomial at each point, over the product of the point's distances to the others.
#define WINOGRAD_A2 (CK_WINOGRAD_A * CK_WINOGRAD_A)
#define WINOGRAD_B2 (CK_WINOGRAD_B * CK_WINOGRAD_B)
#define WINOGRAD_C2 (CK_WINOGRAD_C * CK_WINOGRAD_C)
#define WINOGRAD_D2 (CK_WINOGRAD_D * CK_WINOGRAD_D)
static const double winogradKernel2[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double winogradKernelOfStride2[5][3] = {{1, 0, 0}, {1, 0, 1}, {0, 0, 1}, {0, 1, 0}, {0, 1, 0}};
static const double winogradKernel3[5][3] = {
    {1 / (WINOGRAD_C2 * CK_WINOGRAD_D), 0, 0},
    {0.5 / WINOGRAD_C2 / (CK_WINOGRAD_C - CK_WINOGRAD_D), 0.5 / CK_WINOGRAD_C / (CK_WINOGRAD_C - CK_WINOGRAD_D),
     0.5 / (CK_WINOGRAD_C - CK_WINOGRAD_D)},
    {-0.5 / WINOGRAD_C2 / (CK_WINOGRAD_C + CK_WINOGRAD_D), 0.5 / CK_WINOGRAD_C / (CK_WINOGRAD_C + CK_WINOGRAD_D),
     -0.5 / (CK_WINOGRAD_C + CK_WINOGRAD_D)},
    {1 / CK_WINOGRAD_D / (WINOGRAD_D2 - WINOGRAD_C2), 1 / (WINOGRAD_D2 - WINOGRAD_C2),
     CK_WINOGRAD_D / (WINOGRAD_D2 - WINOGRAD_C2)},
    {0, 0, 1},
};
static const double winogradKernel4[6][3] = {
    {1 / (WINOGRAD_A2 * WINOGRAD_B2), 0, 0},
    {0.5 / WINOGRAD_A2 / (WINOGRAD_A2 - WINOGRAD_B2), 0.5 / CK_WINOGRAD_A / (WINOGRAD_A2 - WINOGRAD_B2),
     0.5 / (WINOGRAD_A2 - WINOGRAD_B2)},
    {0.5 / WINOGRAD_A2 / (WINOGRAD_A2 - WINOGRAD_B2), -0.5 / CK_WINOGRAD_A / (WINOGRAD_A2 - WINOGRAD_B2),
     0.5 / (WINOGRAD_A2 - WINOGRAD_B2)},
    {0.5 / WINOGRAD_B2 / (WINOGRAD_B2 - WINOGRAD_A2), 0.5 / CK_WINOGRAD_B / (WINOGRAD_B2 - WINOGRAD_A2),
     0.5 / (WINOGRAD_B2 - WINOGRAD_A2)},
    {0.5 / WINOGRAD_B2 / (WINOGRAD_B2 - WINOGRAD_A2), -0.5 / CK_WINOGRAD_B / (WINOGRAD_B2 - WINOGRAD_A2),
     0.5 / (WINOGRAD_B2 - WINOGRAD_A2)},
    {0, 0, 1},
};

bool ck_pack_winograd(
    float *destination, const void *source, size_t outputs, size_t inputs, size_t tile, size_t stride,
    size_t panelChannels, size_t firstPanel, size_t panelCount) {
    enum { lanes = CK_BLOCK, taps = 9 };
    const LooseFloat *first = source;
    const double(*kernel)[3] = stride == 2 ? winogradKernelOfStride2
        : tile == 2                        ? winogradKernel2
        : tile == 3                        ? winogradKernel3
                                           : winogradKernel4;
    const size_t side = (tile - 1) * stride + 3, panels = (outputs + panelChannels - 1) / panelChannels;
    const size_t positionStride = panels * inputs * panelChannels;
    float check[lanes] = {0};
    // Some output channels of a panel at once, so that each line below is a few vectors.
    const size_t end = (firstPanel + panelCount) * panelChannels;
    for (size_t output = firstPanel * panelChannels; output < end; output += lanes) {
        const size_t count = output >= outputs ? 0 : outputs - output < lanes ? outputs - output : lanes;
        float *panel = destination + output / panelChannels * inputs * panelChannels + output % panelChannels;
        for (size_t input = 0; input < inputs; input++, panel += panelChannels) {
            double g[3][3][lanes] = {0}, half[6][3][lanes];
            for (size_t lane = 0; lane < count; lane++) {
                const LooseFloat *taken = first + ((output + lane) * inputs + input) * taps;
                for (size_t tap = 0; tap < taps; tap++) g[tap / 3][tap % 3][lane] = taken[tap];
            }
            for (size_t y = 0; y < side; y++)
                for (size_t x = 0; x < 3; x++)
                    for (size_t lane = 0; lane < lanes; lane++)
                        half[y][x][lane] = kernel[y][0] * g[0][x][lane] + kernel[y][1] * g[1][x][lane]
                            + kernel[y][2] * g[2][x][lane];
            float *place = panel;
            for (size_t y = 0; y < side; y++) {
                for (size_t x = 0; x < side; x++, place += positionStride) {
                    for (size_t lane = 0; lane < lanes; lane++) {
                        place[lane] = (float)(kernel[x][0] * half[y][0][lane] + kernel[x][1] * half[y][1][lane]
                                              + kernel[x][2] * half[y][2][lane]);
                        check[lane] += place[lane] * 0;
                    }
                }
            }
        }
    }
    bool isFinite = true;
    for (size_t lane = 0; lane < lanes; lane++) isFinite &= check[lane] == 0;
    return isFinite;
}

void ck_plain_to_blocked(
    float *destination, const float *source, size_t channels, size_t count, size_t first, size_t size) {
    for (size_t block = 0; block < channels; block += CK_BLOCK, destination += count * CK_BLOCK, source += count * CK_BLOCK) {
        const size_t lanes = channels - block < CK_BLOCK ? channels - block : CK_BLOCK;
        for (size_t pixel = first; pixel < first + size; pixel++) {
            float *place = destination + pixel * CK_BLOCK;
            for (size_t lane = 0; lane < CK_BLOCK; lane++) place[lane] = lane < lanes ? source[lane * count + pixel] : 0;
        }
    }
}

void ck_blocked_to_plain(
    float *destination, const float *source, size_t channels, size_t count, size_t first, size_t size) {
    for (size_t block = 0; block < channels; block += CK_BLOCK, destination += count * CK_BLOCK, source += count * CK_BLOCK) {
        const size_t lanes = channels - block < CK_BLOCK ? channels - block : CK_BLOCK;
        for (size_t lane = 0; lane < lanes; lane++)
            for (size_t pixel = first; pixel < first + size; pixel++)
                destination[lane * count + pixel] = source[pixel * CK_BLOCK + lane];
    }
}

void ck_split_row(
    float *destination, size_t count, const float *source, ptrdiff_t length, ptrdiff_t start, ptrdiff_t stride,
    float fill) {
    // The elements i with 0 ≤ start + i·stride < length lie between `low` and `high`.
    ptrdiff_t low = start >= 0 ? 0 : (-start + stride - 1) / stride;
    ptrdiff_t high = start >= length ? 0 : (length - start + stride - 1) / stride;
    if (low > (ptrdiff_t)count) low = (ptrdiff_t)count;
    if (high > (ptrdiff_t)count) high = (ptrdiff_t)count;
    if (high < low) high = low;
    for (ptrdiff_t i = 0; i < low; i++) destination[i] = fill;
    const float *first = source + (low < high ? start + low * stride : 0);
    float *place = destination + low;
    const ptrdiff_t inside = high - low;
    if (stride == 1) {
        memcpy(place, first, (size_t)inside * sizeof(float));
    } else if (stride == 2) {
        for (ptrdiff_t i = 0; i < inside; i++) place[i] = first[2 * i];
    } else {
        for (ptrdiff_t i = 0; i < inside; i++) place[i] = first[i * stride];
    }
    for (ptrdiff_t i = high; i < (ptrdiff_t)count; i++) destination[i] = fill;
}

void ck_transpose(
    float *destination, size_t destinationStride, const float *source, size_t sourceStride, size_t rows,
    size_t columns) {
    // Blocks of one cache line a side, so that both sides are read and written in whole lines.
    enum { side = 16 };
    for (size_t row = 0; row < rows; row += side) {
        const size_t rowEnd = row + side < rows ? row + side : rows;
        for (size_t column = 0; column < columns; column += side) {
            const size_t columnEnd = column + side < columns ? column + side : columns;
            for (size_t i = row; i < rowEnd; i++)
                for (size_t j = column; j < columnEnd; j++)
                    destination[i * destinationStride + j] = source[j * sourceStride + i];
        }
    }
}

void ck_gather(float *destination, const float *source, const ptrdiff_t *indices, size_t count) {
    for (size_t i = 0; i < count; i++) destination[i] = source[indices[i]];
}

void ck_add_strided(float *destination, ptrdiff_t stride, const float *source, size_t count) {
    if (stride == 1) {
        for (size_t i = 0; i < count; i++) destination[i] += source[i];
    } else {
        for (size_t i = 0; i < count; i++) destination[(ptrdiff_t)i * stride] += source[i];
    }
}

void ck_blend(
    float *destination, const float *source, const ptrdiff_t *indices, const float *weights, size_t outputs, size_t taps,
    size_t inner) {
    for (size_t output = 0; output < outputs; output++, indices += taps, weights += taps) {
        float *row = destination + output * inner;
        for (size_t i = 0; i < inner; i++) row[i] = 0;
        for (size_t tap = 0; tap < taps; tap++) {
            const float weight = weights[tap];
            const float *from = source + indices[tap] * (ptrdiff_t)inner;
            if (weight == 0) continue;
            for (size_t i = 0; i < inner; i++) row[i] += weight * from[i];
        }
    }
}
