#define _GNU_SOURCE
#include "python.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "interpreter.h"

struct python_position positions[MAXIMUM_LANES] = {[0 ... MAXIMUM_LANES - 1] = {.groups = python_no_groups}};
uint64_t *python_no_groups[PYTHON_GROUPS];
uint64_t **python_counters[MAXIMUM_LANES] = {[0 ... MAXIMUM_LANES - 1] = python_no_groups};
/// The groups of each lane's own counts, for what is of no function; made for lanes of Python only.
static uint64_t **lane_groups[MAXIMUM_LANES];

/// The file of pages: its first word is how many are used.
static uint64_t *pages_used;
static struct python_page *pages;
/// Pages of threads that have ended, each with the address of the next one in its first count.
static struct python_page *spare;
static uint32_t last_code;

// MARK: Memory of the program, which may be anything

enum { CHECKED = 256 };
static uint64_t checked[CHECKED];

uint32_t python_generation = 1;

void python_unmapped(void) {
    memset(checked, 0, sizeof checked);
    python_generation++;
}

/// Whether the page of an address can be read. The kernel is asked once for each.
static int is_readable(uint64_t address) {
    uint64_t page = address >> 12;
    if (checked[page % CHECKED] == page) return page != 0;
    if (page == 0 || page >> 35) return 0;
    // Of a way of masking that does not exist the kernel says so only after it has read the mask.
    int before = errno;
    int is_bad = syscall(SYS_rt_sigprocmask, ~0, page << 12, NULL, 8) != 0 && errno == EFAULT;
    errno = before;
    if (!is_bad) checked[page % CHECKED] = page;
    return !is_bad;
}

uint64_t python_word(uint64_t address) {
    if (address % 8 || !is_readable(address)) return 0;
    return *(const uint64_t *)address;
}

int python_read(uint64_t address, void *into, uint64_t length) {
    for (uint64_t page = address >> 12; page <= (address + length - 1) >> 12; page++)
        if (!is_readable(page << 12)) return -1;
    memcpy(into, (const void *)address, length);
    return 0;
}

// MARK: Counts

static int open_pages(void) {
    char path[4200];
    snprintf(path, sizeof path, "%s/python-%u", table_directory(), header->serial);
    char *memory = table_map_file(path, PYTHON_PAGES_OFFSET + (uint64_t)MAXIMUM_PYTHON_PAGES * sizeof(struct python_page));
    if (memory == NULL) return -1;
    pages_used = (uint64_t *)memory;
    pages = (struct python_page *)(memory + PYTHON_PAGES_OFFSET);
    return 0;
}

static int pages_lock;

static void lock_pages(void) {
    while (__atomic_exchange_n(&pages_lock, 1, __ATOMIC_ACQUIRE)) {
    }
}

static void unlock_pages(void) { __atomic_store_n(&pages_lock, 0, __ATOMIC_RELEASE); }

static struct python_page *take_page(void) {
    struct python_page *page = NULL;
    lock_pages();
    if (spare != NULL) {
        page = spare;
        spare = (struct python_page *)(uintptr_t)page->counts[0];
        page->counts[0] = 0;
    } else if ((pages != NULL || open_pages() == 0) && *pages_used < MAXIMUM_PYTHON_PAGES) {
        page = &pages[(*pages_used)++];
    }
    unlock_pages();
    return page;
}

static struct python_page *page_of(uint64_t *counts) {
    return (struct python_page *)((char *)counts - offsetof(struct python_page, counts));
}

/// The counts of a set for a block and those beside it; NULL where there is no place.
static uint64_t *counts_of(struct python_set *set, uint32_t block) {
    uint32_t group = block / 64;
    if (set->groups[group] != NULL) return set->groups[group];
    struct python_page *page = take_page();
    if (page == NULL) {
        __atomic_fetch_or(&header->flags, PYTHON_OVERFLOWED, __ATOMIC_RELAXED);
        return NULL;
    }
    page->epoch = set->epoch;
    page->thread = set->thread;
    page->group = group;
    page->code = set->code;
    return set->groups[group] = page->counts;
}

// MARK: Groups

/// Groups that are all NULL, of sets that are gone: the first entry leads to the next.
static uint64_t **spare_groups;

/// Groups that are all NULL. Most of their memory is never touched.
static uint64_t **take_groups(void) {
    enum { AT_A_TIME = 64 };
    static uint64_t **fresh;
    static uint32_t left;
    uint64_t **groups = NULL;
    lock_pages();
    if (spare_groups != NULL) {
        groups = spare_groups;
        spare_groups = (uint64_t **)groups[0];
        groups[0] = NULL;
    } else {
        if (left == 0) {
            size_t length = (size_t)AT_A_TIME * PYTHON_GROUPS * sizeof *fresh;
            void *memory =
                mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            fresh = memory == MAP_FAILED ? NULL : memory;
            left = fresh ? AT_A_TIME : 0;
        }
        if (left > 0) groups = fresh + (size_t)--left * PYTHON_GROUPS;
    }
    unlock_pages();
    return groups;
}

