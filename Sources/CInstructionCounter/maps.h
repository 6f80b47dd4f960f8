// Which file the code at an address is of. Used while a block is translated, which the emulator does one at a time.
#ifndef MAPS_H
#define MAPS_H

#include <stdint.h>

/// Code may have been mapped or unmapped.
void maps_changed(void);
/// The number of the noted mapping that holds an address; 0 for memory without a file.
uint32_t maps_number(uint64_t address);

#endif
