internal import CPtrace

extension cptrace_moment {
    /// Lends the registers in the kernel's order, with the stack pointer and the program counter.
    func withRegisters<Result>(_ body: (UnsafeRawPointer, UInt64, UInt64) -> Result) -> Result {
        withUnsafeBytes(of: registers) { bytes in
            // A tuple of seventeen or more words is never empty.
            guard let base = bytes.baseAddress else { preconditionFailure("registers without memory") }
            let words = bytes.assumingMemoryBound(to: UInt64.self)
            return body(base, words[registerPlaces.stackPointer], words[registerPlaces.programCounter])
        }
    }

    /// Sets the registers that `/proc` shows of a thread: its position, and the arguments of its system call.
    mutating func setRegisters(_ look: cptrace_look) {
        withUnsafeMutableBytes(of: &registers) { bytes in
            let words = bytes.assumingMemoryBound(to: UInt64.self)
            withUnsafeBytes(of: look.arguments) { arguments in
                for (index, value) in arguments.bindMemory(to: UInt64.self).enumerated() {
                    words[Int(cptrace_argument_place(Int32(index)))] = value
                }
            }
            words[registerPlaces.stackPointer] = look.stack_pointer
            words[registerPlaces.programCounter] = look.program_counter
        }
    }
}

extension PerfSample {
    /// Where the copy of the stack begins; nil where the thread had no registers of the program.
    var stackPointer: UInt64? {
        registers.map {
            $0.loadUnaligned(fromByteOffset: registerPlaces.stackPointer * 8, as: UInt64.self)
        }
    }
}

#if arch(arm64)
    private let registerPlaces = (stackPointer: 31, programCounter: 32)
#else
    private let registerPlaces = (stackPointer: 7, programCounter: 8)
#endif
