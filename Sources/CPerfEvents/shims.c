#define _GNU_SOURCE
#include "CPerfEvents.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
// ax bx cx dx si di bp sp ip, r8 to r15: bits 0...8 and 16...23 of enum perf_event_x86_regs.
static const uint64_t user_registers = 0xFF01FF;
#elif defined(__aarch64__)
// x0 to x30, sp, pc.
static const uint64_t user_registers = 0x1FFFFFFFF;
#endif

static int result(long value) { return value < 0 ? -errno : (int)value; }

static void describe_samples(const struct cperf_request *request, struct perf_event_attr *attr) {
    attr->type = request->counts_cycles ? PERF_TYPE_HARDWARE : PERF_TYPE_SOFTWARE;
    attr->config = request->counts_cycles ? (uint64_t)PERF_COUNT_HW_CPU_CYCLES : (uint64_t)PERF_COUNT_SW_CPU_CLOCK;
    // A period, not a frequency: every sample then stands for the same, and a new thread does not begin with a burst.
    attr->sample_period = request->period;
    attr->sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID | PERF_SAMPLE_CALLCHAIN |
                        PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
    attr->exclude_callchain_kernel = 1;
    // Without either part the chain is empty, but there: all records are laid out alike.
    attr->exclude_callchain_user = !request->has_chain;
    attr->sample_regs_user = user_registers;
    attr->sample_stack_user = request->stack_bytes;
    attr->exclude_kernel = !request->includes_kernel;
    attr->mmap = 1;
    attr->mmap2 = 1;
    attr->build_id = request->build_ids != 0;
    attr->comm = 1;
    attr->comm_exec = 1;
    attr->task = 1;
}

int cperf_open(const struct cperf_request *request) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    if (request->is_counter) {
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_TASK_CLOCK;
        attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID;
    } else {
        describe_samples(request, &attr);
    }
    attr.disabled = 1;
    if (request->is_glimpse || request->samples_only)
        attr.mmap = attr.mmap2 = attr.build_id = attr.comm = attr.comm_exec = attr.task = 0;
    if (request->pid < 0) {
        attr.exclude_idle = 1;
    } else if (!request->is_glimpse) {
        attr.inherit = 1;
        attr.inherit_stat = !request->samples_only;
    }
    attr.exclude_hv = 1;
    attr.enable_on_exec = request->enable_on_exec != 0;
    attr.sample_id_all = 1;
    attr.use_clockid = 1;
    attr.clockid = CLOCK_MONOTONIC;
    attr.watermark = !request->wakes_readers;
    if (request->wakes_readers) {
        attr.context_switch = 1;
        attr.wakeup_events = 1;
    } else {
        attr.wakeup_watermark = request->wakeup_bytes;
    }
    return result(syscall(SYS_perf_event_open, &attr, request->pid, request->cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

int cperf_refresh(int descriptor) { return result(ioctl(descriptor, PERF_EVENT_IOC_REFRESH, 1)); }

int cperf_count(int descriptor, uint64_t *count) {
    ssize_t bytes = read(descriptor, count, sizeof *count);
    return bytes == sizeof *count ? 0 : bytes < 0 ? -errno : -EIO;
}

int cperf_measure_cycles(uint64_t nanoseconds, uint64_t *cycles, uint64_t *took) {
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_HARDWARE;
    attr.config = PERF_COUNT_HW_CPU_CYCLES;
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    attr.read_format = PERF_FORMAT_TOTAL_TIME_RUNNING;
    int descriptor = result(syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (descriptor < 0) return descriptor;
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    uint64_t end = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + nanoseconds, time;
    do {
        for (volatile int index = 0; index < 10000; index++) {
        }
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    } while (time < end);
    uint64_t counts[2] = {0, 0};
    ssize_t bytes = read(descriptor, counts, sizeof counts);
    int error = bytes < 0 ? -errno : 0;
    close(descriptor);
    *cycles = counts[0];
    *took = counts[1];
    return error;
}

uint64_t cperf_user_chain_mark(void) { return (uint64_t)PERF_CONTEXT_USER; }

int cperf_identifier(int descriptor, uint64_t *identifier) {
    return result(ioctl(descriptor, PERF_EVENT_IOC_ID, identifier));
}

int cperf_enable(int descriptor) { return result(ioctl(descriptor, PERF_EVENT_IOC_ENABLE, 0)); }

int cperf_disable(int descriptor) { return result(ioctl(descriptor, PERF_EVENT_IOC_DISABLE, 0)); }

int cperf_redirect(int descriptor, int ring_descriptor) {
    return result(ioctl(descriptor, PERF_EVENT_IOC_SET_OUTPUT, ring_descriptor));
}

size_t cperf_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

int cperf_map_ring(int descriptor, size_t data_bytes, void **control, void **data) {
    size_t page = cperf_page_size();
    void *base = mmap(NULL, page + data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (base == MAP_FAILED) return -errno;
    *control = base;
    *data = (char *)base + page;
    return 0;
}

void cperf_unmap_ring(void *control, size_t data_bytes) { munmap(control, cperf_page_size() + data_bytes); }

uint64_t cperf_head(const void *control) {
    const struct perf_event_mmap_page *page = control;
    return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}

uint64_t cperf_tail(const void *control) {
    const struct perf_event_mmap_page *page = control;
    return __atomic_load_n(&page->data_tail, __ATOMIC_ACQUIRE);
}

void cperf_set_tail(void *control, uint64_t tail) {
    struct perf_event_mmap_page *page = control;
    __atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}
