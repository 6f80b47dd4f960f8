internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Finds how much memory processes had that began and ended between two looks at the tree.
///
/// Where the kernel reports the end of each process, nothing is missed. Where it does not (it takes CAP_NET_ADMIN), the
/// children that were waited for show in their parents' page faults: the peak may then be higher than what was seen.
struct TreeEndWatch {
    /// What the ends since the last call say.
    struct Found {
        /// The largest peak of one process.
        var peak: MemoryPeak?
        /// Whether a process ended whose peak is not known.
        var hasUnknown = false
    }

    private var listener: Listener?
    private var exits = TreeExits()
    private var found = Found()
    private var waitedFaults: Int64 = 0
    /// Why ends are not heard of, or not all of them; nil while they are.
    private(set) var problem: String?

    init() {
        do throws(SystemError) {
            listener = Listener(try TaskExits())
        } catch {
            problem = "the kernel does not report the ends of processes here (\(error.reason))"
        }
    }

    /// Takes in what has ended.
    ///
    /// - Parameters:
    ///   - waitedFaults: Page faults of all children that were waited for.
    ///   - markers: Processes that only marked stages, which do not count; those that have ended are taken out.
    ///   - isMember: Whether a process is known to be of the tree.
    mutating func look(
        waitedFaults: Int64, markers: inout Set<Int32>, isMember: (Int32) -> Bool
    ) {
        defer { self.waitedFaults = waitedFaults }
        guard let listener, problem == nil else {
            if waitedFaults > self.waitedFaults { found.hasUnknown = true }
            return
        }
        // What marks a stage for a script is known by the event that it wrote, or by its name: its end may be reported before
        // its event is read.
        let ends = listener.exits.read().filter {
            markers.remove($0.pid) == nil && $0.name != StageMarkerProcess.program
        }
        let largest = exits.largestPeak(of: ends, isMember: isMember)
        if let largest {
            found.peak = .larger(found.peak, MemoryPeak(size: largest, isHighWaterMark: true))
        }
        if listener.exits.hasLost {
            problem = "processes ended faster than their ends could be read"
            found.hasUnknown = true
        }
    }

    /// What was found since the last call.
    mutating func take() -> Found {
        defer { found = Found() }
        return found
    }

    /// Holds the socket, which cannot be copied, in a structure that can.
    private final class Listener {
        var exits: TaskExits

        init(_ exits: consuming TaskExits) {
            self.exits = exits
        }
    }
}
