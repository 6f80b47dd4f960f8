#define _GNU_SOURCE
#include "internal.h"

#include <string.h>
#include <sys/uio.h>

void forget_code(struct cunwind_space *space) { memset(space->code, 0, sizeof space->code); }

static const struct code_bytes *live_code(struct cunwind_space *space, uint64_t address) {
    struct code_bytes *entry = &space->code[(address >> 1) % code_cache_size];
    if (entry->address == address) return entry;
    entry->address = address;
    struct iovec ours = {entry->bytes, code_window};
    struct iovec theirs = {(void *)(address - code_before), code_window};
    ssize_t count = process_vm_readv(space->pid, &ours, 1, &theirs, 1, 0);
    entry->count = count < 0 ? 0 : (uint32_t)count;
    return entry;
}

size_t read_code(struct cunwind_space *space, uint64_t address, size_t before, uint8_t *buffer, size_t wanted) {
    const struct cunwind_module *module = module_of(space, address);
    if (!module || before > code_before) return 0;
    if (module->image) {
        const uint8_t *bytes;
        size_t count = image_bytes(module->image, address - before - module->bias, wanted, &bytes);
        memcpy(buffer, count ? bytes : buffer, count);
        return count;
    }
    // Code that a run-time compiler wrote has no file. Unlike a stack it stays as it is while the process runs.
    const struct code_bytes *code = live_code(space, address);
    size_t skipped = code_before - before;
    if (code->count <= skipped) return 0;
    size_t count = code->count - skipped < wanted ? code->count - skipped : wanted;
    memcpy(buffer, code->bytes + skipped, count);
    return count;
}

#if defined(__x86_64__)

bool is_signal_return(struct cunwind_space *space, const struct cunwind_module *module, uint64_t address) {
    // mov $15, %rax; syscall. By its bytes: musl's trampoline has no 'S' in its augmentation (L15).
    static const uint8_t pattern[] = {0x48, 0xC7, 0xC0, 0x0F, 0, 0, 0, 0x0F, 0x05};
    const uint8_t *bytes;
    (void)space;
    return module && module->image &&
           image_bytes(module->image, address - module->bias, sizeof pattern, &bytes) == sizeof pattern &&
           memcmp(bytes, pattern, sizeof pattern) == 0;
}

bool restore_signal_registers(struct cunwind_space *space) {
    // At the trampoline the stack pointer points at the ucontext; its general registers begin after uc_flags,
    // uc_link and uc_stack, in this order (sys/ucontext.h).
    static const uint8_t order[] = {
        UNW_X86_64_R8,  UNW_X86_64_R9,  UNW_X86_64_R10, UNW_X86_64_R11, UNW_X86_64_R12, UNW_X86_64_R13,
        UNW_X86_64_R14, UNW_X86_64_R15, UNW_X86_64_RDI, UNW_X86_64_RSI, UNW_X86_64_RBP, UNW_X86_64_RBX,
        UNW_X86_64_RDX, UNW_X86_64_RAX, UNW_X86_64_RCX, UNW_X86_64_RSP, UNW_X86_64_RIP,
    };
    uint64_t context = space->registers[UNW_X86_64_RSP] + 40;
    uint64_t values[sizeof order];
    for (size_t index = 0; index < sizeof order; index++)
        if (!read_stack(space, context + index * 8, &values[index])) return false;
    for (size_t index = 0; index < sizeof order; index++) space->registers[order[index]] = values[index];
    return true;
}

bool follows_call(struct cunwind_space *space, uint64_t address) {
    uint8_t code[8];
    if (!module_of(space, address - 1)) return false;
    // The bytes before belong to the same mapping but for its first few.
    if (read_code(space, address, 8, code, 8) != 8) return false;
    if (code[3] == 0xE8) return true;
    // call *r/m: FF /2 with 0, 1 or 4 bytes of displacement, and perhaps an index byte.
    static const int starts[] = {6, 5, 4, 2, 1};
    for (size_t index = 0; index < sizeof starts / sizeof *starts; index++)
        if (code[starts[index]] == 0xFF && ((code[starts[index] + 1] >> 3) & 7) == 2) return true;
    return false;
}

/// Where the direct call before a return address leads; 0 where it is an indirect one or none.
static uint64_t call_target(struct cunwind_space *space, uint64_t address) {
    uint8_t code[5];
    int32_t distance;
    if (read_code(space, address, 5, code, 5) != 5 || code[0] != 0xE8) return 0;
    memcpy(&distance, code + 1, 4);
    return address + (uint64_t)(int64_t)distance;
}

