#define _GNU_SOURCE
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

// No descriptor is kept: they are numbered among the program's own, which may close or replace any of them.

struct shared *shared;
struct header *header;
struct lane *lanes[MAXIMUM_LANES];

static char directory_path[4096];
static struct block *blocks;
static uint8_t *sizes;
static char *mapping_lines;
/// Blocks by address, in open addressing: 0 is empty.
static uint32_t *index_of, index_size, index_used;
/// Blocks of this process and those it was forked with.
static struct block *known;
static uint32_t known_count = 1, known_size;

/// Maps a part of a file, over what is at an address unless that is null.
static void *map_file(const char *path, uint64_t offset, uint64_t length, int is_new, void *address) {
    int file = open(path, O_RDWR | O_CLOEXEC | (is_new ? O_CREAT | O_EXCL : 0), 0600);
    if (file < 0) return NULL;
    struct stat status;
    if (fstat(file, &status) == 0 && (uint64_t)status.st_size < offset + length && ftruncate(file, offset + length) != 0) {
        close(file);
        return NULL;
    }
    int flags = MAP_SHARED | MAP_NORESERVE | (address ? MAP_FIXED : 0);
    void *memory = mmap(address, length, PROT_READ | PROT_WRITE, flags, file, offset);
    close(file);
    return memory == MAP_FAILED ? NULL : memory;
}

void *table_map_file(const char *path, uint64_t length) { return map_file(path, 0, length, 1, NULL); }
void table_unmap_file(void *memory, uint64_t length) { munmap(memory, length); }

static void path_of(char path[static 4200], const char *kind, uint32_t serial) {
    snprintf(path, 4200, "%s/%s-%u", directory_path, kind, serial);
}

static int make_table(uint32_t parent, uint32_t parent_thread) {
    uint32_t serial = __atomic_add_fetch(&shared->next_serial, 1, __ATOMIC_RELAXED);
    char path[4200];
    path_of(path, "table", serial);
    char *memory = map_file(path, 0, LANES_OFFSET, 1, NULL);
    if (memory == NULL) {
        __atomic_add_fetch(&shared->uncounted, 1, __ATOMIC_RELAXED);
        return -1;
    }
    header = (struct header *)memory;
    blocks = (struct block *)(memory + BLOCKS_OFFSET);
    sizes = (uint8_t *)(memory + SIZES_OFFSET);
    mapping_lines = memory + MAPPINGS_OFFSET;
    header->serial = serial;
    header->pid = getpid();
    header->parent = parent;
    header->parent_thread = parent_thread;
    header->first_epoch = __atomic_load_n(&shared->epoch, __ATOMIC_ACQUIRE);
    header->magic = TABLE_MAGIC;
    return 0;
}

int table_open(const char *directory, uint32_t parent, uint32_t parent_thread) {
    snprintf(directory_path, sizeof directory_path, "%s", directory);
    char path[4200];
    snprintf(path, sizeof path, "%s/shared", directory);
    shared = map_file(path, 0, sizeof(struct shared), 0, NULL);
    return shared == NULL ? -1 : make_table(parent, parent_thread);
}

const char *table_directory(void) { return directory_path; }

static struct lane *make_lane(uint32_t number, void *address);

