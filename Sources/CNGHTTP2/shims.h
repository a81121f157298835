#ifndef FOLDSERVE_CNGHTTP2_SHIMS_H
#define FOLDSERVE_CNGHTTP2_SHIMS_H

// ssize_t callbacks; later nghttp2 versions keep them beside the nghttp2_ssize ones.
#include <nghttp2/nghttp2.h>

#endif
