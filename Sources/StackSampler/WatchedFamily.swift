internal import CPtrace
internal import LinuxProcess
internal import LinuxSystem

/// The target, its descendants and all their threads, as they come and go. Used by one thread only.
struct WatchedFamily: ~Copyable {
    private(set) var processes: [Int32: Member] = [:]
    /// The threads of all processes, in no order.
    var threads: [WatchedThread] { processes.values.flatMap(\.threads.values) }
    private let root: ProcessIdentity?
    private let rootID: Int32
    private var nextSearch: Int64 = 0
    /// When descendants may be looked for again, if any process was started.
    private var soonestSearch: Int64 = 0
    private var forks = ForkDetector()

    /// How often descendants are looked for though no process was started.
    private static let searchInterval: Int64 = 100_000_000
    /// Threads and descendants are listed again after so many times what listing them took at least: with thousands of
    /// threads that is a tenth of a CPU.
    private static let listingShare: Int64 = 10

    /// One process.
    final class Member {
        let processID: Int32
        /// Whether we are its parent: then others here wait for its end.
        let isOwnChild: Bool
        var threads: [Int32: WatchedThread] = [:]
        /// Bytes of stack that its threads' samples have turned out to need.
        var stackBytes: Int
        /// Where its program lies: another program after an exec lies elsewhere.
        var program: (code: UInt64, stack: UInt64)?
        /// When its threads are listed again, on the monotonic clock.
        var nextListing: Int64 = 0
        /// When its mappings were last read, on the monotonic clock.
        var lastRefresh: Int64 = 0
        /// How long that took.
        var refreshCost: Int64 = 0
        /// How old its mappings have to be before they are read anew because a stack could not be unwound.
        private(set) var hurry: Int64 = shortestHurry
        /// Moments of its threads that no sample stands for yet.
        var dueMoments: Int { threads.values.reduce(0) { $0 + Int($1.due) } }

        init(processID: Int32, stackBytes: Int) {
            self.processID = processID
            self.stackBytes = stackBytes
            isOwnChild = ProcessStat.ofProcess(processID)?.parent == CurrentProcess.pid
        }

        private static let shortestHurry: Int64 = 1_000_000
        private static let longestHurry: Int64 = 20_000_000

        func noteHurry(hasHelped: Bool) {
            hurry = hasHelped ? Self.shortestHurry : min(hurry * 2, Self.longestHurry)
        }
    }

    init(root: Int32) {
        rootID = root
        self.root = ProcessStat.ofProcess(root)?.identity
    }

    /// What has changed since the last update.
    struct Change {
        /// Processes that have ended.
        var processes: [Int32] = []
        /// Moments of threads that no sample stands for.
        var moments = 0
        /// Whether a thread has come or gone.
        var areThreadsChanged = false
        /// Whether descendants were looked for.
        var isSearched = false
    }

    /// Brings processes and threads up to date.
    mutating func update(now: Int64, stackBytes: Int) -> Change {
        var change = Change()
        if now >= nextSearch || now >= soonestSearch && forks.look() != .nothingStarted {
            change.isSearched = true
            let begin = SystemClock.monotonicNanoseconds
            let found = search()
            let cost = SystemClock.monotonicNanoseconds - begin
            soonestSearch = now + Self.listingShare * cost
            nextSearch = max(now + Self.searchInterval, soonestSearch)
            change.processes = processes.keys.filter { !found.contains($0) }
            change.areThreadsChanged = !change.processes.isEmpty
            for processID in change.processes {
                change.moments += processes.removeValue(forKey: processID)?.dueMoments ?? 0
            }
            for processID in found where processes[processID] == nil {
                processes[processID] = Member(processID: processID, stackBytes: stackBytes)
            }
        }
        for member in processes.values where now >= member.nextListing {
            let begin = SystemClock.monotonicNanoseconds
            let listed = ProcessListing.threads(of: member.processID)
            let cost = SystemClock.monotonicNanoseconds - begin
            member.nextListing = now + Self.listingShare * cost
            if listed.count != member.threads.count || !listed.allSatisfy({ member.threads[$0] != nil }) {
                var threads: [Int32: WatchedThread] = [:]
                for threadID in listed {
                    threads[threadID] =
                        member.threads[threadID]
                        ?? WatchedThread(
                            processID: member.processID, threadID: threadID, firstSeen: now)
                }
                change.areThreadsChanged = true
                let before = member.dueMoments
                member.threads = threads
                change.moments += before - member.dueMoments
            }
        }
        return change
    }

    private func search() -> Set<Int32> {
        // The number alone may have come to mean another process.
        guard let root, ProcessStat.ofProcess(rootID)?.identity == root else { return [] }
        return Set(ProcessListing.family(of: rootID)).subtracting([CurrentProcess.pid])
    }
}
