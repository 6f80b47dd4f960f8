// The count table: one file a process, mapped and shared, so that it survives whatever ends the process. All numbers are
// in the machine's own byte order.
#ifndef TABLE_H
#define TABLE_H

#include <stdint.h>

#define TABLE_MAGIC 0x31544e554f435046u /* "FPCOUNT1" */
#define MAXIMUM_BLOCKS (1u << 20)
#define MAXIMUM_SIZES (1u << 24)
#define MAXIMUM_MAPPINGS (1u << 20)
/// Threads at one time that are distinguished. Later ones share a lane with earlier ones, and the table says so.
#define MAXIMUM_LANES 512u
#define MAXIMUM_CALLS 512

enum table_flags {
    /// More blocks, sizes or mappings than the table holds: totals are right, functions are not all named.
    TABLE_OVERFLOWED = 1,
    /// More threads at one time than lanes: counts may be too low.
    LANES_SHARED = 2,
    /// More functions of Python than there is place for: the rest stands under the interpreter's functions.
    PYTHON_OVERFLOWED = 4,
    /// An interpreter of Python whose structures are not known.
    PYTHON_REFUSED = 8,
};

#define PYTHON_LAYOUTS 16
#define PYTHON_WORDS 96

/// Where the fields of one version of CPython are: offsets, or from 3.13 on which words of its beginning hold them. -1 for
/// what there is not.
struct python_layout {
    int32_t minor, is_words;
    int32_t interpreter_head, interpreter_next, threads_head;
    int32_t thread_next, thread_interpreter, thread_identity, top_frame;
    int32_t frame_code, frame_previous, frame_owner;
    int32_t code_file, code_name, code_line, code_table;
    int32_t object_type, text_length, text_state, text_ascii;
    // These are never words.
    /// Whether a thread's identity is the kernel's.
    int32_t identity_is_native;
    /// Within what `top_frame` points at, the frame; -1 where it is the frame.
    int32_t cframe_current;
    int32_t code_is_tagged;
    /// By how much later the characters of texts begin that are not all ASCII.
    int32_t text_other;
};

/// The beginning of the file, `HEADER_BYTES` long.
struct header {
    uint64_t magic;
    uint32_t serial, pid;
    /// The table of the process that forked this one, or that this one was before it called exec; 0 for none.
    uint32_t parent;
    /// The thread that did so.
    uint32_t parent_thread;
    /// The parent's blocks and mappings up to these numbers are this one's too: fork copies the translated code.
    uint32_t inherited_blocks, inherited_mappings;
    uint64_t first_epoch;
    uint32_t blocks, mappings;
    uint64_t sizes_used, mappings_used;
    uint32_t lanes, flags;
    char program[4096];
};

/// A basic block: instructions that are executed in a row.
struct block {
    uint64_t address;
    /// Which line of the mappings the address is in, from 1; 0 for memory without a file.
    uint32_t mapping;
    uint32_t instructions;
};

/// What one thread has done since the last edge that it noticed.
struct lane {
    uint64_t epoch;
    uint32_t thread, unused;
    uint32_t calls[MAXIMUM_CALLS];
    /// Executions of each block. The first is of instructions, in blocks that found no place.
    uint64_t counts[MAXIMUM_BLOCKS];
};

#define HEADER_BYTES 8192u
#define LANE_BYTES ((sizeof(struct lane) + 4095u) / 4096u * 4096u)
#define BLOCKS_OFFSET ((uint64_t)HEADER_BYTES)
#define SIZES_OFFSET (BLOCKS_OFFSET + sizeof(struct block) * MAXIMUM_BLOCKS)
#define MAPPINGS_OFFSET (SIZES_OFFSET + MAXIMUM_SIZES)
#define LANES_OFFSET (MAPPINGS_OFFSET + MAXIMUM_MAPPINGS)

/// What all processes of a run share: the file `shared` of the directory.
struct shared {
    /// Raised at each edge.
    uint64_t epoch;
    uint32_t next_serial;
    /// Processes that could not make a table.
    uint32_t uncounted;
    /// How further programs are emulated, written before the run.
    char emulator[4096], plugin[4096], cpu[256];
    struct python_layout layouts[PYTHON_LAYOUTS];
};

extern struct shared *shared;
extern struct header *header;

/// Opens the directory's shared file, and makes the first table of this process. Returns 0, or -1.
int table_open(const char *directory, uint32_t parent, uint32_t parent_thread);
/// The directory that was opened.
const char *table_directory(void);
/// Makes a table of its own for a process that fork has just made.
void table_fork(uint32_t parent_thread);
/// The lane of a process that has one thread. Its address stays the same, also through fork: translated code holds it.
struct lane *table_only_lane(void);
/// The lane of a virtual CPU whose thread is at the newest edge.
struct lane *table_enter(unsigned vcpu);
/// The thread of a virtual CPU ends.
void table_leave(unsigned vcpu);
/// A lane, nil before it is first entered.
extern struct lane *lanes[MAXIMUM_LANES];
/// The number of a block, 0 where there is no place for it.
uint32_t table_block(uint64_t address, uint32_t mapping, uint32_t instructions, const uint8_t *sizes);
/// The emulator ends a block before an instruction that reaches into the next page, and lists it nevertheless, as far as
/// it was read. It is a block of its own, which comes next: then the one before has an instruction less.
void table_ends_with_page(uint32_t number, uint64_t last_instruction);
void table_crosses(uint64_t address);
/// The highest number of a block so far.
uint32_t table_blocks(void);
/// How often a block was executed.
struct executions {
    uint32_t block;
    uint64_t count;
};
/// Adds a record to the log: of a thread up to the end of an epoch, for a Python function or 0. `calls` may be null;
/// blocks are in order. Returns 0, or -1 where it cannot be written.
int table_log(
    uint32_t thread, uint64_t epoch, uint32_t code, const uint32_t *calls, const struct executions *list, uint32_t count);
/// Makes a file of a length, and maps it; NULL where that is not possible.
void *table_map_file(const char *path, uint64_t length);
void table_unmap_file(void *memory, uint64_t length);
/// Takes note of a line of /proc/self/maps; its number, 0 where there is no place for it.
uint32_t table_mapping(const char *line, uint32_t length);
/// Notes an edge, or something else that is worth knowing; edges raise the epoch.
void table_note(const char *kind, const char *content, uint32_t length, int is_edge);

#endif
