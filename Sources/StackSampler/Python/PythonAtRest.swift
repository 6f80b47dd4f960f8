internal import CPtrace
internal import LinuxSystem
internal import PythonFrames

/// Python frames of threads that stand still while they are read: in a stop, waiting, or off the CPU that we hold. Used by one
/// thread only.
final class PythonAtRest {
    private var finder = PythonFinder()
    private var readers: [Int32: FrameReader] = [:]
    private var bound = ProofBound()

    /// Why functions of Python are not named, a sentence each.
    var refusals: [String] { finder.refusals }

    func isPython(_ processID: Int32) -> Bool { readers[processID] != nil }

    // MARK: - Processes

    /// Looks into a process, whatever its files are called.
    func seed(_ processID: Int32) { finder.seed(processID) }

    /// Looks into a process that has mapped a file, if that may hold an interpreter.
    func mapped(_ path: String, by processID: Int32) { finder.mapped(path, by: processID) }

    /// The process runs another program now, or none.
    func forget(_ processID: Int32) {
        finder.exit(processID)
        readers[processID] = nil
    }

    /// Looks for interpreters where some are expected. Returns the processes in which one was found.
    func look(at now: Int64) -> [Int32] {
        finder.look(at: now).begun.map { processID, interpreter in
            readers[processID] = FrameReader(interpreter, .ofProcess(processID), processID: processID)
            return processID
        }
    }

    // MARK: - Reading

    /// Reads the frames of a thread that stands still.
    ///
    /// - Parameter whenRead: Called once when it may go on; what is left is to name what was read.
    func read(_ thread: WatchedThread, whenRead: () -> Void = {}) -> PythonFinding {
        guard let reader = readers[thread.processID] else { return .notPython }
        let outcome = Result { () throws(PythonReadFailure) in
            try reader.read(
                threadID: thread.threadID, now: SystemClock.monotonicNanoseconds, whenRead: whenRead)
        }
        switch outcome {
        case .success(let stack):
            thread.runsPython = true
            return .proven(stack, reader.interpreter)
        case .failure(.noThread), .failure(.noFrames):
            thread.runsPython = false
            return .noFrames(reader.interpreter)
        case .failure: return .failed(reader.interpreter)
        }
    }

    /// What is known of a thread that was not read, or went on meanwhile.
    func unproven(_ thread: WatchedThread) -> PythonFinding {
        guard let reader = readers[thread.processID] else { return .notPython }
        return .unproven(reader.interpreter, .late)
    }

    /// Reads the frames of a thread that has just been sampled on a CPU which we hold since: it cannot run there, and whether it
    /// ran elsewhere its turns say. Its native stack, too, has to be what was copied with the sample.
    ///
    /// - Parameter cpu: The CPU that the calling thread is bound to.
    func read(_ thread: WatchedThread, of sample: PerfSample, on cpu: Int32) -> PythonFinding {
        let woken = UInt64(clamping: SystemClock.monotonicNanoseconds)
        let time = sample.time
        // An upper bound of how long it ran after the sample.
        let run = woken > time ? woken - time : 0
        bound.note(run)
        var (before, after, look) = (cptrace_schedule(), cptrace_schedule(), cptrace_look())
        guard run <= bound.limit,
            cptrace_read_schedule(thread.processID, thread.threadID, &before) == 0
        else { return unproven(thread) }
        var isStill = false
        let finding = read(thread) {
            isStill =
                cptrace_read_schedule(thread.processID, thread.threadID, &after) == 0
                && before.turns == after.turns
                && cptrace_read_look(thread.processID, thread.threadID, &look) == 0 && look.processor == cpu
                && hasStack(of: sample)
        }
        switch finding {
        case .proven where !isStill, .failed: return unproven(thread)
        default: return finding
        }
    }

    /// The most bytes of a stack that are compared: those of the functions at work.
    private static let mostCompared = 4096

    /// Whether the stack still begins with what was copied of it. A thread that has gone on to another function has other return
    /// addresses and arguments there.
    private func hasStack(of sample: PerfSample) -> Bool {
        guard let stackPointer = sample.stackPointer, !sample.stack.isEmpty else { return false }
        let count = min(sample.stack.count, Self.mostCompared)
        let now = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized =
                buffer.baseAddress.map {
                    cptrace_read_memory(sample.processID, stackPointer, $0, count)
                } ?? 0
        }
        return now.count == count && now.elementsEqual(sample.stack.prefix(count))
    }
}
