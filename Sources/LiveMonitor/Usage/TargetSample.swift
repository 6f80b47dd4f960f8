internal import Measurement

/// What was seen of the target and its descendants at one moment.
struct TargetSample {
    var monotonic: Int64
    /// CPU time of the whole tree since it was first seen, in nanoseconds.
    var cpu: Int64
    /// The part of it that processes have reported themselves, in whole ticks for children they have waited for.
    var reportedCPU: Int64
    /// CPU time of the living processes and the children they have waited for, that before the first look included.
    var livingCPU: Int64
    /// What else the tree has used since it was first seen.
    var usage: UsagePoint
    /// Resident memory of all processes together; nil when none has any to be read.
    var resident: ByteCount?
    /// The peak since the last reset of the marks; nil likewise.
    var peak: MemoryPeak?
    var processCount: Int
}

/// One process of the tree, for people.
struct BusyProcess: Equatable {
    var pid: Int32
    /// Untrusted text.
    var name: String
    /// CPU time by wall time of late, in percent of one core.
    var percent: Double
    /// Nil once it has ended.
    var resident: ByteCount?
}
