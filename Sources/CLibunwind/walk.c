#define _GNU_SOURCE
#include "internal.h"

static void load_registers(struct cunwind_space *space, const uint64_t *registers) {
#if defined(__x86_64__)
    // ax bx cx dx si di bp sp ip r8...r15, as enum perf_event_x86_regs has them.
    static const uint8_t order[] = {
        UNW_X86_64_RAX, UNW_X86_64_RBX, UNW_X86_64_RCX, UNW_X86_64_RDX, UNW_X86_64_RSI, UNW_X86_64_RDI,
        UNW_X86_64_RBP, UNW_X86_64_RSP, UNW_X86_64_RIP, UNW_X86_64_R8,  UNW_X86_64_R9,  UNW_X86_64_R10,
        UNW_X86_64_R11, UNW_X86_64_R12, UNW_X86_64_R13, UNW_X86_64_R14, UNW_X86_64_R15,
    };
    for (size_t index = 0; index < sizeof order; index++) space->registers[order[index]] = registers[index];
#else
    for (size_t index = 0; index < register_capacity; index++) space->registers[index] = registers[index];
#endif
}

/// Takes over the registers of a cursor's frame, so that it can be left by other means than libunwind's.
static void save_registers(struct cunwind_space *space, unw_cursor_t *cursor) {
    // The address is the last register on the architectures served.
    const int count = (int)program_counter + 1;
    uint64_t saved[register_capacity] = {0};
    for (int number = 0; number < count; number++) {
        unw_word_t value;
        // A register whose caller's value is lost keeps its last one; only ip and sp must be known.
        saved[number] = unw_get_reg(cursor, number, &value) == 0 ? value : space->registers[number];
    }
    // By the library's own name for it: see program_counter.
    unw_word_t address;
    if (unw_get_reg(cursor, UNW_REG_IP, &address) == 0) saved[program_counter] = address;
    for (int number = 0; number < count; number++) space->registers[number] = saved[number];
}

bool is_entry(const struct cunwind_module *module, uint64_t address) {
    // How long the code at an image's entry can be, up to where it calls a function.
    enum { entry_bytes = 64 };
    const struct cunwind_image *image = module->image;
    return image && image->entry && address - module->bias - image->entry < entry_bytes;
}

/// What one step came to.
enum step { step_to_caller, step_to_end, step_failed };

struct walk {
    struct cunwind_space *space;
    unw_cursor_t cursor;
    /// Whether the cursor stands for the frame; else the space's registers do.
    bool has_cursor;
    uint64_t address, stack_pointer;
    bool is_exact, is_guessed;
};

static enum step step_with_row(struct walk *walk, const struct row *row) {
    struct cunwind_space *space = walk->space;
    if (!walk->has_cursor && unw_init_remote(&walk->cursor, space->libunwind, space) != 0) return step_failed;
    walk->has_cursor = true;
    // libunwind only reads it, whatever its declaration says.
    int result = unw_apply_reg_state(&walk->cursor, (void *)row->state);
    if (result == 0) return step_to_end;
    unw_word_t address, stack_pointer;
    if (result < 0 || unw_get_reg(&walk->cursor, UNW_REG_IP, &address) != 0 ||
        unw_get_reg(&walk->cursor, UNW_REG_SP, &stack_pointer) != 0)
        return step_failed;
    walk->address = address;
    walk->stack_pointer = stack_pointer;
    walk->is_guessed = false;
    return address == 0 ? step_to_end : step_to_caller;
}

static enum step step_without_information(struct walk *walk, bool is_signal_return) {
    struct cunwind_space *space = walk->space;
    if (walk->has_cursor) save_registers(space, &walk->cursor);
    walk->has_cursor = false;
    if (is_signal_return) {
        if (!restore_signal_registers(space)) return step_failed;
        walk->is_guessed = false;
    } else {
        enum guess guess = guess_caller(space, walk->address, walk->is_exact);
        if (guess == guess_end) return step_to_end;
        if (guess == guess_none) return step_failed;
        walk->is_guessed = guess == guess_likely;
    }
    walk->address = space->registers[program_counter];
    walk->stack_pointer = space->registers[UNW_REG_SP];
    return walk->address == 0 ? step_to_end : step_to_caller;
}

