#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>

/// The inner loops, compiled once for each instruction set and reached through a table of functions.
///
/// Every result depends on the values that it is computed from alone, never on its place in a vector or a tile: an
/// output of a matrix product is one chain of multiply-adds over the depth, in order, and the elements that do not fill
/// a vector go through the same vector operations as the others. So the way work is cut never changes a bit.
///
/// All pointers are to 32-bit floats, which need not be aligned to vectors. Counts are never negative.

/// A block of a matrix product c = a·b, and what is done to it in registers when its sums are complete:
/// c = clamp(c + bias + residual, lower, upper).
typedef struct {
    size_t rows, columns, depth;
    /// [rows / tileRows][depth][tileRows]; `aPanelStride` floats lie between panels.
    const float *a;
    size_t aPanelStride;
    /// For `matrix_rows`: a is [rows][depth] with so many floats between rows.
    size_t aRowStride;
    /// [columns / tileColumns][depth][tileColumns]; `bPanelStride` floats lie between panels.
    const float *b;
    size_t bPanelStride;
    /// [rows][columns] with `cStride` floats between rows.
    float *c;
    size_t cStride;
    /// Whether c holds the sums of the depth before this one.
    bool accumulate;
    /// Whether the sums are complete: the fields below count then.
    bool finish;
    /// [rows], or NULL.
    const float *rowBias;
    /// [columns], or NULL.
    const float *columnBias;
    /// Shaped and strided as c, or NULL.
    const float *residual;
    float lower, upper;
} ck_matrix_block;

/// Output pixels `first` ..< `first + count` (in C order of a depth × height × width box) whose patches are packed.
typedef struct {
    const float *source;
    /// Where the taps lie, relative to a pixel's place in `source`: [depth].
    const ptrdiff_t *tapOffsets;
    size_t depth;
    size_t first, count;
    /// The box's height and width, and the distance of its rows and its planes in `source`.
    size_t height, width;
    size_t rowStride, planeStride;
} ck_patches;

/// The channels of a block: a blocked value lies as [items][ceil(channels / CK_BLOCK)][depth][height][width][CK_BLOCK].
/// What the lanes behind the last channel hold is not defined; they reach no result.
#define CK_BLOCK 16

/// A tap of a window: its distance from the first one along depth, height and width, and in floats.
typedef struct {
    ptrdiff_t position[3];
    ptrdiff_t offset;
} ck_tap;

/// Output pixels and channels of a convolution from blocked to blocked; axes are depth, height and width.
typedef struct {
    /// The first channel block of the group, at the first item.
    const float *source;
    size_t sourceItemStride, sourceBlockStride;
    size_t inputChannels;
    size_t extents[3];
    size_t outputExtents[3];
    size_t strides[3];
    ptrdiff_t pads[3];
    const ck_tap *taps;
    size_t tapCount;
    /// The last tap's position.
    ptrdiff_t reach[3];
    /// [panels][input channels in blocks of CK_BLOCK, taps, channels of the block][panelChannels]; `panelStride` floats lie
    /// between panels.
    const float *weights;
    size_t panelStride;
    /// The output channels of the group, and those that are computed, in panels.
    size_t outputChannels;
    size_t firstPanel, panelCount;
    /// [panels · panelChannels]
    const float *bias;
    /// Pixels firstPixel ..< firstPixel + pixelCount, counted through the items.
    size_t firstPixel, pixelCount;
    /// The first channel block of the group, at the first item.
    float *output;
    size_t outputItemStride, outputBlockStride;
    /// Placed as the output, or NULL.
    const float *residual;
    float lower, upper;
    /// Of a convolution with one tap: room for the input channels, in whole blocks, of `runPixels` pixels or all that are
    /// computed, where the source's pixels are brought together; or NULL.
    float *packed;
} ck_blocked_convolution;

/// The points of F(4×4, 3×3) are 0, ±A, ±B and ∞, those of F(3×3, 3×3) 0, ±C, D and ∞; whatever follows from these is exact in
/// 32-bit floats.
#define CK_WINOGRAD_A 0.625
#define CK_WINOGRAD_B 1.5
#define CK_WINOGRAD_C 0.75
#define CK_WINOGRAD_D 2.0

