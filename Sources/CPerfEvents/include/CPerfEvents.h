#ifndef FREEZE_PROFILE_CPERFEVENTS_H
#define FREEZE_PROFILE_CPERFEVENTS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The door to perf_event_open(2). In C because struct perf_event_attr is made of bit fields, which Swift does not
// import, because the call has no wrapper in glibc, and because the ring's head and tail need acquire and release.

/// What a sampling event watches.
struct cperf_request {
    /// A thread, or -1 for whatever runs on the CPU, which needs CAP_PERFMON or kernel.perf_event_paranoid <= 0.
    pid_t pid;
    int cpu;
    /// Not zero: no samples. The event counts CPU time, and so do those inherited from it, each of which leaves a
    /// record of its count when its thread ends.
    int is_counter;
    /// Not zero: one sample of the thread alone, as soon as it has run for a period after cperf_refresh.
    int is_glimpse;
    /// Between two samples: nanoseconds of CPU time, or, with `counts_cycles`, cycles of the CPU.
    uint64_t period;
    /// Not zero: the hardware's cycles are counted instead of the CPU clock. ENOENT where there is no such counter.
    int counts_cycles;
    /// Bytes of user stack copied with each sample: a multiple of 8.
    uint32_t stack_bytes;
    /// Not zero: samples carry the chain of frame pointers, as the kernel walks it.
    int has_chain;
    /// Bytes in the ring after which poll(2) reports it readable.
    uint32_t wakeup_bytes;
    /// Not zero: poll(2) reports the ring readable with each sample instead, and records say when threads get the CPU and
    /// lose it.
    int wakes_readers;
    /// Not zero: no records of mappings, names, forks, ends and counts, which other events leave.
    int samples_only;
    /// Not zero: the event starts when the process calls exec. Zero: cperf_enable starts it.
    int enable_on_exec;
    /// Not zero: interrupts that hit kernel code are sampled too. Needs kernel.perf_event_paranoid <= 1.
    int includes_kernel;
    /// Not zero: mapping records carry build identifiers (Linux 5.12).
    int build_ids;
};

/// Opens an event with the user's registers and stack, with records for mappings, names, forks and exits, on
/// CLOCK_MONOTONIC. An event of a thread is inherited by threads and children, and each leaves a record of its count when
/// its thread ends; one of a CPU skips the idle loop. Returns a close-on-exec descriptor, or -errno.
int cperf_open(const struct cperf_request *_Nonnull request);
/// Counts the calling thread's own cycles while it computes for some nanoseconds: how fast this machine is now. Returns
/// 0 and both counts, or -errno.
int cperf_measure_cycles(uint64_t nanoseconds, uint64_t *_Nonnull cycles, uint64_t *_Nonnull took);
/// What stands before the user's part of a call chain (enum perf_callchain_context).
uint64_t cperf_user_chain_mark(void);
/// The identifier that records of an event, and of those inherited from it, carry. Returns 0, or -errno.
int cperf_identifier(int descriptor, uint64_t *_Nonnull identifier);
/// Lets an event of `is_glimpse` take one further sample. Returns 0, or -errno.
int cperf_refresh(int descriptor);
/// What an event and those inherited from it have counted: nanoseconds of CPU time, of a sampling event of the CPU clock
/// and of a counter. Returns 0, or -errno.
int cperf_count(int descriptor, uint64_t *_Nonnull count);
/// Starts or stops an event and those inherited from it. Return 0, or -errno.
int cperf_enable(int descriptor);
int cperf_disable(int descriptor);
/// Sends an event's records to the ring of another event on the same CPU. Returns 0, or -errno.
int cperf_redirect(int descriptor, int ring_descriptor);

/// The registers that a sample carries, as a count of 64-bit words in the kernel's order.
enum { cperf_register_count =
#if defined(__x86_64__)
    17
#elif defined(__aarch64__)
    33
#else
#error "no register layout for this architecture"
#endif
};

/// Maps a ring: one control page and `data_bytes`, a power of two of whole pages. Returns 0, or -errno.
int cperf_map_ring(int descriptor, size_t data_bytes, void *_Nullable *_Nonnull control, void *_Nullable *_Nonnull data);
void cperf_unmap_ring(void *_Nonnull control, size_t data_bytes);
/// Up to where the kernel has written, in bytes since the ring began. Acquires what was written.
uint64_t cperf_head(const void *_Nonnull control);
/// Up to where the reader of the ring has read: the kernel may overwrite the bytes before it. Acquires it.
uint64_t cperf_tail(const void *_Nonnull control);
/// Sets up to where we have read. Releases the bytes before it to the kernel.
void cperf_set_tail(void *_Nonnull control, uint64_t tail);
/// The size of a page in bytes.
size_t cperf_page_size(void);

#endif
