#ifndef FREEZE_PROFILE_CLIBUNWIND_INTERNAL_H
#define FREEZE_PROFILE_CLIBUNWIND_INTERNAL_H

#include "CLibunwind.h"

#include <libunwind.h>
#include <stdbool.h>

/// The most registers of any architecture served, in libunwind's numbering.
enum { register_capacity = 33 };
/// What libunwind 1.6 needs for a row: 19 and 98 registers with a word and a byte each.
#if defined(__x86_64__)
enum { row_capacity = 240 };
#else
enum { row_capacity = 1008 };
#endif
/// The register of the instruction to run next. Not UNW_REG_IP: on aarch64 that is the link register, which after a step
/// holds the same, but at the beginning does not.
#if defined(__x86_64__)
enum { program_counter = UNW_X86_64_RIP };
#else
enum { program_counter = UNW_AARCH64_PC };
#endif
/// Code read from a live process, for code that no file describes.
enum { code_window = 32, code_before = 8, code_cache_size = 256 };

/// How much of a file is read at once, and how much of the next page with it, so that what is wanted lies together.
enum { page_size = 16 << 10, page_overlap = 64 };

struct code_bytes {
    uint64_t address;
    /// Readable bytes of the window; 0 when the memory could not be read.
    uint32_t count;
    uint8_t bytes[code_window];
};

/// How to get from a code address to its caller: libunwind's own record, opaque, or that there is none.
struct row {
    uint64_t address;
    uint32_t generation;
    /// Bytes of `state` in use; 0 when the address has no call-frame information.
    uint32_t size;
    uint8_t state[row_capacity];
};

struct cunwind_space {
    unw_addr_space_t libunwind;
    /// A direct-mapped cache of 2^row_bits rows. Rows of an older generation are forgotten.
    struct row *rows;
    unsigned row_bits;
    uint32_t generation;
    pid_t pid;
    const struct cunwind_module *modules;
    size_t module_count;

    // The walk in progress.
    uint64_t registers[register_capacity];
    const uint8_t *stack;
    uint64_t stack_start, stack_bytes;
    /// The module whose call-frame information was looked up last: libunwind reads there next.
    const struct cunwind_module *current;
    /// Set when memory above the copied stack was wanted.
    bool wants_more_stack;
    /// Whether other registers than the stack pointer and the program counter were known at the start.
    bool knows_registers;
    /// Whether the registers of a system call's arguments were.
    bool knows_arguments;

    struct code_bytes code[code_cache_size];
};

/// The module that holds an address, or NULL.
const struct cunwind_module *module_of(const struct cunwind_space *space, uint64_t address);
/// Bytes of a file at an offset: how many there are up to `wanted`, at most `page_overlap`, and where, until the next call.
size_t page_bytes(struct cunwind_pages *pages, uint64_t offset, size_t wanted, const uint8_t **bytes);
/// Bytes of an image's file at an address of the image: how many there are up to `wanted`, and where.
size_t image_bytes(const struct cunwind_image *image, uint64_t address, size_t wanted, const uint8_t **bytes);
/// The row of a code address, remembered or looked up; NULL where there is no call-frame information.
const struct row *find_row(struct cunwind_space *space, uint64_t address);
/// Where the function that holds an address begins, by its call-frame information; 0 where there is none.
uint64_t procedure_start(struct cunwind_space *space, uint64_t address);
/// Reads a word of the copied stack.
bool read_stack(struct cunwind_space *space, uint64_t address, uint64_t *value);
/// Code around an address, from the file or from the live process: how many bytes there are from `address - before`.
size_t read_code(struct cunwind_space *space, uint64_t address, size_t before, uint8_t *buffer, size_t wanted);
void forget_code(struct cunwind_space *space);

/// Whether the code at an address returns from a signal handler.
bool is_signal_return(struct cunwind_space *space, const struct cunwind_module *module, uint64_t address);
/// Whether an address lies in code, just after a call instruction.
bool follows_call(struct cunwind_space *space, uint64_t address);
/// Lets the chain of frame pointers go on where a walk was cut. Returns the new number of frames.
size_t splice_chain(
    struct cunwind_space *space, const struct cunwind_sample *sample, struct cunwind_frame *frames, size_t count,
    size_t capacity, enum cunwind_end *end);
/// Whether an address of a module belongs to the first instructions of a program, which are never called.
bool is_entry(const struct cunwind_module *module, uint64_t address);

/// Looks through the stack for the frame record of a function whose frame pointer is not known. What it finds is likely:
/// a return address after a call of just this function, with a frame pointer before it.
bool find_frame_record(struct cunwind_space *space, uint64_t address);

/// How a frame without call-frame information was left behind.
enum guess { guess_none, guess_certain, guess_likely, guess_end };
/// Replaces the registers of a frame without call-frame information by those of its caller.
enum guess guess_caller(struct cunwind_space *space, uint64_t address, bool is_exact);
/// Replaces the registers of a signal trampoline without call-frame information by the interrupted ones.
bool restore_signal_registers(struct cunwind_space *space);

#endif
