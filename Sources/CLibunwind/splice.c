#include "internal.h"

/// Where a walk's frames and a chain of frame pointers part: the place in the chain after the last common frame, which has
/// to be the walk's last one; 0 when the chain passes it by.
///
/// The walk has every frame up to where the copy ends; the chain leaves some out, where functions keep no frame pointer,
/// and goes on beyond. So the chain is followed through the walk in order, until it has an address that the walk has not.
static size_t parting(const struct cunwind_sample *sample, const struct cunwind_frame *frames, size_t count) {
    size_t frame = 0, taken = 0;
    for (; taken < sample->chain_length; taken++) {
        size_t next = frame;
        while (next < count && frames[next].address != sample->chain[taken]) next++;
        if (next == count) break;
        frame = next + 1;
    }
    // Both begin where the thread was caught: that alone says nothing.
    return frame == count && taken > 1 ? taken : 0;
}

size_t splice_chain(
    struct cunwind_space *space, const struct cunwind_sample *sample, struct cunwind_frame *frames, size_t count,
    size_t capacity, enum cunwind_end *end) {
    size_t next = count > 1 ? parting(sample, frames, count) : 0;
    if (next == 0) return count;
    for (; next < sample->chain_length && count < capacity; next++) {
        uint64_t address = sample->chain[next];
        // Code without frame pointers uses their register for other things, which are no return addresses.
        if (!follows_call(space, address)) break;
        const struct cunwind_module *module = module_of(space, address - 1);
        frames[count++] = (struct cunwind_frame){
            .address = address,
            .module = (uint32_t)(module - space->modules),
            .flags = cunwind_frame_is_guessed | cunwind_frame_is_spliced,
        };
        if (is_entry(module, address)) {
            *end = cunwind_end_complete;
            break;
        }
    }
    return count;
}
