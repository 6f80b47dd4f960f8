// Threads that have begun to end. The emulator takes them apart after the program's other threads have heard of it, and a
// process that is forked meanwhile may get a copy of a lock that no thread of its own will release.
#ifndef ENDING_H
#define ENDING_H

/// The calling thread ends.
void ending_begin(void);
/// Waits until the threads that have begun to end are gone, for two seconds at most.
void ending_wait(void);
/// This process has just been made by fork: it has no such threads.
void ending_fork(void);

#endif
