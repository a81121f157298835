// Vectors of sixteen floats: AVX-512.
#if defined(__x86_64__)
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

#define KERNELS ck_avx512_kernels
#define LANES 16
#define FUSED 1

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx2,fma"))), apply_to = function)
#include "KernelTemplate.h"
#pragma clang attribute pop
#endif
