// Vectors of four floats: NEON on ARM, SSE2 on x86-64.
#define KERNELS ck_portable_kernels
#define LANES 4
#if defined(__aarch64__)
#define FUSED 1
#else
#define FUSED 0
#endif

#include "KernelTemplate.h"
