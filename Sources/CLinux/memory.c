#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <sched.h>
#include <sys/uio.h>

ssize_t clinux_read_memory(pid_t pid, uint64_t address, void *buffer, size_t bytes) {
    struct iovec ours = {buffer, bytes}, theirs = {(void *)address, bytes};
    ssize_t count = process_vm_readv(pid, &ours, 1, &theirs, 1, 0);
    return count < 0 ? -errno : count;
}

int clinux_pin_to_cpu(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}
