internal import LinuxSystem
internal import Measurement

/// Looks for a status file one directory below the one where it was expected: many pipelines make a directory of their
/// own for each run.
struct StatusSearch {
    private let expected: StatusLocation
    private let directory: String
    private let earliest: Int64
    private var listed: Files.Identity?
    private var candidates: [StatusLocation] = []
    private var hasGivenUp = false

    /// The most directories that are looked into.
    static let maximumCandidates = 64
    /// A directory of more names than these is not one that holds only runs.
    private static let maximumNames = 4096

    /// - Parameter earliest: A file that was last changed before this moment of CLOCK_MONOTONIC is of an earlier run.
    init(below expected: StatusLocation, earliest: Int64) {
        self.expected = expected
        directory = Files.directory(of: expected.statusFile)
        self.earliest = earliest
    }

    /// The place where a pipeline of this run writes, nil where none was found. The latest one, if there are several.
    mutating func find() -> StatusLocation? {
        guard !hasGivenUp, Files.identity(expected.statusFile) == nil,
            Files.identity(expected.eventTrace) == nil
        else { return nil }
        list()
        var best: (location: StatusLocation, moment: Int64)?
        for candidate in candidates {
            guard let file = Files.identity(candidate.statusFile) else { continue }
            let age = file.changedAt.duration(to: SystemClock.now).inNanoseconds
            let moment = SystemClock.monotonicNanoseconds - age
            guard moment >= earliest - StageFeed.fileClockLag, moment > best?.moment ?? Int64.min else {
                continue
            }
            best = (candidate, moment)
        }
        return best?.location
    }

    private mutating func list() {
        let now = Files.identity(directory)
        guard now != listed else { return }
        listed = now
        do throws(SystemError) {
            let names = try Files.names(inDirectory: directory)
            hasGivenUp = names.count > Self.maximumNames
            let name = Files.name(of: expected.statusFile)
            candidates = names.sorted().map { "\(directory)/\($0)" }.filter { Files.isDirectory($0) }
                .prefix(Self.maximumCandidates).map { StatusLocation(statusFile: "\($0)/\(name)") }
        } catch {
            // The directory is made later.
            candidates = []
        }
    }
}
