/// How long a thread may have run between a sample and the end of a reading, if the frames are to be those of the sample.
/// Pure.
///
/// What is counted as the thread's time begins with the kernel's own work for the sample: the copy of the stack, and the
/// switch to the reader. How long that takes is seen from when sampled threads lose the CPU: mostly at once.
struct ProofBound {
    /// In nanoseconds of the thread's CPU time.
    private(set) var limit = standard
    private var seen: [UInt64] = []

    /// Until enough has been seen: less than a sample with a copy of 8 KiB takes on most machines.
    private static let standard: UInt64 = 15_000
    private static let allowed: ClosedRange<UInt64> = 5_000...80_000
    private static let firstWindow = 16
    private static let window = 128
    private var isFirst = true
    /// Whether enough has been seen.
    var isKnown: Bool { !isFirst }

    /// Takes note of how long after its sample a thread lost the CPU.
    mutating func note(_ nanoseconds: UInt64) {
        seen.append(nanoseconds)
        guard seen.count >= (isFirst ? Self.firstWindow : Self.window) else { return }
        isFirst = false
        // The quarter that was quickest did nothing but be sampled. Most do, and differ by a twentieth: with a bound of twice
        // as much, one in 700 readings was of another function (functions of 5 us, copies of 8 KiB, Linux 6.18).
        let quick = seen.sorted()[seen.count / 4]
        limit = min(max(quick + quick / 8, Self.allowed.lowerBound), Self.allowed.upperBound)
        seen = []
    }
}

/// Bounds of proof by how much of the stack a sample copied: the more, the longer it takes, and one bound for all would leave out
/// just the deep stacks. Pure.
struct ProofBounds {
    private var bounds: [Int: ProofBound] = [:]

    /// Bytes of one class.
    private static let step = 1024

    /// Takes note of how long after its sample a thread lost the CPU.
    mutating func note(_ nanoseconds: UInt64, copied bytes: Int) {
        bounds[bytes / Self.step, default: ProofBound()].note(nanoseconds)
    }

    /// The bound for samples of a size, in nanoseconds; where not enough of that size have been seen, that of the next size below
    /// or, where there is none, above.
    func limit(copied bytes: Int) -> UInt64 {
        let size = bytes / Self.step
        if let own = bounds[size], own.isKnown { return own.limit }
        let known = bounds.filter { $0.value.isKnown }
        let nearest =
            known.filter { $0.key < size }.max { $0.key < $1.key } ?? known.min { $0.key < $1.key }
        return nearest?.value.limit ?? ProofBound().limit
    }
}