/// Whether a direct call leads to the function that holds an address, for code where no table says where functions
/// begin: from its target on there is no return before the address.
static bool calls_function_of(struct cunwind_space *space, uint64_t caller, uint64_t address, bool *has_frame_pointer) {
    enum { longest = 4096, piece = 24 };
    uint64_t target = call_target(space, caller);
    if (target == 0 || target > address || address - target > longest) return false;
    for (uint64_t at = target; at < address; at += piece) {
        uint8_t code[piece];
        size_t wanted = address - at < piece ? (size_t)(address - at) : (size_t)piece;
        if (read_code(space, at, 0, code, wanted) != wanted || memchr(code, 0xC3, wanted)) return false;
    }
    // push %rbp, perhaps after endbr64.
    uint8_t code[5] = {0};
    size_t count = read_code(space, target, 0, code, sizeof code);
    static const uint8_t landing[] = {0xF3, 0x0F, 0x1E, 0xFA};
    size_t first = count == sizeof code && memcmp(code, landing, sizeof landing) == 0 ? sizeof landing : 0;
    *has_frame_pointer = code[first] == 0x55 && address > target + first;
    return true;
}

bool find_frame_record(struct cunwind_space *space, uint64_t address) {
    enum { furthest = 256 << 10 };
    uint64_t *registers = space->registers, sp = registers[UNW_X86_64_RSP];
    uint64_t start = procedure_start(space, address);
    for (uint64_t record = (sp + 7) & ~(uint64_t)7; record - sp < furthest; record += 8) {
        uint64_t outer, caller, further;
        if (!read_stack(space, record + 8, &caller)) return false;
        if (!read_stack(space, record, &outer) || !follows_call(space, caller)) continue;
        bool has_frame_pointer;
        uint64_t target = call_target(space, caller);
        bool is_called = start ? target == start : calls_function_of(space, caller, address, &has_frame_pointer);
        // An indirect call, or one through a linkage table, shows nothing: then the chain has to go on from there.
        bool leads_on = outer > record && outer % 8 == 0 && read_stack(space, outer + 8, &further) &&
                        follows_call(space, further);
        bool is_other = target != 0 && start != 0 && target != start && module_of(space, target) == module_of(space, start) &&
                        procedure_start(space, target) == target;
        if (!is_called && (!leads_on || is_other)) continue;
        registers[UNW_X86_64_RIP] = caller;
        registers[UNW_X86_64_RSP] = record + 16;
        registers[UNW_X86_64_RBP] = outer;
        return true;
    }
    return false;
}

/// Follows straight-line code that does nothing but take down its frame and return. What it finds is certain.
static bool follow_epilogue(struct cunwind_space *space, uint64_t address) {
    // The encoding's register numbers in libunwind's.
    static const uint8_t numbers[] = {
        UNW_X86_64_RAX, UNW_X86_64_RCX, UNW_X86_64_RDX, UNW_X86_64_RBX, UNW_X86_64_RSP, UNW_X86_64_RBP,
        UNW_X86_64_RSI, UNW_X86_64_RDI, UNW_X86_64_R8,  UNW_X86_64_R9,  UNW_X86_64_R10, UNW_X86_64_R11,
        UNW_X86_64_R12, UNW_X86_64_R13, UNW_X86_64_R14, UNW_X86_64_R15,
    };
    uint8_t code[24];
    size_t count = read_code(space, address, 0, code, sizeof code), at = 0;
    uint64_t registers[register_capacity];
    memcpy(registers, space->registers, sizeof registers);
    uint64_t *sp = &registers[UNW_X86_64_RSP];
    while (at + 7 <= count) {
        const uint8_t *next = code + at;
        if (next[0] == 0xC3 || (next[0] == 0xF3 && next[1] == 0xC3)) {
            if (!read_stack(space, *sp, &registers[UNW_X86_64_RIP])) return false;
            *sp += 8;
            memcpy(space->registers, registers, sizeof registers);
            return true;
        }
        if (next[0] == 0x48 && next[1] == 0x83 && next[2] == 0xC4) {
            *sp += (uint64_t)(int64_t)(int8_t)next[3];
            at += 4;
        } else if (next[0] == 0x48 && next[1] == 0x81 && next[2] == 0xC4) {
            int32_t distance;
            memcpy(&distance, next + 3, 4);
            *sp += (uint64_t)(int64_t)distance;
            at += 7;
        } else if ((next[0] & 0xF8) == 0x58 || (next[0] == 0x41 && (next[1] & 0xF8) == 0x58)) {
            int is_extended = next[0] == 0x41;
            uint64_t value;
            if (!read_stack(space, *sp, &value)) return false;
            *sp += 8;
            registers[numbers[(next[is_extended] & 7) + 8 * is_extended]] = value;
            at += 1 + (size_t)is_extended;
        } else if (next[0] == 0xC9) {
            *sp = registers[UNW_X86_64_RBP];
            if (!read_stack(space, *sp, &registers[UNW_X86_64_RBP])) return false;
            *sp += 8;
            at += 1;
        } else {
            return false;
        }
    }
    return false;
}

