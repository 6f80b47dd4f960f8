#ifndef FREEZE_PROFILE_CLIBUNWIND_H
#define FREEZE_PROFILE_CLIBUNWIND_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// The door to libunwind's remote unwinding. In C because its names are macros, because the table search it needs
// is exported without a header, and because it calls back for every word of memory: no Swift runs in that path.

/// A part of an ELF image that its file fills.
struct cunwind_segment {
    uint64_t address, file_offset, size;
};

/// Parts of an open file, read when they are wanted. For one thread at a time.
struct cunwind_pages;

/// Pages of a file of so many bytes, of which at most a number is kept; NULL where there is no memory. The file stays the
/// caller's, and open.
struct cunwind_pages *_Nullable cunwind_pages_create(int file, uint64_t byte_count, uint32_t limit);
void cunwind_pages_destroy(struct cunwind_pages *_Nullable pages);

/// What an unwinder needs of an ELF image. The caller keeps its pointers valid for as long as it is used.
struct cunwind_image {
    /// The image's bytes, where they are in memory.
    const uint8_t *_Nullable bytes;
    /// Its file, where they are not.
    struct cunwind_pages *_Nullable pages;
    const struct cunwind_segment *_Nullable segments;
    size_t segment_count;
    /// The sorted table of call-frame information: pairs of signed 32-bit offsets (function, its FDE) from
    /// `table_base`. All are addresses of the image. A count of 0 means there is none.
    uint64_t table_base, table_address, table_count;
    /// The table's bytes where they are not in the file but built by us; they then appear at `table_address`.
    const uint8_t *_Nullable built_table;
    /// A second table with its entries, made by us of what the file has elsewhere: all of it lies in `made_bytes` of memory,
    /// which appear at `made_address`. Its offsets count from there. A count of 0 means there is none.
    const uint8_t *_Nullable made;
    uint64_t made_address, made_bytes, made_table_address, made_table_count;
    /// Where a process that runs the image begins; 0 for none.
    uint64_t entry;
};

/// Executable memory of a process.
struct cunwind_module {
    uint64_t start, end;
    /// What the loader added to the image's addresses; 0 without an image.
    uint64_t bias;
    const struct cunwind_image *_Nullable image;
};

/// Which registers of a thread are known.
enum cunwind_known {
    cunwind_known_all,
    /// The stack pointer and the program counter, as of a thread that was not stopped.
    cunwind_known_position,
    /// These, and the registers that hold the arguments of the system call that it is in.
    cunwind_known_position_and_arguments,
};

/// A stopped moment of a thread.
struct cunwind_sample {
    /// In the order of the kernel's sample records.
    const uint64_t *_Nonnull registers;
    /// Memory from `red_zone_bytes` below the stack pointer upwards.
    const uint8_t *_Nullable stack;
    uint64_t stack_bytes, red_zone_bytes;
    /// Not zero: more stack lies above than was copied.
    int is_stack_cut;
    enum cunwind_known known;
    /// Code addresses by the chain of frame pointers, leaf first, where the kernel walked the whole stack.
    const uint64_t *_Nullable chain;
    size_t chain_length;
};

/// One frame of a stack.
struct cunwind_frame {
    uint64_t address;
    /// Index of the module that holds it; UINT32_MAX for none.
    uint32_t module;
    uint32_t flags;
    /// The stack pointer in this frame: where its callee's part of the stack ends. 0 where it is not known.
    uint64_t stack_pointer;
};
enum {
    /// The address is of the instruction that was to run next, not of one after a call.
    cunwind_frame_is_exact = 1,
    /// The address was found without call-frame information.
    cunwind_frame_is_guessed = 2,
    /// The address lies beyond the copied stack and was found in the chain of frame pointers. Also guessed.
    cunwind_frame_is_spliced = 4,
};

/// How a walk ended.
enum cunwind_end {
    /// At the thread's first function.
    cunwind_end_complete,
    /// At the end of the copied stack.
    cunwind_end_truncated,
    /// At the limit of frames.
    cunwind_end_frame_limit,
    /// Where the stack pointer no longer grew.
    cunwind_end_loop,
    /// Where no further frame could be found.
    cunwind_end_failed,
};

/// An address space: one process's modules and what libunwind remembers of them.
struct cunwind_space;
/// Creates an address space that remembers up to `cache_rows` unwind rows, rounded up to a power of two. NULL when
/// out of memory.
struct cunwind_space *_Nullable cunwind_space_create(size_t cache_rows);
void cunwind_space_destroy(struct cunwind_space *_Nonnull space);
/// Sets the process and its modules, sorted by start. The modules must stay valid until set again.
void cunwind_space_set_modules(
    struct cunwind_space *_Nonnull space, pid_t pid, const struct cunwind_module *_Nullable modules, size_t count);
/// Forgets all remembered rows.
void cunwind_space_flush(struct cunwind_space *_Nonnull space);

/// Walks a sample's stack, leaf first. Returns the number of frames written. Where the copied stack ends too soon, the
/// chain of frame pointers goes on if it passes through the last frame found: such frames are marked as spliced, and the
/// walk still counts as truncated unless the chain leads to the program's beginning.
size_t cunwind_walk(
    struct cunwind_space *_Nonnull space, const struct cunwind_sample *_Nonnull sample,
    struct cunwind_frame *_Nonnull frames, size_t capacity, enum cunwind_end *_Nonnull end);

#endif