/// Tiles of a convolution of 3×3 windows: what becomes of the inputs below them. Tiles are counted in rows through one item; a
/// tile is `tile` × `tile` outputs, and has as many positions as inputs, ((tile − 1) · stride + 3)².
typedef struct {
    /// 2, 3 or 4 with stride 1, 2 with stride 2.
    size_t tile, stride;
    /// [blocks][height][width][CK_BLOCK] of one item, with `sourceBlockStride` floats between blocks.
    const float *source;
    size_t sourceBlockStride, blocks;
    size_t height, width;
    size_t padTop, padLeft;
    /// The tiles of a row, and those that are wanted.
    size_t tilesAcross;
    size_t firstTile, tileCount;
    /// [positions][blocks][tileCount][CK_BLOCK]
    float *destination;
    size_t positionStride, destinationBlockStride;
} ck_winograd_input;

/// At every position, tiles × output channels: sums[tile][output] = Σ left[tile][input] · right[input][output].
typedef struct {
    size_t positions;
    size_t tileCount;
    /// The input channels.
    size_t channels;
    /// [positions][blocks][tiles][CK_BLOCK], as `winograd_input` leaves them.
    const float *left;
    size_t leftPositionStride, leftBlockStride;
    /// [positions][panels][channels][panelChannels]; the output channels that are wanted, from the first panel on.
    const float *right;
    size_t rightPositionStride;
    size_t outputChannels, panelCount;
    /// Whether weights are fetched ahead: worth it when they are not in the caches.
    bool prefetches;
    /// [positions][blocks][tiles][CK_BLOCK]
    float *sums;
    size_t sumsPositionStride, sumsBlockStride;
} ck_winograd_product;

/// The outputs of tiles, from the sums at their positions: clamp(outputs + bias + residual, lower, upper).
typedef struct {
    /// As in `ck_winograd_input`.
    size_t tile, stride;
    /// [positions][blocks][tileCount][CK_BLOCK]
    const float *source;
    size_t positionStride, sourceBlockStride, blocks;
    /// [blocks · CK_BLOCK]
    const float *bias;
    size_t tilesAcross;
    size_t firstTile, tileCount;
    /// [blocks][height][width][CK_BLOCK] of one item, with `destinationBlockStride` floats between blocks.
    float *destination;
    size_t destinationBlockStride;
    size_t height, width;
    /// Placed as the destination, or NULL.
    const float *residual;
    float lower, upper;
} ck_winograd_output;

typedef enum {
    CK_WINDOW_MAXIMUM,
    CK_WINDOW_SUM,
    CK_WINDOW_WEIGHTED_SUM,
    /// Of a channel block: a weighted sum over the channels of the output's group too.
    CK_WINDOW_GROUPED_SUM,
} ck_window_kind;

/// How a window slides along one axis.
typedef struct {
    size_t input, output, kernel, stride, dilation, padBegin;
} ck_window_axis;

/// A window over one channel block of one item; axes are depth, height and width.
///
/// A maximum begins with −∞, a sum with 0; taps outside of the input are left out, or read as what changes nothing: −∞ or 0.
typedef struct {
    ck_window_kind kind;
    /// [input pixels][CK_BLOCK]
    const float *source;
    /// [output pixels][CK_BLOCK]
    float *destination;
    /// Of a grouped sum: the channels of a group, a power of two below the floats of a vector.
    size_t groupChannels;
    /// Of a weighted sum: [taps][CK_BLOCK], of a grouped one [groupChannels][taps][CK_BLOCK]; the first summand [CK_BLOCK], and
    /// what is added behind it, placed as the output, or NULL.
    const float *weights;
    const float *initial;
    const float *residual;
    /// Of a sum: what each output is divided by, [output pixels].
    const float *divisors;
    ck_window_axis axes[3];
    /// The output's rows that are computed, counted through its sheets.
    size_t firstRow, rowCount;
    /// Of a weighted or grouped sum.
    float lower, upper;
} ck_blocked_window;

/// A channel of a blocked value: the block's first float at the first pixel, and the lane. NULL: no channel.
typedef struct {
    const float *block;
    size_t lane;
} ck_channel_source;

typedef enum {
    CK_CLAMP, // min(max(x, alpha), beta)
    CK_LEAKY_RELU, // x < 0 ? alpha·x : x
    CK_SIGMOID,
    CK_TANH,
    CK_HARD_SIGMOID, // clamp(alpha·x + beta, 0, 1)
    CK_HARD_SWISH, // x · clamp(x/6 + 1/2, 0, 1)
    CK_ERF,
    CK_GELU, // alpha·x · (1 + erf(x/√2))
    CK_GELU_TANH, // x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³)))
    CK_EXP,
    CK_SQRT,
    CK_NEGATE,
    CK_ABSOLUTE,
    CK_SILU, // x · sigmoid(x)
    CK_ELU, // x < 0 ? alpha·(eˣ − 1) : x
    CK_SCALE_SHIFT, // alpha·x + beta
} ck_unary_kind;

