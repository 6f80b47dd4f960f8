internal import FrozenProfile
internal import Measurement

/// Which runs a session still lacks, and how long they will take. Pure.
struct RunPlan {
    /// The kinds of the runs that are to be made, in order.
    private(set) var missing: [RunKind]
    /// Runs made by this process.
    private(set) var made = 0
    /// The place of the next run in the session's order.
    private(set) var nextIndex: Int
    private var walls: [RunKind: [Double]] = [:]

    /// A plan for what a request wants beyond what is finished. Failed runs are made again.
    init(_ request: CaptureRequest, finished records: [RunRecord]) {
        let finished = records.filter { !$0.run.hasFailed }
        let wanted: [(RunKind, Int)] = [
            (.warmUp, request.warmUpRuns), (.measured, request.measuredRuns),
            (.profiled, request.profiledRuns), (.counted, request.countedRuns),
        ]
        missing = wanted.flatMap { kind, count in
            let there = finished.count { $0.run.kind == kind && !$0.run.isRepeated }
            return [RunKind](repeating: kind, count: max(0, count - there))
        }
        nextIndex = (records.map(\.run.index).max() ?? 0) + 1
        repeatsLeft = max(0, request.repeatsOfDisturbed - finished.count { $0.run.isRepeated })
        for record in finished { learn(from: record) }
    }

    /// How many more disturbed runs may be repeated.
    private(set) var repeatsLeft: Int

    /// Takes note of a run that was made.
    mutating func finish(_ record: RunRecord) {
        missing.removeFirst()
        made += 1
        nextIndex += 1
        if record.run.isRepeated {
            missing.insert(record.run.kind, at: 0)
            repeatsLeft -= 1
        }
        learn(from: record)
    }

    /// Takes note that a run failed which another one will replace: its record has the next place.
    mutating func passOver() { nextIndex += 1 }

    /// After which time a counted run is ended that was given none: it hangs, as emulators do now and then.
    var countLimit: Duration {
        let measured = walls[.measured].flatMap(FrozenProfile.median) ?? 0
        return max(Self.shortestCountLimit, .seconds(measured * Self.countLimitFactor))
    }

    static let shortestCountLimit = Duration.seconds(600)
    /// By the time of a measured run. callgrind takes up to 90 times as long.
    static let countLimitFactor = 200.0
    /// By how much longer than a measured run a counted one is expected to take, before there was any.
    private static let countedFactor = 12.0

    /// Leaves out the runs of a kind.
    mutating func skip(_ kind: RunKind) { missing.removeAll { $0 == kind } }

    /// How long the next run will take, as far as runs before show.
    var expected: Duration? { missing.first.flatMap(expected) }

    /// How long all missing runs will take together.
    var left: Duration? {
        var sum = Duration.zero
        for kind in missing {
            guard let one = expected(kind) else { return nil }
            sum += one
        }
        return sum
    }

    private func expected(_ kind: RunKind) -> Duration? {
        // A kind not yet seen takes about as long as the others, unless it is emulated.
        let known = walls[kind] ?? walls[.measured] ?? walls.values.first
        let factor = kind == .counted && walls[kind] == nil ? Self.countedFactor : 1
        return known.flatMap(FrozenProfile.median).flatMap { Duration(secondsFromOutside: $0 * factor) }
    }

    private mutating func learn(from record: RunRecord) {
        if let wall = record.run.use.wallSeconds.value { walls[record.run.kind, default: []].append(wall) }
    }
}
