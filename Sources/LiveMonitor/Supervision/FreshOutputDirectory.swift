public import LinuxSystem
public import Measurement
internal import Stages

/// Output directories that the monitor makes for commands that were given none. It removes those that hold nothing
/// but an old log.
///
/// What a pipeline wrote is never removed.
public struct FreshOutputDirectory: Sendable {
    /// The directory's path.
    public let path: String

    private static let prefix = "freeze-profile-run."
    /// How old a directory with nothing but a log has to be until another run removes it.
    static let age = Duration.seconds(7 * 86_400)
    /// What shows a run while it goes on, and nothing afterwards.
    private static let passing: Set<String> = {
        let location = StatusLocation(outputDirectory: "")
        return Set([location.statusFile, location.eventTrace, location.facts].map(Files.name))
    }()
    private static let log = ".monitor.log"

    /// Makes a directory in another one, and removes those of earlier runs that hold nothing but an old log.
    public init(in parent: String, now: Timestamp = SystemClock.now) throws(SystemError) {
        path = try Files.createTemporaryDirectory(prefix: "\(parent)/\(Self.prefix)")
        // A failure has no effect on this run, and the next run tries again.
        _ = Result { () throws(SystemError) in try Self.removeOld(in: parent, now: now) }
    }

    /// Removes the directory if the pipeline has written nothing there and the monitor no log.
    ///
    /// - Returns: Whether it is gone.
    public func removeIfUnused() -> Bool {
        do throws(SystemError) {
            guard try Self.names(in: path).isSubset(of: Self.passing) else { return false }
            try Files.removeTree(path)
            return true
        } catch {
            return false
        }
    }

    private static func removeOld(in parent: String, now: Timestamp) throws(SystemError) {
        for name in try Files.names(inDirectory: parent) where name.hasPrefix(prefix) {
            let old = "\(parent)/\(name)"
            guard Files.isOwnDirectory(old) else { continue }
            let names = try names(in: old)
            guard names.isSubset(of: passing.union([log])) else { continue }
            let changes = [old] + names.map { "\(old)/\($0)" }
            var newest = Timestamp(nanosecondsSinceEpoch: 0)
            for path in changes { newest = max(newest, try Files.modified(path)) }
            if newest.duration(to: now) > age { try Files.removeTree(old) }
        }
    }

    private static func names(in directory: String) throws(SystemError) -> Set<String> {
        Set(try Files.names(inDirectory: directory))
    }
}
