internal import CPtrace
internal import LinuxProcess
internal import LinuxSystem

/// The target, its descendants and all their threads, as they come and go. Used by one thread only.
struct WatchedFamily {
    private(set) var processes: [Int32: Member] = [:]
    private let root: ProcessIdentity?
    private let rootID: Int32
    private var nextSearch: Int64 = 0

    /// How often descendants are looked for.
    private static let searchInterval: Int64 = 100_000_000

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
        /// When its mappings were last read, on the monotonic clock.
        var lastRefresh: Int64 = 0
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

    /// What has ended since the last update.
    struct Ended {
        var processes: [Int32] = []
        /// Moments of threads that no sample stands for.
        var moments = 0
    }

    /// Brings processes and threads up to date.
    mutating func update(now: Int64, stackBytes: Int) -> Ended {
        var ended = Ended()
        if now >= nextSearch {
            nextSearch = now + Self.searchInterval
            let found = search()
            ended.processes = processes.keys.filter { !found.contains($0) }
            for processID in ended.processes {
                ended.moments += processes.removeValue(forKey: processID)?.dueMoments ?? 0
            }
            for processID in found where processes[processID] == nil {
                processes[processID] = Member(processID: processID, stackBytes: stackBytes)
            }
        }
        for member in processes.values {
            let listed = ProcessListing.threads(of: member.processID)
            if listed.count != member.threads.count || !listed.allSatisfy({ member.threads[$0] != nil }) {
                var threads: [Int32: WatchedThread] = [:]
                for threadID in listed {
                    threads[threadID] =
                        member.threads[threadID]
                        ?? WatchedThread(
                            processID: member.processID, threadID: threadID, firstSeen: now)
                }
                let before = member.dueMoments
                member.threads = threads
                ended.moments += before - member.dueMoments
            }
        }
        return ended
    }

    private func search() -> Set<Int32> {
        // The number alone may have come to mean another process.
        guard let root, ProcessStat.ofProcess(rootID)?.identity == root else { return [] }
        return Set(ProcessListing.family(of: rootID)).subtracting([CurrentProcess.pid])
    }
}