typedef enum { CK_ADD, CK_SUBTRACT, CK_MULTIPLY, CK_DIVIDE, CK_MINIMUM, CK_MAXIMUM, CK_PRELU } ck_binary_kind;

typedef struct {
    /// The floats of a vector.
    size_t lanes;
    /// The tile of a matrix product that is kept in registers.
    size_t tileRows, tileColumns;
    /// The output channels of a panel of a blocked convolution, the pixels of its tile, and those that are looked up at once.
    size_t panelChannels, tilePixels, runPixels;

    /// output = clamp(convolution + bias + residual, lower, upper).
    void (*blocked_convolution)(const ck_blocked_convolution *convolution);
    /// The same from plain planes: a source pixel is one float, `taps` are those of every channel, all inside, and
    /// weights lie as [panels][taps][panelChannels]; channels and pads do not count.
    void (*planar_convolution)(const ck_blocked_convolution *convolution);
    /// Nothing but multiply-adds in registers, in as many chains as hide their latency: what the processor can do at best.
    /// A step has so many operations, two for each multiply-add.
    float (*multiply_adds)(size_t steps);
    size_t multiplyAddOperations;

    /// Convolution in groups, depthwise most of all, maximum and average pool of a channel block.
    void (*blocked_window)(const ck_blocked_window *window);
    /// [pixels][CK_BLOCK] and one operand for each channel, [CK_BLOCK], which is the left one when `reversed`; clamped.
    void (*channel_binary)(
        ck_binary_kind kind, bool reversed, float *destination, const float *source, const float *channels,
        size_t pixels, float lower, float upper);
    /// scale · x + shift for each channel, [CK_BLOCK] each; clamped.
    void (*channel_affine)(
        float *destination, const float *source, const float *scale, const float *shift, size_t pixels, float lower,
        float upper);
    /// destination [CK_BLOCK]: the sum over the pixels of a block by `divisor`, in an order that depends on `pixels` alone.
    void (*channel_mean)(float *destination, const float *source, size_t pixels, float divisor);
    /// destination [CK_BLOCK]: the sum of (x − center)² over the pixels of a block, `centers` [CK_BLOCK]; in that order too.
    void (*channel_squares)(float *destination, const float *source, const float *centers, size_t pixels);
    /// destination [pixels][CK_BLOCK] of the channels `sources` [CK_BLOCK], none of which may lie in it; lanes without a
    /// channel are left as they are or hold anything.
    void (*channel_gather)(float *destination, const ck_channel_source *sources, size_t pixels);
    /// Bᵀ·d·B of the inputs d of each tile.
    void (*winograd_input)(const ck_winograd_input *input);
    void (*winograd_product)(const ck_winograd_product *product);
    /// Aᵀ·m·A of the sums m of each tile; outputs behind the edges are left out.
    void (*winograd_output)(const ck_winograd_output *output);
    void (*matrix_block)(const ck_matrix_block *block);
    /// The same from a left side that lies as rows; for the same sums in the same order.
    void (*matrix_rows)(const ck_matrix_block *block);
    /// c[columns] of one row, from a contiguous a[depth] and b as in `ck_matrix_block`; the same sums in the same order.
    void (*matrix_row)(const ck_matrix_block *block);
    /// destination [ceil(count / tileColumns)][depth][tileColumns]; writes up to `lanes` floats past its end and reads
    /// up to `lanes` floats past a run of pixels.
    void (*pack_patches)(const ck_patches *patches, float *destination);
    /// One row of windows: destination[i] = op over taps of source[i + tapOffsets[tap]] (· weights[tap]), sums from
    /// `initial`; then clamped to lower...upper; no grouped sums. Reads up to `4 · lanes` floats past the row.
    void (*window_row)(
        ck_window_kind kind, float *destination, const float *source, const ptrdiff_t *tapOffsets,
        const float *weights, size_t tapCount, size_t count, float initial, float lower, float upper);
    void (*unary)(ck_unary_kind kind, float *destination, const float *source, size_t count, float alpha, float beta);
    /// A stride of 0 repeats the operand's first element, 1 walks it. The result is clamped to lower...upper.
    void (*binary)(
        ck_binary_kind kind, float *destination, const float *left, size_t leftStride, const float *right,
        size_t rightStride, size_t count, float lower, float upper);
    /// The sum of (x − center), in an order that depends on `count` alone.
    float (*sum)(const float *source, size_t count, float center);
    /// The sum of (x − center)², in an order that depends on `count` alone.
    float (*sum_of_squares)(const float *source, size_t count, float center);
    /// destination = (source − mean) · factor · scale + shift, [count] each; `shift` may be NULL.
    void (*normalize)(
        float *destination, const float *source, size_t count, float mean, float factor, const float *scale,
        const float *shift);
    float (*maximum)(const float *source, size_t count);
    /// destination = exp(source − center); returns the sum, in an order that depends on `count` alone.
    float (*exp_sum)(float *destination, const float *source, size_t count, float center);
    /// One item at one time: cell = σ(f)·cell + σ(i)·tanh(c), hidden = σ(o)·tanh(cell); gates [i, o, f, c][size].
    void (*lstm_cell)(const float *gates, float *cell, float *hidden, size_t size);
    /// hidden = (1 − z)·tanh(gates_h + r·recurrent_h) + z·previous, z and r = σ(gates + recurrent); both are [z, r, h][size].
    void (*gru_cell)(
        const float *gates, const float *recurrent, const float *previous, float *hidden, size_t size);
} ck_kernels;

