#ifndef CLINUX_H
#define CLINUX_H

/// The Linux system calls that Swift's Glibc module does not export. `_GNU_SOURCE` is defined in CLinux.c alone:
/// in a header that Swift imports it breaks debug builds.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <pthread.h>
#include <stddef.h>

/// Names a thread; Linux keeps the first 15 bytes.
int clinux_set_thread_name(pthread_t thread, const char *name);

/// accept4 with SOCK_NONBLOCK and SOCK_CLOEXEC, without the peer's address. -1 and errno on failure.
int clinux_accept_nonblocking(int listener);

/// Makes a listening TCP socket drop every new SYN, while handshakes under way still complete into its backlog.
/// A client that connects now retries its SYN and is refused once the socket is closed: the backlog can be emptied
/// without losing a connection. -1 and errno on failure.
int clinux_stop_new_connections(int listener);

/// Blocks, in the calling thread, every signal that is not the report of a fault in it. SIGPIPE among them: OpenSSL
/// writes to sockets without MSG_NOSIGNAL.
void clinux_block_signals(void);

/// The processors that the calling thread may run on, or all of them when the system does not say.
int clinux_usable_processor_count(void);

/// Gives free heap memory back to the system.
void clinux_trim_heap(void);

/// Mappings of files that others may cut short. Reading past a file's new end is SIGBUS, which ends a process; after
/// `clinux_survive_cut_files` it is zeros, and whoever reads must find out in another way that the file changed.
void clinux_survive_cut_files(void);

/// Adds a mapping; returns its number, or -1 when there are too many, and it stays as it is.
int clinux_add_mapping(const void *start, size_t byte_count);

/// Before the mapping goes.
void clinux_remove_mapping(int number);

#endif
