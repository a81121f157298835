#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>

/// Whether this process counts its allocations: not under a sanitizer, which has an allocator of its own.
bool allocation_counter_counts(void);

/// How often this thread has asked for memory.
long allocation_counter_count(void);

#endif
