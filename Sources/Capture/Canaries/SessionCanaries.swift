internal import FrozenProfile
internal import LinuxSystem
internal import Measurement

/// The canaries of one session: timed before the first run after the warm-up, before the one in the middle, and after the
/// last.
///
/// They take about a tenth of the time of the runs that they stand beside, as far as that is known, and are done at least
/// twice at each moment: once alone would not say how much they scatter.
struct SessionCanaries {
    private let directory: String
    /// As often as was asked for; nil where the runs' length decides.
    private let requested: Int?
    private let runs: Int
    /// Decided once, so that the moments can be compared.
    private var repetitions: Int?
    /// Before which run the middle is; nil before the start.
    private var middle: Int?

    /// The share of the runs' time.
    private static let share = 0.1
    /// What all kernels take together, once, in seconds, on a machine of 2020.
    private static let secondsOfOneRound = 0.3
    private static let moments = 3.0
    static let fewest = 2

    /// - Parameters:
    ///   - repetitions: How often at each moment; nil where the runs' length decides, 0 for not at all.
    ///   - directory: Where files are written for a moment.
    ///   - runs: How many runs are to be made.
    init(repetitions: Int?, directory: String, runs: Int) {
        requested = repetitions
        self.directory = directory
        self.runs = runs
    }

    /// What they will cost, as a sentence; nil where there are none.
    var plan: String? {
        if requested == 0 { return nil }
        func seconds(_ repetitions: Int) -> String {
            (Double(repetitions) * Self.moments * Self.secondsOfOneRound).fixed(1)
        }
        let cost =
            if let requested { "\(requested) times each: about \(seconds(requested)) s of CPU time" } else {
                "\(Self.fewest) to \(CanaryKernels.defaultRepetitions) times each, by the length of the runs: about "
                    + "\(seconds(Self.fewest)) to \(seconds(CanaryKernels.defaultRepetitions)) s of CPU time"
            }
        return "fixed work is timed at the start, in the middle and at the end, \(cost) (--canaries)"
    }

    /// How often the work is done at each moment beside runs of a length in all; where that is not known, the most.
    static func repetitions(beside runs: Duration?) -> Int {
        guard let runs else { return CanaryKernels.defaultRepetitions }
        let rounds = runs.inSeconds * share / (moments * secondsOfOneRound)
        return max(fewest, min(CanaryKernels.defaultRepetitions, Int(min(rounds, 1000))))
    }

    /// What is timed before a run; nothing before most.
    ///
    /// - Parameters:
    ///   - kind: The run's kind.
    ///   - made: How many runs have been made.
    ///   - left: How long this run and those after it will take, as far as that is known.
    mutating func beforeRun(_ kind: RunKind, made: Int, left: Duration?) -> [Canary] {
        guard let middle else {
            // A warm-up run says how long the others take; after a last run there is none to wait for.
            guard kind != .warmUp || made + 1 >= runs else { return [] }
            middle = made + (runs - made) / 2
            repetitions = requested ?? Self.repetitions(beside: left)
            return time(.start)
        }
        return made == middle ? time(.middle) : []
    }

    /// Times once more, and puts that into the record of the run that was the last.
    func afterLastRun(_ run: MadeRun) throws(CaptureError) {
        let timed = time(.end)
        guard !timed.isEmpty else { return }
        var record = run.record
        record.canaries.add(timed)
        do throws(SystemError) {
            try Files.replace(run.path, with: record.encode(), durably: true)
        } catch {
            throw .cannotWrite(error.description)
        }
    }

    private func time(_ moment: Canary.Moment) -> [Canary] {
        guard let repetitions, repetitions > 0 else { return [] }
        var canaries: [Canary] = []
        CanaryKernels(repetitions: repetitions, directory: directory).time(at: moment, into: &canaries)
        return canaries
    }
}
