#define _GNU_SOURCE
#include "CLinux.h"

int clinux_set_thread_name(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}
