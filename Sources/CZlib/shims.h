#ifndef FOLDSERVE_CZLIB_SHIMS_H
#define FOLDSERVE_CZLIB_SHIMS_H

#include <zlib.h>

// A macro, which Swift does not import.
static inline int czlib_inflate_init(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}

#endif