/// Gives groups back, of which those up to an end may be used.
static void give_groups_back(uint64_t **groups, uint32_t end) {
    memset(groups, 0, end * sizeof *groups);
    lock_pages();
    groups[0] = (uint64_t *)spare_groups;
    spare_groups = groups;
    unlock_pages();
}

/// Writes what a set has counted, and begins anew at an edge. What cannot be written is taken for the epoch that comes.
/// Returns whether all is written.
static int cut(struct python_set *set, uint64_t epoch) {
    uint32_t used = 0, at = 0, groups = table_blocks() / 64 + 1;
    int is_written = 1;
    for (uint32_t group = 0; group < groups; group++)
        for (uint32_t index = 0; set->groups[group] && index < 64; index++) used += set->groups[group][index] != 0;
    struct executions *list = used ? malloc(used * sizeof *list) : NULL;
    if (used > 0 && list == NULL) return 0;
    if (list != NULL) {
        for (uint32_t group = 0; group < groups; group++)
            for (uint32_t index = 0; set->groups[group] && index < 64; index++)
                if (set->groups[group][index])
                    list[at++] = (struct executions){group * 64 + index, set->groups[group][index]};
        is_written = table_log(set->thread, set->epoch, set->code, NULL, list, used) == 0;
        for (uint32_t group = 0; is_written && group < groups; group++)
            if (set->groups[group]) memset(set->groups[group], 0, 64 * sizeof set->groups[group][0]);
        free(list);
    }
    set->epoch = epoch;
    for (uint32_t group = 0; group < groups; group++)
        if (set->groups[group]) page_of(set->groups[group])->epoch = epoch;
    return is_written;
}

// MARK: Sets

static uint32_t place(const struct python_position *position, uint64_t address) {
    return (uint32_t)(address * 0x9e3779b97f4a7c15u >> 32) & (position->size - 1);
}

static int grow(struct python_position *position) {
    uint32_t old_size = position->size, size = old_size ? old_size * 2 : 256;
    struct python_set **old = position->sets, **sets = calloc(size, sizeof *sets);
    if (sets == NULL) return -1;
    position->sets = sets;
    position->size = size;
    for (uint32_t index = 0; index < old_size; index++) {
        if (old[index] == NULL) continue;
        uint32_t at = place(position, old[index]->address);
        while (sets[at]) at = (at + 1) & (size - 1);
        sets[at] = old[index];
    }
    free(old);
    return 0;
}

static int is_of(const struct python_set *set, const struct code *code) {
    return set->address == code->address && set->file == code->file && set->name == code->name &&
           set->lines == code->lines && set->first_line == code->first_line;
}

/// Takes note of a function by its names: `ID LINE WIDTH LENGTH WIDTH LENGTH`, a line's end, the file's name, the
/// function's, a line's end.
static uint32_t note(const struct code *code) {
    struct text file, name;
    if (interpreter_text(code->file, &file) != 0 || interpreter_text(code->name, &name) != 0) return 0;
    uint32_t number = __atomic_add_fetch(&last_code, 1, __ATOMIC_RELAXED);
    char *bytes = malloc(256 + file.length + name.length);
    if (bytes == NULL) return 0;
    int length = sprintf(
        bytes, "%u %u %u %u %u %u\n", number, code->first_line, file.width, file.length, name.width, name.length);
    if (python_read(file.address, bytes + length, file.length) != 0 ||
        python_read(name.address, bytes + length + file.length, name.length) != 0)
        number = 0;
    length += (int)(file.length + name.length);
    bytes[length++] = '\n';
    char path[4200];
    snprintf(path, sizeof path, "%s/codes-%u", table_directory(), header->serial);
    int out = number ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (out < 0 || write(out, bytes, (size_t)length) != length) number = 0;
    if (out >= 0) close(out);
    free(bytes);
    return number;
}

