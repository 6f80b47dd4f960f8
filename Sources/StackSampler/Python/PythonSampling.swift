internal import LinuxSystem
internal import Measurement
internal import PythonFrames

/// Python frames for the samples of perf events: finds interpreters, keeps a reader on each CPU while there are some, and
/// decides whose frames are proven to be those of a sample. Used by one thread at a time.
final class PythonSampling {
    var finder = PythonFinder()
    private let directory = PythonDirectory()
    private let configuration: SamplerConfiguration
    /// Set before anything is sampled.
    var events: PerfEventSet?
    private var readers: [PythonReader] = []
    /// From when on a process has clocks of its own.
    private var beginnings: [Int32: UInt64] = [:]
    private var readings: [Key: PythonReading] = [:]
    private var switches = ThreadSwitches()
    private var bounds = ProofBounds()
    private var lastScanned: [UInt64] = []
    /// Why there are no readers, where there should be.
    private(set) var problem: String?

    private struct Key: Hashable {
        var threadID: Int32
        var time: UInt64
    }

    /// How long records are kept to prove something by.
    private static let memory: UInt64 = 200_000_000

    init(_ configuration: SamplerConfiguration) {
        self.configuration = configuration
    }

    /// Whether samples wake readers now.
    var isReading: Bool { !readers.isEmpty }

    // MARK: - Processes

    func fork(_ child: Int32, from parent: Int32) {
        events?.fork(child, from: parent)
        if let interpreter = finder.fork(child, from: parent) { directory.set(interpreter, of: child) }
    }

    func exit(_ processID: Int32) {
        finder.exit(processID)
        events?.exit(processID)
    }

    func forget(_ threadID: Int32) { events?.readingOwnership.forget(threadID) }

    /// Whether a sample counts for a process whose threads have clocks of their own; nil where other rules decide.
    func isRead(_ sample: PerfSample) -> Bool? {
        guard let events, events.scope == .cpus else { return nil }
        let isOwn = events.readingOwnership.knows(sample.identifier)
        // What has become another program since is sampled by the CPUs again.
        guard events.isRead(sample.processID), finder.interpreter(of: sample.processID) != nil,
            sample.time >= (beginnings[sample.processID] ?? 0)
        else { return isOwn ? false : nil }
        return isOwn
            && events.readingOwnership.counts(
                identifier: sample.identifier, threadID: sample.threadID, time: sample.time)
    }

    /// Looks for interpreters, and starts readers with the first.
    func look(root: Int32, processes: [Int32]) {
        guard configuration.readsPython, let events else { return }
        let changes = finder.look(at: SystemClock.monotonicNanoseconds)
        for processID in changes.ended where finder.interpreter(of: processID) == nil {
            directory.remove(processID)
            beginnings[processID] = nil
        }
        guard problem == nil else { return }
        for (processID, interpreter) in changes.begun {
            do throws(SamplerError) {
                try events.wakeReaders(for: processID, family: root, and: processes)
                beginnings[processID] = UInt64(clamping: SystemClock.monotonicNanoseconds)
                directory.set(interpreter, of: processID)
                if events.scope == .cpus { directory.limit(to: events.readingOwnership.identifiers) }
                if readers.isEmpty { try start(events) }
            } catch .noSuchProcess {
                finder.exit(processID)
            } catch {
                readers = []
                problem = "Python functions are not named. \(error.description)"
            }
        }
    }

    /// The events have been opened anew.
    func eventsChanged() {
        if let events, events.scope == .cpus { directory.limit(to: events.readingOwnership.identifiers) }
    }

    private func start(_ events: PerfEventSet) throws(SamplerError) {
        do throws(SystemError) {
            for (cpu, ring) in zip(events.cpus, events.rings) {
                readers.append(
                    try PythonReader(cpu: cpu, ring, directory, delay: configuration.pythonReadingDelay))
            }
        } catch {
            throw .system(error)
        }
        lastScanned = events.rings.map { _ in 0 }
    }

    /// Ends the readers: what they have read can be fetched still.
    func stop() { readers = [] }

    // MARK: - Proof

    /// Fetches what was read, and the records that prove it: before the rings are emptied, after a call of `refresh`.
    func collect(_ rings: [PerfRing]) {
        for (index, ring) in rings.enumerated() where index < lastScanned.count {
            ring.scan { bytes in
                switch PerfRecord(bytes) {
                case .switched(let record)?:
                    lastScanned[index] = record.time
                    if finder.interpreter(of: record.processID) != nil { switches.note(record) }
                case .lost?:
                    let time = PerfRecord.time(bytes) ?? .max
                    switches.noteLoss(min(lastScanned[index], time)...time)
                default: break
                }
            }
        }
    }

    /// To be called before the rings are looked at: what ended before is then in them.
    func fetchReadings() {
        guard !lastScanned.isEmpty else { return }
        for reading in directory.takeReadings() {
            readings[Key(threadID: reading.threadID, time: reading.time)] = reading
        }
    }

    /// Forgets what no sample after a time will ask for.
    func forget(before horizon: Int64) {
        guard !lastScanned.isEmpty else { return }
        let time = UInt64(clamping: max(0, horizon - Int64(Self.memory)))
        switches.forget(before: time)
        readings = readings.filter { $0.key.time >= time }
    }

    /// What is known of a sample's Python frames.
    func finding(of sample: PerfSample) -> PythonFinding {
        guard let interpreter = finder.interpreter(of: sample.processID) else { return .notPython }
        guard let reading = readings.removeValue(forKey: Key(threadID: sample.threadID, time: sample.time))
        else { return .unproven(interpreter, .unread) }
        if let out = switches.switchedOut(sample.threadID, after: sample.time) {
            bounds.note(out - sample.time, copied: sample.stack.count)
        }
        let limit = configuration.provesPython ? bounds.limit(copied: sample.stack.count) : .max
        guard let run = switches.timeRun(by: sample.threadID, from: sample.time, to: reading.end) else {
            return .unproven(interpreter, .noRecords)
        }
        guard run <= limit else { return .unproven(interpreter, .late) }
        switch reading.outcome {
        case .success(let stack): return .proven(stack, interpreter)
        case .failure(.noThread), .failure(.noFrames): return .noFrames(interpreter)
        case .failure: return .failed(interpreter)
        }
    }
}

/// What is known of a sample's Python frames.
enum PythonFinding {
    /// The process runs no Python that is known.
    case notPython
    case proven(PythonStack, PythonInterpreter)
    /// Not read, or read when the thread may have gone on.
    case unproven(PythonInterpreter, Reason)
    /// What stood there were no frames.
    case failed(PythonInterpreter)
    /// The thread runs no Python at the moment.
    case noFrames(PythonInterpreter)

    /// Why frames are not proven.
    enum Reason {
        case unread, late, noRecords
    }
}
