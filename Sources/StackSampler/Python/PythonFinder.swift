internal import LinuxProcess
internal import LinuxSystem
internal import PythonFrames

/// Looks for Python interpreters in the target's processes as they map their programs. Used by one thread only.
struct PythonFinder {
    private let locator = PythonLocator()
    private var found: [Int32: PythonInterpreter] = [:]
    /// Processes to look into, with when and how often that was tried.
    private var pending: [Int32: Attempt] = [:]
    private(set) var refusals: [String] = []

    private struct Attempt {
        var next: Int64 = 0
        var count = 0
    }

    /// What a turn has found, and what it has found gone.
    struct Changes {
        var begun: [(processID: Int32, interpreter: PythonInterpreter)] = []
        var ended: [Int32] = []
    }
    private var ended: [Int32] = []

    /// An interpreter is set up within a fraction of a second.
    private static let mostAttempts = 200
    private static let pause: Int64 = 10_000_000
    private static let longPause: Int64 = 100_000_000

    func interpreter(of processID: Int32) -> PythonInterpreter? { found[processID] }
    var isEmpty: Bool { found.isEmpty }

    /// A process that runs already.
    mutating func seed(_ processID: Int32) { pending[processID] = Attempt() }

    mutating func exec(_ processID: Int32) {
        if found.removeValue(forKey: processID) != nil { ended.append(processID) }
        pending[processID] = nil
    }

    mutating func mapped(_ path: String, by processID: Int32) {
        // A program under another name, with the interpreter within, is found by --pid alone: to look into each
        // program that a pipeline starts takes longer than many of them run.
        guard found[processID] == nil, pending[processID] == nil, path.hasPrefix("/"),
            Files.name(of: path).contains("python")
        else { return }
        pending[processID] = Attempt()
    }

    /// A child has the memory of its parent.
    mutating func fork(_ child: Int32, from parent: Int32) -> PythonInterpreter? {
        guard let interpreter = found[parent] else {
            if let attempt = pending[parent] { pending[child] = attempt }
            return nil
        }
        found[child] = interpreter
        return interpreter
    }

    mutating func exit(_ processID: Int32) {
        if found.removeValue(forKey: processID) != nil { ended.append(processID) }
        pending[processID] = nil
    }

    /// Looks into the processes that are due.
    mutating func look(at now: Int64) -> Changes {
        var changes = Changes(ended: ended)
        ended = []
        for (processID, attempt) in pending where attempt.next <= now {
            do throws(PythonInterpreter.Refusal) {
                let interpreter = try locator.locate(processID, .ofProcess(processID))
                found[processID] = interpreter
                pending[processID] = nil
                changes.begun.append((processID, interpreter))
            } catch {
                refuse(error, processID, attempt, at: now)
            }
        }
        return changes
    }

    private mutating func refuse(
        _ refusal: PythonInterpreter.Refusal, _ processID: Int32, _ attempt: Attempt, at now: Int64
    ) {
        switch refusal {
        case .notReady where attempt.count < Self.mostAttempts:
            pending[processID] = Attempt(
                next: now + (attempt.count < 100 ? Self.pause : Self.longPause), count: attempt.count + 1)
            return
        default: break
        }
        pending[processID] = nil
        if let sentence = refusal.sentence, !refusals.contains(sentence) { refusals.append(sentence) }
    }
}
