#ifndef CLINUX_H
#define CLINUX_H

/// The Linux system calls that Swift's Glibc module does not export. `_GNU_SOURCE` is defined in CLinux.c alone:
/// in a header that Swift imports it breaks debug builds.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <pthread.h>

/// Names a thread; Linux keeps the first 15 bytes.
int clinux_set_thread_name(pthread_t thread, const char *name);

#endif
