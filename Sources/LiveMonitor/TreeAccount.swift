internal import LinuxProcess
internal import Measurement

/// One process of the tree at one moment.
struct ProcessReading: Equatable {
    var identity: ProcessIdentity
    var parent: Int32
    /// CPU time of its own threads, in nanoseconds.
    var ownCPU: Int64
    /// CPU time of the children it has waited for, in nanoseconds, a multiple of 10 ms.
    var childrenCPU: Int64
    /// Nil once it has ended.
    var memory: ProcessMemory?

    var allCPU: Int64 { ownCPU + childrenCPU }
}

/// Adds up the CPU time of a tree of processes that come and go, counting each nanosecond once.
///
/// A process that has been waited for moves from its own clock into its parent's children time. One whose parent
/// never waits (it ignores SIGCHLD, or has ended itself) moves nowhere: what was seen of it is kept here.
struct TreeAccount {
    private var last: [Int32: ProcessReading] = [:]
    private var departed: Int64 = 0
    private(set) var total: Int64 = 0

    /// Children time is told in whole ticks, user and system apart: two ticks of 10 ms may be cut off.
    static let tickTruncation: Int64 = 20_000_000

    /// Takes in what the tree looks like now.
    mutating func update(_ readings: [ProcessReading]) {
        var now: [Int32: ProcessReading] = [:]
        for reading in readings { now[reading.identity.pid] = reading }
        var missing: [Int32: Int64] = [:]
        for gone in last.values where now[gone.identity.pid]?.identity != gone.identity {
            if let heir = livingAncestor(of: gone, in: now) {
                missing[heir, default: 0] += gone.allCPU
            } else {
                departed += gone.allCPU
            }
        }
        for (heir, seen) in missing {
            let inherited = (now[heir]?.childrenCPU ?? 0) - (last[heir]?.childrenCPU ?? 0)
            if seen - inherited > Self.tickTruncation { departed += seen - inherited }
        }
        last = now
        // Truncation to ticks may make the sum step back a little; CPU time does not.
        total = max(total, departed + now.values.reduce(0) { $0 + $1.allCPU })
    }

    private func livingAncestor(of process: ProcessReading, in now: [Int32: ProcessReading]) -> Int32? {
        var parent = process.parent
        // As many steps as there are processes, in case the parents went in a circle.
        for _ in 0...last.count {
            guard let known = last[parent] else { return nil }
            if now[parent]?.identity == known.identity { return parent }
            parent = known.parent
        }
        return nil
    }
}
