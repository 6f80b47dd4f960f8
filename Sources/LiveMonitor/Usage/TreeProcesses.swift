internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// A process of the tree and what was last read of it.
final class TreeMember {
    var reading: ProcessReading
    /// The program's name, at most 15 bytes: untrusted text.
    var name: String
    var threadCount: Int
    var threads = ThreadCounts()
    /// CPU time at the last tick, and percent of a core since the ticks before, the last ones counting most.
    var shownCPU: Int64?
    var percent = 0.0
    /// Whether it has run since its threads were last looked at.
    var hasNewThreadCounts = true
    /// Whether it has run since its high-water mark was last reset.
    var hasRunSinceReset = true
    /// Whether it was forked a moment ago and has its parent's pages: they are not counted twice, because mostly it is
    /// about to call exec.
    var isFreshCopy = false
    /// Whether it is this toolkit's own `freeze-profile stage`, which is no part of the pipeline.
    var isMarker = false
    /// The high-water mark of a process that refused to have it reset.
    var refusedMark: ByteCount?

    init(_ reading: ProcessReading, name: String, threadCount: Int) {
        self.reading = reading
        self.name = name
        self.threadCount = threadCount
    }

    var pid: Int32 { reading.identity.pid }
}

/// Knows the processes of a tree, without looking at every process of the machine each time: only at those that were
/// not there the last time, and only if any was started.
///
/// A descendant whose parent has ended belongs to init, and still to the tree.
struct TreeProcesses: ~Copyable {
    /// Parents before their children, the target first.
    private(set) var order: [Int32] = []
    private var members: Set<Int32> = []
    /// Processes known not to be of the tree. 0 stands for whatever started the first ones.
    private var strangers: Set<Int32>
    private var forks = ForkDetector()
    private var mustLook = false
    private let excluded: Set<Int32>
    /// The most processes of the tree that were there at once and are not followed.
    private(set) var mostBeyondLimit = 0

    init(target: Int32, excluding excluded: Set<Int32>) {
        self.excluded = excluded
        strangers = excluded.union([0])
        order = [target]
        members = [target]
    }

    /// Takes in processes that were started since the last call.
    mutating func refresh() {
        switch forks.look() {
        case .nothingStarted where !mustLook: return
        case .identifiersReused: strangers = excluded.union([0])
        case .somethingStarted, .nothingStarted: break
        }
        mustLook = false
        let present = ProcessTree.allIdentifiers()
        var childrenOf: [Int32: [Int32]] = [:]
        for pid in present where !members.contains(pid) && !strangers.contains(pid) {
            guard let parent = ProcessTree.parent(of: pid) else { continue }
            childrenOf[parent, default: []].append(pid)
        }
        guard !childrenOf.isEmpty else { return }
        adopt(childrenOf)
        strangers.formIntersection(present)
        strangers.formUnion(excluded)
        strangers.insert(0)
        // One whose parent was started while we looked is neither yet: it is looked at again.
        var found = Array(strangers)
        while let parent = found.popLast() {
            for child in childrenOf[parent] ?? []
            where !members.contains(child) && strangers.insert(child).inserted {
                found.append(child)
            }
        }
    }

    /// Takes in processes that are known to be of the tree though no process of it is their parent any more: parents before
    /// their children.
    mutating func adopt(_ processes: [Int32]) {
        var turnedAway = 0
        for process in processes where !excluded.contains(process) {
            strangers.remove(process)
            guard !members.contains(process) else { continue }
            guard order.count < ProcessTree.maximumProcesses else {
                turnedAway += 1
                continue
            }
            members.insert(process)
            order.append(process)
        }
        mostBeyondLimit = max(mostBeyondLimit, turnedAway)
        // What they start while we look is found by their numbers.
        mustLook = true
    }

    private mutating func adopt(_ childrenOf: [Int32: [Int32]]) {
        var next = 0
        var turnedAway = 0
        while next < order.count {
            for child in childrenOf[order[next]] ?? [] where !members.contains(child) {
                guard order.count < ProcessTree.maximumProcesses else {
                    turnedAway += 1
                    continue
                }
                members.insert(child)
                order.append(child)
            }
            next += 1
        }
        mostBeyondLimit = max(mostBeyondLimit, turnedAway)
    }

    /// Strikes out processes that are gone, whose number may mean another process by now.
    mutating func remove(_ gone: Set<Int32>) {
        guard !gone.isEmpty else { return }
        members.subtract(gone)
        order.removeAll { gone.contains($0) }
        mustLook = true
    }
}
