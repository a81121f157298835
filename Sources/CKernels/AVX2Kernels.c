// Vectors of eight floats: AVX2 with FMA.
#if defined(__x86_64__)
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

#define KERNELS ck_avx2_kernels
#define LANES 8
#define FUSED 1

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "KernelTemplate.h"
#pragma clang attribute pop
#endif
