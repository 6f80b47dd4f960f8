#define _GNU_SOURCE
#include "CInstructionCounter.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edges.h"
#include "ending.h"
#include "emulator.h"
#include "maps.h"
#include "programs.h"
#include "python.h"
#include "table.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = 1;

static struct pending pending[MAXIMUM_LANES];
/// The thread that is about to fork. Only one does at a time: the emulator holds its locks meanwhile.
static pid_t forking_thread;

/// Whether the process has, or ever had, more than one thread.
static int has_threads;
/// Whether code that is translated now may still be there when it has: the emulator throws away what it has translated when
/// the first thread is made or memory is shared with other processes, whichever comes first, and never again.
static int stays_for_threads;

/// In bytes.
enum { LONGEST_INSTRUCTION = 15 };

/// Counts an execution of a block of a process that may have threads. Called for every block that runs, so it does nothing else.
static void on_block(unsigned vcpu, void *block) {
    struct lane *lane = lanes[vcpu % MAXIMUM_LANES];
    if (__builtin_expect(lane == NULL || lane->epoch != shared->epoch, 0)) lane = table_enter(vcpu);
    lane->counts[(uintptr_t)block]++;
}

/// The lane of a virtual CPU whose thread is at the newest edge.
static struct lane *lane_of(unsigned vcpu) {
    struct lane *lane = lanes[vcpu % MAXIMUM_LANES];
    if (__builtin_expect(lane != NULL && lane->epoch == shared->epoch, 1)) return lane;
    lane = table_enter(vcpu);
    python_edge(vcpu % MAXIMUM_LANES);
    return lane;
}

/// The same in a process that runs Python: counted for the function that runs, too. These are for one thread, whose edges are
/// noticed at system calls, and whose lane is the first.
static void on_python_block(unsigned vcpu, void *place) {
    (void)vcpu;
    python_count(0, (uintptr_t)place);
}

/// A block of the interpreter's loop, where another function may have begun to run; or it ends with this block.
static void on_loop_block(unsigned vcpu, void *place) {
    (void)vcpu;
    python_count_in_loop(0, (uintptr_t)place);
}

static void on_loop_entry(unsigned vcpu, void *place) {
    python_enter_loop(0, 1);
    on_loop_block(vcpu, place);
}

static void on_python_block_of_threads(unsigned vcpu, void *place) {
    if (has_threads) lane_of(vcpu);
    python_count(vcpu % MAXIMUM_LANES, (uintptr_t)place);
}

static void on_loop_block_of_threads(unsigned vcpu, void *place) {
    if (has_threads) lane_of(vcpu);
    python_count_in_loop(vcpu % MAXIMUM_LANES, (uintptr_t)place);
}

static void on_loop_entry_of_threads(unsigned vcpu, void *place) {
    if (has_threads) lane_of(vcpu);
    python_enter_loop(vcpu % MAXIMUM_LANES, !has_threads);
    python_count_in_loop(vcpu % MAXIMUM_LANES, (uintptr_t)place);
}

static void register_python_block(struct qemu_plugin_tb *code, uint64_t address, uint32_t number) {
    // Blocks of a process of one thread are all counted in the first lane.
    table_only_lane();
    void *place = (void *)(uintptr_t)python_place(number);
    void (*callback)(unsigned, void *) = stays_for_threads ? on_python_block_of_threads : on_python_block;
    if (address == python_loop)
        callback = stays_for_threads ? on_loop_entry_of_threads : on_loop_entry;
    else if (python_is_loop(address))
        callback = stays_for_threads ? on_loop_block_of_threads : on_loop_block;
    qemu_plugin_register_vcpu_tb_exec_cb(code, callback, QEMU_PLUGIN_CB_NO_REGS, place);
}

/// A block for which the table has no place: its instructions are counted, its code is not known.
static void on_nameless_block(unsigned vcpu, void *instructions) {
    struct lane *lane = lane_of(vcpu);
    lane->counts[0] += (uintptr_t)instructions;
}

