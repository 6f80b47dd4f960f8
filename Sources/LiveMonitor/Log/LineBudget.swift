internal import Measurement

/// How many lines may be written: some at once, and then so many a second. What has no line of its own is counted, and the
/// next line says how much it stands for. Pure: the caller has the clock.
struct LineBudget {
    /// What has had no line since the last one.
    private(set) var folded = 0
    private let burst: Double
    private let perSecond: Double
    private var saved: Double
    private var last: Duration?

    /// A budget that is full.
    init(burst: Int, perSecond: Double) {
        self.burst = Double(burst)
        self.perSecond = perSecond
        saved = Double(burst)
    }

    /// Whether there may be a line at a moment of the run; counts what may have none.
    ///
    /// - Parameter isNew: Whether it has not been counted before.
    mutating func take(at moment: Duration, isNew: Bool = true) -> Bool {
        if let last { saved = min(burst, saved + max(0, (moment - last).inSeconds) * perSecond) }
        last = moment
        guard saved >= 1 else {
            if isNew { folded += 1 }
            return false
        }
        saved -= 1
        // It has its line now.
        if !isNew { folded = max(0, folded - 1) }
        return true
    }

    /// How much the next line stands for besides itself; from then on counted anew.
    mutating func takeFolded() -> Int {
        defer { folded = 0 }
        return folded
    }
}
