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

struct python_set;

/// What one thread runs.
struct python_position {
    /// Where its executions are counted; NULL for none of a Python function.
    struct python_set *set;
    /// Whether the function may be another one than when it was last looked at.
    int must_look;
    /// The interpreter's structure of the thread; 0 while there is none.
    uint64_t state;
    /// The frame and the code that were last found.
    uint64_t frame, code;
    /// What led there: the newest frame, and its word that holds the code. Their pages could be read, and that of what leads
    /// to the frame, when memory had been unmapped so many times.
    uint64_t top, top_code, record_page;
    uint32_t generation;
    /// The sets of this thread by the code's address, in open addressing.
    struct python_set **sets;
    uint32_t size, used;
};

extern struct python_position positions[MAXIMUM_LANES];
/// The interpreter's loop: an empty range while no interpreter is known.
extern uint64_t python_loop, python_loop_end;

/// A file is mapped: it may hold an interpreter.
void python_notice(const char *path, uint64_t start, uint64_t offset);
/// Finds out what a thread runs. Its lane is at the newest edge.
void python_look(unsigned number);
/// The interpreter's loop is entered: by a thread that may be another one to the interpreter than before.
void python_enter_loop(unsigned number);
/// The page of a set for a block; NULL where there is no place.
struct python_page *python_page(struct python_set *set, uint32_t block);
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
    /// What tells one code object from another at the same address.
    uint64_t file, name, lines;
    uint32_t first_line;
    uint32_t code, thread;
    uint64_t epoch;
    uint32_t groups;
    struct python_page **pages;
};

/// How many times memory has been unmapped, from 1.
extern uint32_t python_generation;
/// The offsets of the interpreter's version, once they are known.
extern struct python_layout python_layout;

/// Whether a thread runs what it ran when it was last looked at: a few words of known memory say so.
static inline int python_is_same(const struct python_position *position) {
    if (position->generation != python_generation) return 0;
    uint64_t at = *(const uint64_t *)(position->state + (uint64_t)python_layout.top_frame);
    if (python_layout.cframe_current >= 0) {
        at += (uint64_t)python_layout.cframe_current;
        if (at >> 12 != position->record_page) return 0;
        at = *(const uint64_t *)at;
    }
    return at == position->top &&
           *(const uint64_t *)(at + (uint64_t)python_layout.frame_code) == position->top_code;
}

static inline int python_is_loop(uint64_t address) { return address - python_loop < python_loop_end - python_loop; }

/// Counts an execution of a block.
static inline void python_count(unsigned number, uint32_t block) {
    struct python_position *position = &positions[number];
    if (position->must_look) {
        position->must_look = 0;
        if (!python_is_same(position)) python_look(number);
    }
    struct python_set *set = position->set;
    if (set != NULL) {
        uint32_t group = block / 64;
        struct python_page *page = group < set->groups ? set->pages[group] : NULL;
        if (__builtin_expect(page == NULL, 0)) page = python_page(set, block);
        if (page != NULL) {
            page->counts[block % 64]++;
            return;
        }
    }
    lanes[number]->counts[block]++;
}

#endif