typedef enum { CK_PORTABLE, CK_AVX2, CK_AVX512 } ck_instruction_set;

/// Whether this processor runs the kernels of `set`.
bool ck_is_supported(ck_instruction_set set);

/// The kernels of `set`; NULL when this build has none for it.
const ck_kernels *ck_kernels_of(ck_instruction_set set);

/// Packs `lines` lines of `depth` floats, at any alignment, into panels of `width` lines: [panel][depth][width]. Strides are
/// in floats; the lines that fill up the last panel are zero.
void ck_pack_panels(
    float *destination, const void *source, size_t lines, size_t depth, ptrdiff_t lineStride, ptrdiff_t depthStride,
    size_t width);

/// Packs the weights of one group, [outputs][inputs][taps] at any alignment, for `blocked_convolution`:
/// [panels][blocks of inputs][taps][inputs of the block][panelChannels]; outputs that fill up the last panel are zero.
void ck_pack_blocked(
    float *destination, const void *source, size_t outputs, size_t inputs, size_t taps, size_t panelChannels);

/// Transforms the weights of a convolution of 3×3 windows, [outputs][inputs][3][3] at any alignment, for `winograd_product`:
/// G·g·Gᵀ in Double, rounded once, [positions][panels][inputs][panelChannels]; outputs that fill up the last panel are zero.
/// Writes panels firstPanel ..< firstPanel + panelCount of every position; returns whether all of them are finite.
bool ck_pack_winograd(
    float *destination, const void *source, size_t outputs, size_t inputs, size_t tile, size_t stride,
    size_t panelChannels, size_t firstPanel, size_t panelCount);

/// Copies [channels][count] to blocks [ceil(channels / CK_BLOCK)][count][CK_BLOCK], pixels first ..< first + size of `count`;
/// the lanes behind the last channel are zero.
void ck_plain_to_blocked(
    float *destination, const float *source, size_t channels, size_t count, size_t first, size_t size);

/// The way back.
void ck_blocked_to_plain(
    float *destination, const float *source, size_t channels, size_t count, size_t first, size_t size);

/// destination[i] = source[start + i·stride] where that lies in 0 ..< length, else fill.
void ck_split_row(
    float *destination, size_t count, const float *source, ptrdiff_t length, ptrdiff_t start, ptrdiff_t stride,
    float fill);

/// destination[row][column] = source[column][row] for a matrix of rows × columns, in blocks.
void ck_transpose(
    float *destination, size_t destinationStride, const float *source, size_t sourceStride, size_t rows,
    size_t columns);

/// destination[i] = source[indices[i]].
void ck_gather(float *destination, const float *source, const ptrdiff_t *indices, size_t count);

/// destination[i·stride] += source[i].
void ck_add_strided(float *destination, ptrdiff_t stride, const float *source, size_t count);

/// destination[output][i] = Σ over taps of weights[output][tap] · source[indices[output][tap]][i], for rows of `inner` floats,
/// taps in order; a tap of weight 0 is left out.
void ck_blend(
    float *destination, const float *source, const ptrdiff_t *indices, const float *weights, size_t outputs, size_t taps,
    size_t inner);

/// Tells the processor that this is a waiting loop.
static inline void ck_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

#endif
