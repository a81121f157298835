#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include <linux/filter.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

int clinux_set_thread_name(pthread_t thread, const char *name) {
    return pthread_setname_np(thread, name);
}

int clinux_accept_nonblocking(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int clinux_stop_new_connections(int listener) {
    // The filter sees a segment from its TCP header on; byte 13 holds the flags: SYN is 0x02, ACK is 0x10.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void clinux_block_signals(void) {
    sigset_t signals;
    sigfillset(&signals);
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    for (unsigned index = 0; index < sizeof faults / sizeof faults[0]; index++) sigdelset(&signals, faults[index]);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

int clinux_usable_processor_count(void) {
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof processors, &processors) != 0) return (int)sysconf(_SC_NPROCESSORS_ONLN);
    return CPU_COUNT(&processors);
}

void clinux_trim_heap(void) { malloc_trim(0); }

/// A signal's handler gets no argument of ours: what it needs to know is static, and atomic.
enum { maximum_mapping_count = 4096 };
static struct {
    /// 0: free; 1: being filled.
    _Atomic(uintptr_t) start;
    _Atomic(uintptr_t) end;
} mappings[maximum_mapping_count];

static void survive_cut_file(int signal, siginfo_t *info, void *context) {
    (void)context;
    const uintptr_t address = (uintptr_t)info->si_addr;
    if (info->si_code == BUS_ADRERR) {
        for (int number = 0; number < maximum_mapping_count; number++) {
            const uintptr_t start = atomic_load(&mappings[number].start), end = atomic_load(&mappings[number].end);
            if (start <= 1 || address < start || address >= end) continue;
            const int saved = errno;
            const uintptr_t page = address & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
            // From here on the file has ended: zeros take the place of what was behind.
            const void *zeros = mmap(
                (void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
            errno = saved;
            if (zeros != MAP_FAILED) return;
        }
    }
    // Not ours: happens again without a handler, and ends the process.
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
}

void clinux_survive_cut_files(void) {
    struct sigaction action = {.sa_sigaction = survive_cut_file, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

int clinux_add_mapping(const void *start, size_t byte_count) {
    for (int number = 0; number < maximum_mapping_count; number++) {
        uintptr_t unused = 0;
        if (!atomic_compare_exchange_strong(&mappings[number].start, &unused, 1)) continue;
        atomic_store(&mappings[number].end, (uintptr_t)start + byte_count);
        atomic_store(&mappings[number].start, (uintptr_t)start);
        return number;
    }
    return -1;
}

void clinux_remove_mapping(int number) {
    if (number >= 0) atomic_store(&mappings[number].start, 0);
}
