#define _GNU_SOURCE
#include "internal.h"

#include <stdlib.h>
#include <string.h>

// Exported by the library, declared in none of its headers (L10).
extern int UNW_OBJ(dwarf_search_unwind_table)(
    unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int, void *);

const struct cunwind_module *module_of(const struct cunwind_space *space, uint64_t address) {
    size_t low = 0, high = space->module_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (space->modules[middle].end <= address) low = middle + 1;
        else high = middle;
    }
    if (low == space->module_count || address < space->modules[low].start) return NULL;
    return &space->modules[low];
}

size_t image_bytes(const struct cunwind_image *image, uint64_t address, size_t wanted, const uint8_t **bytes) {
    uint64_t table_bytes = image->table_count * 8;
    if (image->built_table && address - image->table_address < table_bytes) {
        uint64_t within = address - image->table_address;
        *bytes = image->built_table + within;
        return table_bytes - within < wanted ? table_bytes - within : wanted;
    }
    if (image->made && address - image->made_address < image->made_bytes) {
        uint64_t within = address - image->made_address;
        *bytes = image->made + within;
        return image->made_bytes - within < wanted ? image->made_bytes - within : wanted;
    }
    for (size_t index = 0; index < image->segment_count; index++) {
        const struct cunwind_segment *segment = &image->segments[index];
        uint64_t within = address - segment->address;
        if (within >= segment->size) continue;
        if (segment->size - within < wanted) wanted = segment->size - within;
        // The caller has checked that the segments lie inside the file, as it was when it was opened.
        if (image->pages) return page_bytes(image->pages, segment->file_offset + within, wanted, bytes);
        if (!image->bytes) return 0;
        *bytes = image->bytes + segment->file_offset + within;
        return wanted;
    }
    return 0;
}

bool read_stack(struct cunwind_space *space, uint64_t address, uint64_t *value) {
    uint64_t within = address - space->stack_start;
    if (space->stack_bytes >= 8 && within <= space->stack_bytes - 8) {
        memcpy(value, space->stack + within, 8);
        return true;
    }
    // Stacks are seldom larger than 64 MiB; what lies further off is no stack address.
    if (address >= space->stack_start && within < 64u << 20) space->wants_more_stack = true;
    return false;
}

static bool read_image(const struct cunwind_module *module, uint64_t address, uint64_t *value) {
    const uint8_t *bytes;
    if (!module || !module->image) return false;
    size_t count = image_bytes(module->image, address - module->bias, 8, &bytes);
    if (count == 0) return false;
    // libunwind reads aligned words of which it may want only the first bytes: the end of a segment is no error.
    *value = 0;
    memcpy(value, bytes, count);
    return true;
}

static int access_memory(unw_addr_space_t as, unw_word_t address, unw_word_t *value, int write, void *argument) {
    (void)as;
    struct cunwind_space *space = argument;
    if (write) return -UNW_EINVAL;
    uint64_t within = address - space->stack_start;
    if (space->stack_bytes >= 8 && within <= space->stack_bytes - 8) {
        memcpy(value, space->stack + within, 8);
        return 0;
    }
    // Only what the file says, never the process's live memory: it runs on while we look (L1).
    if (read_image(space->current, address, value)) return 0;
    if (read_image(module_of(space, address), address, value)) return 0;
    return read_stack(space, address, value) ? 0 : -UNW_EINVAL;
}

/// Whether a register holds an argument of a system call.
static bool is_argument(unw_regnum_t number) {
#if defined(__x86_64__)
    return number == UNW_X86_64_RDI || number == UNW_X86_64_RSI || number == UNW_X86_64_RDX ||
           (number >= UNW_X86_64_R8 && number <= UNW_X86_64_R10);
#else
    return number < 6;
#endif
}

static int access_register(unw_addr_space_t as, unw_regnum_t number, unw_word_t *value, int write, void *argument) {
    (void)as;
    struct cunwind_space *space = argument;
    if (number < 0 || number >= register_capacity) return -UNW_EBADREG;
    if (write) return -UNW_EREADONLYREG;
    // What is not known must not be computed with.
    bool is_known = space->knows_registers || number == UNW_REG_SP || number == (int)program_counter ||
                    (space->knows_arguments && is_argument(number));
    if (!is_known) return -UNW_EBADREG;
    *value = space->registers[number];
    return 0;
}

static int access_float(unw_addr_space_t as, unw_regnum_t number, unw_fpreg_t *value, int write, void *argument) {
    (void)as, (void)number, (void)value, (void)write, (void)argument;
    return -UNW_EBADREG;
}

struct table {
    uint64_t base, address, count;
};

static int search_table(
    unw_addr_space_t as, unw_word_t address, const struct cunwind_module *module, const struct table *table,
    unw_proc_info_t *procedure, int wants_information, void *argument) {
    unw_dyn_info_t information;
    memset(&information, 0, sizeof information);
    // A failed assertion in the library would end us: the range has to hold the address (L11).
    information.start_ip = module->start;
    information.end_ip = module->end;
    information.format = UNW_INFO_FORMAT_REMOTE_TABLE;
    information.u.rti.segbase = module->bias + table->base;
    information.u.rti.table_data = module->bias + table->address;
    information.u.rti.table_len = table->count * 8 / sizeof(unw_word_t);
    return UNW_OBJ(dwarf_search_unwind_table)(as, address, &information, procedure, wants_information, argument);
}