/// The set of a function on a thread; NULL where it cannot be named.
static struct python_set *set_of(struct python_position *position, const struct code *code) {
    if (position->used * 2 >= position->size && grow(position) != 0) return NULL;
    uint32_t at = place(position, code->address);
    while (position->sets[at]) {
        if (is_of(position->sets[at], code)) return position->sets[at];
        at = (at + 1) & (position->size - 1);
    }
    struct python_set *set = calloc(1, sizeof *set);
    uint64_t **groups = set ? take_groups() : NULL;
    if (groups == NULL) {
        free(set);
        return NULL;
    }
    *set = (struct python_set){
        .address = code->address, .file = code->file, .name = code->name, .lines = code->lines, .first_line = code->first_line,
        .groups = groups};
    set->code = note(code);
    set->thread = lanes[position - positions]->thread;
    set->epoch = lanes[position - positions]->epoch;
    position->sets[at] = set;
    position->used++;
    return set;
}

// MARK: What runs

/// The groups of a lane's own counts.
static uint64_t **groups_of_lane(unsigned number) {
    uint64_t **groups = lane_groups[number] ? lane_groups[number] : (lane_groups[number] = take_groups());
    if (groups == NULL) return python_no_groups;
    // A process made by fork has its lanes elsewhere.
    if (groups[0] != lanes[number]->counts)
        for (uint32_t group = 0; group < PYTHON_GROUPS; group++) groups[group] = lanes[number]->counts + (size_t)group * 64;
    return groups;
}

/// What runs has to be looked for before anything is counted.
static void forget(struct python_position *position) {
    position->generation = 0;
    position->frame = position->code = 0;
    position->set = NULL;
    position->groups = python_no_groups;
    python_counters[position - positions] = python_no_groups;
}

void python_look(unsigned number) {
    struct python_position *position = &positions[number];
    uint64_t frame = 0, address = 0;
    position->generation = 0;
    if (position->state != 0) interpreter_frame(position, &frame, &address);
    if (address == position->code && frame == position->frame && position->groups != python_no_groups) return;
    position->frame = frame;
    position->code = address;
    position->set = NULL;
    position->groups = groups_of_lane(number);
    struct code code;
    if (address == 0 || interpreter_code(address, &code) != 0) return;
    struct python_set *set = set_of(position, &code);
    if (set == NULL || set->code == 0) return;
    if (set->epoch != lanes[number]->epoch) (void)cut(set, lanes[number]->epoch);
    position->set = set;
    position->groups = set->groups;
}

void python_count_slowly(unsigned number, uint64_t place) {
    struct python_position *position = &positions[number];
    uint32_t block = (uint32_t)(place >> 32) / 8 * 64 + (uint32_t)place / 8;
    if (python_counters[number] == python_no_groups) {
        if (!python_is_same(position)) python_look(number);
        python_counters[number] = position->groups;
    }
    uint64_t *counts = position->set ? counts_of(position->set, block) : NULL;
    if (counts != NULL)
        counts[block % 64]++;
    else
        lanes[number]->counts[block]++;
}

void python_enter_loop(unsigned number, int is_only) {
    uint64_t state = interpreter_thread(lanes[number]->thread, is_only);
    if (state != positions[number].state) positions[number].generation = 0;
    positions[number].state = state;
}

void python_edge(unsigned number) { forget(&positions[number]); }

static void give_back(struct python_set *set) {
    uint32_t groups = table_blocks() / 64 + 1;
    lock_pages();
    for (uint32_t group = 0; group < groups; group++) {
        if (set->groups[group] == NULL) continue;
        struct python_page *page = page_of(set->groups[group]);
        page->code = 0;
        page->counts[0] = (uintptr_t)spare;
        spare = page;
    }
    unlock_pages();
}

void python_leave(unsigned number) {
    struct python_position *position = &positions[number];
    for (uint32_t index = 0; index < position->size; index++) {
        struct python_set *set = position->sets[index];
        if (set == NULL) continue;
        // What cannot be written stays where it is, and is read there.
        if (cut(set, set->epoch)) give_back(set);
        give_groups_back(set->groups, table_blocks() / 64 + 1);
        free(set);
    }
    free(position->sets);
    *position = (struct python_position){0};
    forget(position);
}

void python_fork(void) {
    // Nothing is given back to the allocator: another thread may have been about to do that when this process was made, and
    // left half of it done. Python says that a thread has ended before the thread is gone.
    for (uint32_t number = 0; number < MAXIMUM_LANES; number++) {
        // The interpreter's structure of the thread is a copy at the same address.
        positions[number] = (struct python_position){.state = positions[number].state};
        forget(&positions[number]);
    }
    if (pages_used)
        table_unmap_file(
            pages_used, PYTHON_PAGES_OFFSET + (uint64_t)MAXIMUM_PYTHON_PAGES * sizeof(struct python_page));
    pages_used = NULL;
    pages = NULL;
    spare = NULL;
    spare_groups = NULL;
    pages_lock = 0;
    last_code = 0;
}