/// The emulator knows the program's path only once it has loaded it.
static void name_program(void) {
    const char *program = qemu_plugin_path_to_binary();
    snprintf(header->program, sizeof header->program, "%s", program ? program : "?");
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *code) {
    (void)id;
    uint8_t sizes[4096];
    size_t count = qemu_plugin_tb_n_insns(code);
    if (count == 0) return;
    if (header->program[0] == 0) name_program();
    uint64_t address = qemu_plugin_tb_vaddr(code), end = address;
    uint32_t number = 0;
    if (count <= sizeof sizes) {
        for (size_t index = 0; index < count; index++) {
            sizes[index] = (uint8_t)qemu_plugin_insn_size(qemu_plugin_tb_get_insn(code, index));
            end += sizes[index];
        }
        number = table_block(address, maps_number(address), (uint32_t)count, sizes);
        if (count == 1 && address >> 12 != (end - 1) >> 12) table_crosses(address);
        uint64_t last = end - sizes[count - 1];
        if (count > 1 && last % 4096 > 4096 - LONGEST_INSTRUCTION) table_ends_with_page(number, last);
    }
    if (python_loop_end != 0 && number != 0) {
        register_python_block(code, address, number);
    } else if (!stays_for_threads) {
        // A process of one thread counts without a call. Others' edges it notices at the beginning or end of a call.
        uint64_t *counter = &table_only_lane()->counts[number];
        qemu_plugin_register_vcpu_tb_exec_inline(code, QEMU_PLUGIN_INLINE_ADD_U64, counter, number ? 1 : count);
    } else if (number)
        qemu_plugin_register_vcpu_tb_exec_cb(code, on_block, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)number);
    else
        qemu_plugin_register_vcpu_tb_exec_cb(code, on_nameless_block, QEMU_PLUGIN_CB_NO_REGS, (void *)(uintptr_t)count);
}

/// Whether a call makes a process that gets a copy of this one's memory. The emulator makes of vfork a fork.
static int is_fork(int64_t number, uint64_t flags) {
#ifdef SYS_fork
    if (number == SYS_fork || number == SYS_vfork) return 1;
#endif
    return number == SYS_clone && (!(flags & CLONE_VM) || flags & CLONE_VFORK);
}

static void on_call(
    qemu_plugin_id_t id, unsigned vcpu, int64_t number, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
    uint64_t a6, uint64_t a7, uint64_t a8) {
    (void)id, (void)a7, (void)a8;
    struct lane *lane = lane_of(vcpu);
    if (number >= 0 && number < MAXIMUM_CALLS) lane->calls[number]++;
    const uint64_t arguments[6] = {a1, a2, a3, a4, a5, a6};
    edges_enter(&pending[vcpu % MAXIMUM_LANES], number, arguments);
    if (number == SYS_clone && (a1 & CLONE_VM) && !(a1 & CLONE_VFORK)) has_threads = stays_for_threads = 1;
    if (number == SYS_shmat || (number == SYS_mmap && (a4 & MAP_SHARED))) stays_for_threads = 1;
    if (number == SYS_exit && has_threads) {
        python_leave(vcpu % MAXIMUM_LANES);
        table_leave(vcpu);
        ending_begin();
    }
    if (has_threads && is_fork(number, a1)) ending_wait();
    if (number == SYS_execve) programs_execute((const char *)a1, (char *const *)a2, (char *const *)a3);
    if (number == SYS_execveat && (int)a1 == AT_FDCWD && a5 == 0)
        programs_execute((const char *)a2, (char *const *)a3, (char *const *)a4);
}

static void on_return(qemu_plugin_id_t id, unsigned vcpu, int64_t number, int64_t result) {
    (void)id, (void)number;
    edges_leave(&pending[vcpu % MAXIMUM_LANES], result);
    // An edge, our own or one that came while we waited, lies here: the program has run nothing since the call began.
    if (lanes[vcpu % MAXIMUM_LANES] != NULL) lane_of(vcpu);
}

static void before_fork(void) { forking_thread = gettid(); }
static void after_fork_in_child(void) {
    table_fork((uint32_t)forking_thread);
    python_fork();
    ending_fork();
}

EXPORTED int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv) {
    (void)info;
    const char *directory = NULL;
    uint32_t parent = 0, thread = 0;
    for (int index = 0; index < argc; index++) {
        if (strncmp(argv[index], "directory=", 10) == 0) directory = argv[index] + 10;
        if (strncmp(argv[index], "parent=", 7) == 0) parent = (uint32_t)strtoul(argv[index] + 7, NULL, 10);
        if (strncmp(argv[index], "thread=", 7) == 0) thread = (uint32_t)strtoul(argv[index] + 7, NULL, 10);
    }
    if (directory == NULL || table_open(directory, parent, thread) != 0) {
        fprintf(stderr, "instruction-counter: cannot write to '%s'\n", directory ? directory : "");
        return -1;
    }
    pthread_atfork(before_fork, NULL, after_fork_in_child);
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_call);
    qemu_plugin_register_vcpu_syscall_ret_cb(id, on_return);
    return 0;
}