static int find_procedure(
    unw_addr_space_t as, unw_word_t address, unw_proc_info_t *procedure, int wants_information, void *argument) {
    struct cunwind_space *space = argument;
    const struct cunwind_module *module = module_of(space, address);
    // Not -UNW_ENOINFO: libunwind would then guess by itself, and say nothing of it (L12, L14). L18: entering the
    // search without a table is what crashes it.
    if (!module || !module->image) return -UNW_EUNSPEC;
    space->current = module;
    const struct cunwind_image *image = module->image;
    const struct table tables[] = {
        {image->table_base, image->table_address, image->table_count},
        {image->made_address, image->made_table_address, image->made_table_count},
    };
    for (size_t index = 0; index < sizeof tables / sizeof *tables; index++)
        if (tables[index].count &&
            search_table(as, address, module, &tables[index], procedure, wants_information, argument) >= 0)
            return 0;
    return -UNW_EUNSPEC;
}

static void put_information(unw_addr_space_t as, unw_proc_info_t *procedure, void *argument) {
    (void)as, (void)procedure, (void)argument;
}

static int find_dynamic_list(unw_addr_space_t as, unw_word_t *address, void *argument) {
    (void)as, (void)address, (void)argument;
    return -UNW_ENOINFO;
}

static int refuse_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *argument) {
    (void)as, (void)cursor, (void)argument;
    return -UNW_EINVAL;
}

static int refuse_name(
    unw_addr_space_t as, unw_word_t address, char *name, size_t size, unw_word_t *offset, void *argument) {
    (void)as, (void)address, (void)name, (void)size, (void)offset, (void)argument;
    return -UNW_EINVAL;
}

struct cunwind_space *cunwind_space_create(size_t cache_rows) {
    static unw_accessors_t accessors = {
        .find_proc_info = find_procedure,
        .put_unwind_info = put_information,
        .get_dyn_info_list_addr = find_dynamic_list,
        .access_mem = access_memory,
        .access_reg = access_register,
        .access_fpreg = access_float,
        .resume = refuse_resume,
        .get_proc_name = refuse_name,
    };
    struct cunwind_space *space = calloc(1, sizeof *space);
    if (!space) return NULL;
    space->libunwind = unw_create_addr_space(&accessors, 0);
    space->row_bits = 7;
    while (space->row_bits < 20 && (size_t)1 << space->row_bits < cache_rows) space->row_bits++;
    // Zero pages until used, so a large cache costs a short-lived process nothing.
    space->rows = calloc((size_t)1 << space->row_bits, sizeof *space->rows);
    space->generation = 1;
    // Its own cache takes a lock for each frame and blocks all signals meanwhile: two system calls, more than all
    // the rest of a step. Rows are remembered here instead, where one thread alone uses them (L7 to L9).
    if (!space->libunwind || !space->rows || unw_set_caching_policy(space->libunwind, UNW_CACHE_NONE) != 0) {
        cunwind_space_destroy(space);
        return NULL;
    }
    return space;
}

void cunwind_space_destroy(struct cunwind_space *space) {
    if (space->libunwind) unw_destroy_addr_space(space->libunwind);
    free(space->rows);
    free(space);
}

void cunwind_space_set_modules(
    struct cunwind_space *space, pid_t pid, const struct cunwind_module *modules, size_t count) {
    space->pid = pid;
    space->modules = modules;
    space->module_count = count;
    space->current = NULL;
    forget_code(space);
}

void cunwind_space_flush(struct cunwind_space *space) { space->generation++; }

static int keep_row(void *token, void *state, size_t size, unw_word_t start, unw_word_t end) {
    struct row *row = token;
    if (row->address < start || row->address >= end || size > sizeof row->state) return 1;
    memcpy(row->state, state, size);
    row->size = (uint32_t)size;
    return 1;
}

const struct row *find_row(struct cunwind_space *space, uint64_t address) {
    uint64_t slot = (address * 0x9E3779B97F4A7C15) >> (64 - space->row_bits);
    struct row *row = &space->rows[slot];
    if (row->address != address || row->generation != space->generation) {
        row->address = address;
        row->generation = space->generation;
        row->size = 0;
        // A cursor of its own, which stands at just this address; what else it has does not matter.
        unw_cursor_t cursor;
        uint64_t kept = space->registers[program_counter];
        space->registers[program_counter] = address;
        if (unw_init_remote(&cursor, space->libunwind, space) != 0 ||
            unw_reg_states_iterate(&cursor, keep_row, row) < 0)
            row->size = 0;
        space->registers[program_counter] = kept;
    }
    return row->size > 0 ? row : NULL;
}

uint64_t procedure_start(struct cunwind_space *space, uint64_t address) {
    unw_cursor_t cursor;
    unw_proc_info_t procedure;
    uint64_t kept = space->registers[program_counter];
    space->registers[program_counter] = address;
    uint64_t start = 0;
    if (module_of(space, address) && unw_init_remote(&cursor, space->libunwind, space) == 0 &&
        unw_get_proc_info(&cursor, &procedure) == 0 && procedure.start_ip <= address && address < procedure.end_ip)
        start = procedure.start_ip;
    space->registers[program_counter] = kept;
    return start;
}