void table_fork(uint32_t parent_thread) {
    uint32_t parent = header->serial, inherited = header->inherited_blocks + header->blocks;
    uint32_t inherited_mappings = header->inherited_mappings + header->mappings;
    char program[sizeof header->program];
    memcpy(program, header->program, sizeof program);
    // The parent goes on counting in what is mapped here.
    munmap(header, LANES_OFFSET);
    void *only = lanes[0];
    for (uint32_t lane = 1; lane < MAXIMUM_LANES; lane++) {
        if (lanes[lane]) munmap(lanes[lane], LANE_BYTES);
        lanes[lane] = NULL;
    }
    if (make_table(parent, parent_thread) != 0) {
        // Counted into memory of its own, where it is lost: the shared file says so.
        header = mmap(NULL, LANES_OFFSET, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (header == MAP_FAILED) abort();
        blocks = (struct block *)((char *)header + BLOCKS_OFFSET);
        sizes = (uint8_t *)header + SIZES_OFFSET;
        mapping_lines = (char *)header + MAPPINGS_OFFSET;
        header->serial = parent;
    }
    header->inherited_blocks = inherited;
    header->inherited_mappings = inherited_mappings;
    memcpy(header->program, program, sizeof program);
    if (only) make_lane(0, only);
}

// MARK: Lanes

static char *put(char *at, uint64_t number) {
    while (number >= 128) {
        *at++ = (char)(number | 128);
        number >>= 7;
    }
    *at++ = (char)number;
    return at;
}

int table_log(
    uint32_t thread, uint64_t epoch, uint32_t code, const uint32_t *calls, const struct executions *list, uint32_t count) {
    uint32_t call_count = 0;
    for (uint32_t call = 0; calls && call < MAXIMUM_CALLS; call++) call_count += calls[call] != 0;
    char *buffer = malloc(64 + 15 * (size_t)count + 15 * (size_t)call_count), *at = buffer + 4;
    if (buffer == NULL) return -1;
    at = put(put(put(put(at, thread), epoch), code), call_count);
    for (uint32_t call = 0; calls && call < MAXIMUM_CALLS; call++)
        if (calls[call]) at = put(put(at, call), calls[call]);
    at = put(at, count);
    for (uint32_t index = 0, last = 0; index < count; index++) {
        at = put(put(at, list[index].block - last), list[index].count);
        last = list[index].block;
    }
    uint32_t length = at - buffer - 4;
    memcpy(buffer, &length, 4);
    char path[4200];
    path_of(path, "log", header->serial);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int is_written = file >= 0 && write(file, buffer, at - buffer) == at - buffer;
    if (file >= 0) close(file);
    free(buffer);
    return is_written ? 0 : -1;
}

/// Writes what a lane has counted, and begins anew. A record is its length in 4 bytes, then in LEB128 the thread, the
/// epoch, the Python function, pairs of system calls with their counts, and pairs of blocks (as differences) with theirs,
/// each list with its length first.
static void cut(struct lane *lane) {
    uint32_t end = header->inherited_blocks + header->blocks + 1, used = 0, calls = 0, at = 0;
    for (uint32_t block = 0; block < end; block++) used += lane->counts[block] != 0;
    for (uint32_t call = 0; call < MAXIMUM_CALLS; call++) calls += lane->calls[call] != 0;
    if (used == 0 && calls == 0) return;
    struct executions *list = malloc((used + 1) * sizeof *list);
    if (list == NULL) return;
    for (uint32_t block = 0; block < end && at < used; block++)
        if (lane->counts[block]) list[at++] = (struct executions){block, lane->counts[block]};
    // What cannot be written stays in the lane, and is taken for the epoch that comes.
    if (table_log(lane->thread, lane->epoch, 0, lane->calls, list, at) == 0) {
        memset(lane->calls, 0, sizeof lane->calls);
        memset(lane->counts, 0, end * sizeof lane->counts[0]);
    }
    free(list);
}

/// A lane of this process's table, over what is at an address unless that is null.
static struct lane *make_lane(uint32_t number, void *address) {
    char path[4200];
    path_of(path, "table", header->serial);
    struct lane *lane = map_file(path, LANES_OFFSET + number * (uint64_t)LANE_BYTES, LANE_BYTES, 0, address);
    if (lane == NULL) {
        __atomic_add_fetch(&shared->uncounted, 1, __ATOMIC_RELAXED);
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (address ? MAP_FIXED : 0);
        lane = mmap(address, LANE_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
        if (lane == MAP_FAILED) abort();
    }
    lanes[number] = lane;
    if (lane->thread == 0) {
        lane->thread = gettid();
        lane->epoch = __atomic_load_n(&shared->epoch, __ATOMIC_ACQUIRE);
    }
    uint32_t count = __atomic_load_n(&header->lanes, __ATOMIC_RELAXED);
    while (count <= number &&
           !__atomic_compare_exchange_n(&header->lanes, &count, number + 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return lane;
}

struct lane *table_only_lane(void) { return lanes[0] ? lanes[0] : make_lane(0, NULL); }

struct lane *table_enter(unsigned vcpu) {
    uint32_t number = vcpu % MAXIMUM_LANES;
    if (vcpu >= MAXIMUM_LANES) __atomic_fetch_or(&header->flags, LANES_SHARED, __ATOMIC_RELAXED);
    struct lane *lane = lanes[number];
    uint64_t epoch = __atomic_load_n(&shared->epoch, __ATOMIC_ACQUIRE);
    if (lane == NULL) {
        lane = make_lane(number, NULL);
    } else if (lane->thread) {
        cut(lane);
    }
    if (lane->thread == 0) lane->thread = gettid();
    lane->epoch = epoch;
    return lane;
}

void table_leave(unsigned vcpu) {
    struct lane *lane = lanes[vcpu % MAXIMUM_LANES];
    if (lane == NULL) return;
    cut(lane);
    lane->thread = 0;
    lane->epoch = UINT64_MAX;
}

// MARK: Blocks

static uint32_t place(uint64_t address, uint32_t mapping, uint32_t instructions) {
    uint64_t hash = (address ^ (uint64_t)mapping << 48 ^ (uint64_t)instructions << 40) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32) & (index_size - 1);
}

static int is_known(uint32_t number, uint64_t address, uint32_t mapping, uint32_t instructions) {
    const struct block *block = &known[number];
    return block->address == address && block->mapping == mapping && block->instructions == instructions;
}

static int grow(void) {
    uint32_t size = index_size ? index_size * 2 : 1u << 14;
    uint32_t *index = calloc(size, sizeof *index);
    struct block *blocks_known = realloc(known, (size_t)size * sizeof *known);
    if (blocks_known) known = blocks_known;
    if (index == NULL || blocks_known == NULL) {
        free(index);
        return -1;
    }
    free(index_of);
    index_of = index;
    index_size = known_size = size;
    for (uint32_t number = 1; number < known_count; number++) {
        uint32_t at = place(known[number].address, known[number].mapping, known[number].instructions);
        while (index_of[at]) at = (at + 1) & (index_size - 1);
        index_of[at] = number;
    }
    return 0;
}

uint32_t table_block(uint64_t address, uint32_t mapping, uint32_t instructions, const uint8_t *instruction_sizes) {
    if (index_used * 2 >= index_size && grow() != 0) return 0;
    uint32_t at = place(address, mapping, instructions);
    while (index_of[at]) {
        if (is_known(index_of[at], address, mapping, instructions)) return index_of[at];
        at = (at + 1) & (index_size - 1);
    }
    if (known_count >= MAXIMUM_BLOCKS || header->sizes_used + instructions > MAXIMUM_SIZES) {
        __atomic_fetch_or(&header->flags, TABLE_OVERFLOWED, __ATOMIC_RELAXED);
        return 0;
    }
    struct block block = {address, mapping, instructions};
    known[known_count] = block;
    blocks[header->blocks] = block;
    memcpy(sizes + header->sizes_used, instruction_sizes, instructions);
    header->sizes_used += instructions;
    __atomic_store_n(&header->blocks, header->blocks + 1, __ATOMIC_RELEASE);
    index_of[at] = known_count;
    index_used++;
    return known_count++;
}

uint32_t table_mapping(const char *line, uint32_t length) {
    if (header->mappings_used + length + 1 > MAXIMUM_MAPPINGS) {
        __atomic_fetch_or(&header->flags, TABLE_OVERFLOWED, __ATOMIC_RELAXED);
        return 0;
    }
    memcpy(mapping_lines + header->mappings_used, line, length);
    mapping_lines[header->mappings_used + length] = '\n';
    header->mappings_used += length + 1;
    header->mappings += 1;
    return header->inherited_mappings + header->mappings;
}

/// Instructions that reach into the next page, and blocks of which it is not known whether their last one does.
static uint64_t *crossing;
static struct page_end {
    uint64_t last_instruction;
    uint32_t number;
} *page_ends;
static uint32_t crossing_count, page_end_count;

static void take_last_away(uint32_t number) {
    uint32_t own = number - 1 - header->inherited_blocks;
    if (number > header->inherited_blocks && own < header->blocks && blocks[own].instructions == known[number].instructions)
        blocks[own].instructions--;
}

/// Makes room for one more in a list whose size grows by 256; the same list where there is no memory.
static void *with_room(void *list, uint32_t count, size_t size) {
    return count % 256 == 0 ? realloc(list, (count + 256) * size) : list;
}

void table_crosses(uint64_t address) {
    for (uint32_t index = 0; index < crossing_count; index++)
        if (crossing[index] == address) return;
    uint64_t *list = with_room(crossing, crossing_count, sizeof *crossing);
    if (list == NULL) return;
    crossing = list;
    crossing[crossing_count++] = address;
    for (uint32_t index = 0; index < page_end_count; index++)
        if (page_ends[index].last_instruction == address) take_last_away(page_ends[index].number);
}

void table_ends_with_page(uint32_t number, uint64_t last_instruction) {
    for (uint32_t index = 0; index < crossing_count; index++)
        if (crossing[index] == last_instruction) return take_last_away(number);
    for (uint32_t index = 0; index < page_end_count; index++)
        if (page_ends[index].number == number) return;
    struct page_end *list = with_room(page_ends, page_end_count, sizeof *page_ends);
    if (list == NULL) return;
    page_ends = list;
    page_ends[page_end_count++] = (struct page_end){last_instruction, number};
}

uint32_t table_blocks(void) { return header->inherited_blocks + header->blocks; }

// MARK: Notes

void table_note(const char *kind, const char *content, uint32_t length, int is_edge) {
    uint64_t epoch = is_edge ? __atomic_add_fetch(&shared->epoch, 1, __ATOMIC_ACQ_REL)
                             : __atomic_load_n(&shared->epoch, __ATOMIC_ACQUIRE);
    char path[4200], head[160];
    snprintf(path, sizeof path, "%s/notes", directory_path);
    int head_length = snprintf(
        head, sizeof head, "%s %llu %u %d %u\n", kind, (unsigned long long)epoch, header->serial, gettid(), length);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return;
    struct iovec pieces[] = {{head, head_length}, {(char *)content, length}, {"\n", 1}};
    if (writev(file, pieces, 3) < 0) __atomic_add_fetch(&shared->uncounted, 1, __ATOMIC_RELAXED);
    close(file);
}
