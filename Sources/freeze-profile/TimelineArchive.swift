internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest
internal import ProfileReport

/// The run in time that lies beside a frozen profile.
enum TimelineArchive {
    /// A profile's timeline, or why there is none that can be trusted.
    static func timeline(of profile: FrozenProfile, in directory: String) -> Reading<RunTimeline> {
        let truth = content(of: .stageTruth, of: profile, in: directory, limit: StageTruth.maximumBytes)
        switch truth {
        case .unavailable(let reason): return .unavailable(reason: reason)
        case .value(let bytes):
            do throws(ProfileError) {
                let truth = try StageTruth.decode(bytes, name: "the stage truth")
                guard !truth.transitions.isEmpty else {
                    return .unavailable(reason: "the run reported no stages")
                }
                let log = content(of: .monitorLog, of: profile, in: directory, limit: 64 << 20)
                return .value(RunTimeline(truth, log: log))
            } catch {
                return .unavailable(reason: "\(error)")
            }
        }
    }

    /// A companion's bytes, if they are those that were frozen.
    private static func content(
        of kind: CompanionKind, of profile: FrozenProfile, in directory: String, limit: Int
    ) -> Reading<[UInt8]> {
        guard let companion = profile.companions.first(where: { $0.kind == kind.rawValue }) else {
            return .unavailable(
                reason: "the version was frozen without \(kind == .monitorLog ? "a monitor log" : "them")")
        }
        let path = "\(directory)/\(companion.file)"
        let shown = PlainText.sanitized(path)
        do throws(Files.ReadError) {
            let bytes = try Files.read(path, .beside, limit: limit)
            guard SHA256.hexadecimal(of: bytes) == companion.sha256.lowercased() else {
                return .unavailable(reason: "'\(shown)' has changed since it was frozen")
            }
            return .value(bytes)
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }
}