/// Leaves a frame of which only the position is known by its record on the stack.
static enum step step_by_search(struct walk *walk) {
    struct cunwind_space *space = walk->space;
    if (walk->has_cursor) save_registers(space, &walk->cursor);
    walk->has_cursor = false;
    if (!find_frame_record(space, walk->is_exact ? walk->address : walk->address - 1)) return step_failed;
    // From here on the frame pointer is known; what else is not known, hardly any frame asks for.
    space->knows_registers = true;
    walk->is_guessed = true;
    walk->address = space->registers[program_counter];
    walk->stack_pointer = space->registers[UNW_REG_SP];
    return step_to_caller;
}

static enum step step(struct walk *walk, const struct cunwind_module *module, bool is_signal_return) {
#if defined(__aarch64__)
    // The vdso's call-frame information leads past the interrupted instruction to its caller.
    if (is_signal_return && step_without_information(walk, true) == step_to_caller) return step_to_caller;
#endif
    if (!module || !module->image) return step_without_information(walk, is_signal_return);
    // What a call returns to may belong to the next function already: the byte before does not.
    const struct row *row = find_row(walk->space, walk->is_exact ? walk->address : walk->address - 1);
    // A row may hold the address of an expression in the module's file.
    walk->space->current = module;
    if (row) {
        struct walk before = *walk;
        enum step outcome = step_with_row(walk, row);
        if (outcome != step_failed || walk->space->knows_registers) return outcome;
        // Its frame pointer is wanted, and nothing has saved it on the way: the stack may show it.
        *walk = before;
        return step_by_search(walk);
    }
    // Nothing calls the program's first instructions, and they seldom have call-frame information.
    if (is_entry(module, walk->address)) return step_to_end;
    return step_without_information(walk, is_signal_return);
}

static enum cunwind_end end_of_failure(const struct cunwind_space *space, const struct cunwind_sample *sample) {
    return sample->is_stack_cut && space->wants_more_stack ? cunwind_end_truncated : cunwind_end_failed;
}

size_t cunwind_walk(
    struct cunwind_space *space, const struct cunwind_sample *sample, struct cunwind_frame *frames, size_t capacity,
    enum cunwind_end *end) {
    load_registers(space, sample->registers);
    struct walk walk = {
        .space = space,
        .address = space->registers[program_counter],
        .stack_pointer = space->registers[UNW_REG_SP],
        .is_exact = true,
    };
    space->stack = sample->stack;
    space->stack_start = walk.stack_pointer - sample->red_zone_bytes;
    space->stack_bytes = sample->stack_bytes;
    space->current = NULL;
    space->wants_more_stack = false;
    space->knows_registers = sample->known == cunwind_known_all;
    space->knows_arguments = sample->known == cunwind_known_position_and_arguments;
    *end = cunwind_end_frame_limit;
    size_t count = 0;
    while (count < capacity) {
        const struct cunwind_module *module = module_of(space, walk.is_exact ? walk.address : walk.address - 1);
        // A caller outside all code is no caller: better an honest end than a bogus root.
        if (!module && count > 0) {
            *end = cunwind_end_failed;
            break;
        }
        bool is_signal_return_frame = is_signal_return(space, module, walk.address);
        // A handler "returns" to the first instruction of the trampoline: there the address is exact as well (L16).
        bool is_exact = walk.is_exact || is_signal_return_frame;
        frames[count++] = (struct cunwind_frame){
            .address = walk.address,
            .module = module ? (uint32_t)(module - space->modules) : UINT32_MAX,
            .flags = (is_exact ? cunwind_frame_is_exact : 0u) | (walk.is_guessed ? cunwind_frame_is_guessed : 0u),
            .stack_pointer = walk.stack_pointer,
        };
        uint64_t previous = walk.stack_pointer;
        enum step outcome = step(&walk, module, is_signal_return_frame);
        if (outcome == step_to_end) *end = cunwind_end_complete;
        if (outcome == step_failed) *end = end_of_failure(space, sample);
        if (outcome != step_to_caller) break;
        // Stacks grow downwards, so each caller's is higher; only a signal may have changed stacks (L17), and only the
        // innermost function may have its return address in a register and nothing on the stack, as vfork has.
        bool stands_still = walk.stack_pointer == previous && is_exact && walk.address != frames[count - 1].address;
        if (!is_signal_return_frame && !stands_still && walk.stack_pointer <= previous) {
            *end = cunwind_end_loop;
            break;
        }
        walk.is_exact = is_signal_return_frame;
    }
    return *end == cunwind_end_truncated ? splice_chain(space, sample, frames, count, capacity, end) : count;
}
