// Which Python function each instruction is executed for: the interpreter's own structures say so, and are read where it may
// have changed them.
#ifndef PYTHON_H
#define PYTHON_H

#include <stddef.h>
#include <stdint.h>

#include "table.h"

/// Executions of 64 blocks in a row while one Python function was the innermost of one thread. They lie one after the other
/// in the file `python-N` of a process, after its first page.
struct python_page {
    uint64_t epoch;
    uint32_t thread;
    /// Which record of `codes-N`, from 1; 0 for a page that is not used.
    uint32_t code;
    /// The first block's number divided by 64.
    uint32_t group, unused;
    uint64_t counts[64];
};

#define MAXIMUM_PYTHON_PAGES (1u << 19)
#define PYTHON_PAGES_OFFSET 4096u
#define PYTHON_GROUPS (MAXIMUM_BLOCKS / 64)

struct python_set;

/// What one thread runs.
struct __attribute__((aligned(128))) python_position {
    /// Words of the program that say what runs, and what they held when it was last looked at. They could be read when
    /// memory had been unmapped `generation` times; 0 where it has to be looked at anew.
    const uint64_t *watched[3];
    uint64_t held[3];
    uint32_t generation, unused;
    /// Where what was found is counted; `python_no_groups` before.
    uint64_t **groups;
    /// The function that was found; NULL for none of Python.
    struct python_set *set;
    /// The interpreter's structure of the thread; 0 while there is none.
    uint64_t state;
    /// The frame and the code that were last found.
    uint64_t frame, code;
    /// The sets of this thread by the code's address, in open addressing.
    struct python_set **sets;
    uint32_t size, used;
};

extern struct python_position positions[MAXIMUM_LANES];
/// The interpreter's loop: an empty range while no interpreter is known.
extern uint64_t python_loop, python_loop_end;

/// Finds out what a thread runs. Its lane is at the newest edge.
void python_look(unsigned number);
/// A file is mapped: it may hold an interpreter.
void python_notice(const char *path, uint64_t start, uint64_t offset);
/// The interpreter's loop is entered: by a thread that may be another one to the interpreter than before.
/// `is_only`: it has never had another one.
void python_enter_loop(unsigned number, int is_only);
/// A thread has come to another edge.
void python_edge(unsigned number);
/// A thread has ended.
void python_leave(unsigned number);
/// This process has just been made by fork.
void python_fork(void);
/// Memory may have been unmapped.
void python_unmapped(void);

struct python_set {
    uint64_t address;
    /// What distinguishes one code object from another at the same address.
    uint64_t file, name, lines;
    uint32_t first_line;
    uint32_t code, thread;
    uint64_t epoch;
    /// The counts of each 64 blocks in a row, `PYTHON_GROUPS` of them; NULL where no such block was executed.
    uint64_t **groups;
};

/// How many times memory has been unmapped, from 1.
extern uint32_t python_generation;
static inline int python_is_loop(uint64_t address) { return address - python_loop < python_loop_end - python_loop; }

/// Whether a thread runs what it ran when it was last looked at.
static inline int python_is_same(const struct python_position *position) {
    return position->generation == python_generation && *position->watched[0] == position->held[0] &&
           *position->watched[1] == position->held[1] && *position->watched[2] == position->held[2];
}

extern uint64_t *python_no_groups[PYTHON_GROUPS];
/// Where each virtual CPU counts now: for each 64 blocks in a row their counts, NULL where those are not known. It is
/// `python_no_groups`, all NULL, while the function has to be looked for. So counting takes three reads and no question.
extern uint64_t **python_counters[MAXIMUM_LANES];

/// Where a block is counted, in bytes: in groups, in the upper half, and in a group, in the lower one.
static inline uint64_t python_place(uint32_t block) { return (uint64_t)(block / 64 * 8) << 32 | block % 64 * 8; }
/// Counts an execution of a block whose counts are not known.
void python_count_slowly(unsigned number, uint64_t place);

static inline void python_count_among(unsigned number, uint64_t **groups, uint64_t place) {
    char *counts = *(char **)((char *)groups + (place >> 32));
    if (__builtin_expect(counts != NULL, 1))
        ++*(uint64_t *)(counts + (uint32_t)place);
    else
        python_count_slowly(number, place);
}

/// Counts an execution of a block.
static inline void python_count(unsigned number, uint64_t place) {
    python_count_among(number, python_counters[number], place);
}

/// Counts an execution of a block of the interpreter's loop, before and after which another function may have begun to run.
static inline void python_count_in_loop(unsigned number, uint64_t place) {
    struct python_position *position = &positions[number];
    if (__builtin_expect(!python_is_same(position), 0)) python_look(number);
    python_count_among(number, position->groups, place);
    python_counters[number] = python_no_groups;
}

#endif