enum guess guess_caller(struct cunwind_space *space, uint64_t address, bool is_exact) {
    // Perf trampolines of run-time compilers have no call-frame information but such an end (L25).
    if (follow_epilogue(space, address)) return guess_certain;
    uint64_t *registers = space->registers;
    uint64_t sp = registers[UNW_X86_64_RSP], bp = registers[UNW_X86_64_RBP], caller, outer;
    // A leaf that has pushed nothing, such as the code after a system call (L23). A word at the stack pointer that looks
    // like a return address is as often left over from a call that is long done: the call has to be of this function.
    bool has_frame_pointer = false;
    if (is_exact && read_stack(space, sp, &caller) && calls_function_of(space, caller, address, &has_frame_pointer) &&
        !has_frame_pointer) {
        registers[UNW_X86_64_RIP] = caller;
        registers[UNW_X86_64_RSP] = sp + 8;
        return guess_likely;
    }
    if (!space->knows_registers && find_frame_record(space, address)) {
        space->knows_registers = true;
        return guess_likely;
    }
    // The chain of frame pointers, without libunwind's limit of 16 KiB a frame (L13).
    if (bp < sp || bp % 8 != 0 || !read_stack(space, bp, &outer) || !read_stack(space, bp + 8, &caller))
        return guess_none;
    if (caller == 0) return guess_end;
    // Interpreters of run-time compilers jump to what they have pushed: their code need not follow a call.
    const struct cunwind_module *module = module_of(space, caller);
    bool is_written_at_run_time = module && !module->image && outer > bp;
    if (!is_written_at_run_time && !follows_call(space, caller)) return guess_none;
    registers[UNW_X86_64_RIP] = caller;
    registers[UNW_X86_64_RSP] = bp + 16;
    registers[UNW_X86_64_RBP] = outer;
    return guess_likely;
}

#else

bool is_signal_return(struct cunwind_space *space, const struct cunwind_module *module, uint64_t address) {
    // mov x8, #139; svc #0
    static const uint8_t pattern[] = {0x68, 0x11, 0x80, 0xD2, 0x01, 0, 0, 0xD4};
    const uint8_t *bytes;
    (void)space;
    return module && module->image &&
           image_bytes(module->image, address - module->bias, sizeof pattern, &bytes) == sizeof pattern &&
           memcmp(bytes, pattern, sizeof pattern) == 0;
}

bool restore_signal_registers(struct cunwind_space *space) {
    // At the trampoline the stack pointer points at siginfo, 128 bytes, and the ucontext, whose registers x0 to x30, sp
    // and pc follow after 176 bytes and the fault address (sys/ucontext.h).
    uint64_t context = space->registers[UNW_AARCH64_SP] + 128 + 176 + 8;
    uint64_t values[register_capacity];
    for (size_t index = 0; index < register_capacity; index++)
        if (!read_stack(space, context + index * 8, &values[index])) return false;
    for (size_t index = 0; index < register_capacity; index++) space->registers[index] = values[index];
    return true;
}

bool follows_call(struct cunwind_space *space, uint64_t address) {
    uint32_t code;
    uint8_t bytes[4];
    if (!module_of(space, address - 1) || read_code(space, address, 4, bytes, 4) != 4) return false;
    memcpy(&code, bytes, 4);
    // bl, and blr with or without pointer authentication.
    return (code & 0xFC000000) == 0x94000000 || (code & 0xFFFFFC1F) == 0xD63F0000 || (code & 0xFEFFF800) == 0xD63F0800;
}

bool find_frame_record(struct cunwind_space *space, uint64_t address) {
    (void)space, (void)address;
    return false;
}

enum guess guess_caller(struct cunwind_space *space, uint64_t address, bool is_exact) {
    (void)address, (void)is_exact;
    // The chain of frame records: the outer record's address, and the address to return to.
    uint64_t *registers = space->registers;
    uint64_t record = registers[UNW_AARCH64_X29], caller, outer;
    if (record < registers[UNW_AARCH64_SP] || record % 8 != 0 || !read_stack(space, record, &outer) ||
        !read_stack(space, record + 8, &caller))
        return guess_none;
    if (caller == 0) return guess_end;
    if (!follows_call(space, caller)) return guess_none;
    registers[program_counter] = caller;
    registers[UNW_AARCH64_SP] = record + 16;
    registers[UNW_AARCH64_X29] = outer;
    return guess_likely;
}

#endif
