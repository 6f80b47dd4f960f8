internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest
internal import ProfileComparison
internal import ProfileFormats
internal import ProfileStore
internal import StackProfile
internal import Synchronization

/// The stacks that lie beside a frozen profile.
enum StackArchive {
    /// The directory that a profile a person named lies in.
    static func directory(of reference: String, in store: ProfileStore) -> String {
        guard reference.contains("/") || reference.hasSuffix(".yaml") else { return store.directory }
        return Files.directory(of: reference)
    }

    /// The stacks of both sides of a comparison, read at the same time: inflating them is most of what takes time.
    static func stacks(
        of profiles: (from: FrozenProfile, to: FrozenProfile), in directories: (from: String, to: String)
    ) -> (from: Reading<StackProfile>, to: Reading<StackProfile>) {
        let (profile, directory) = (profiles.to, directories.to)
        let newer = Answer()
        do throws(SystemError) {
            let thread = try DedicatedThread.start(name: "stacks") {
                newer.set(stacks(of: profile, in: directory))
            }
            let older = stacks(of: profiles.from, in: directories.from)
            thread.join()
            if let newer = newer.value { return (older, newer) }
            return (older, stacks(of: profile, in: directory))
        } catch {
            // Without a thread the sides are read one after the other.
            return (stacks(of: profiles.from, in: directories.from), stacks(of: profile, in: directory))
        }
    }

    /// What the thread has read.
    private final class Answer: Sendable {
        private let reading = Mutex(Reading<StackProfile>?.none)

        var value: Reading<StackProfile>? { reading.withLock { $0 } }

        func set(_ value: Reading<StackProfile>) { reading.withLock { $0 = value } }
    }

    /// Finds in which functions the counts of a comparison changed, where the counts by function of both sides are there.
    static func explainCounts(
        _ comparison: inout Comparison, from: FrozenProfile, to: FrozenProfile,
        directories: (from: String, to: String)
    ) {
        guard case .value(var counted) = comparison.counted else { return }
        let older = stacks(of: from, in: directories.from, [.counts])
        let newer = stacks(of: to, in: directories.to, [.counts])
        if let older = older.value, let newer = newer.value {
            counted.explain(from: older, to: newer)
        } else if let reason = older.unavailableReason ?? newer.unavailableReason {
            counted.notes.append("Functions are not named: \(reason).")
        }
        comparison.counted = .value(counted)
    }

    /// A profile's stacks, or why there are none that can be trusted.
    static func stacks(
        of profile: FrozenProfile, in directory: String, _ kinds: [CompanionKind] = [.stacks, .foldedStacks]
    ) -> Reading<StackProfile> {
        let release = PlainText.sanitized(profile.release, maximumCharacters: 60)
        let kinds = kinds.map(\.rawValue)
        guard
            let companion = kinds.lazy.compactMap({ kind in profile.companions.first { $0.kind == kind } })
                .first
        else { return .unavailable(reason: "\(release) was frozen without stacks") }
        let path = "\(directory)/\(companion.file)"
        let shown = PlainText.sanitized(path)
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read(path, .beside, limit: companionLimit)
        } catch {
            if case .system(let error) = error {
                return .unavailable(reason: "'\(shown)' cannot be read: \(error.reason)")
            }
            return .unavailable(reason: "'\(shown)' is longer than the \(companionLimit) bytes that are read")
        }
        // What is parsed is what the digest is of: the file may be replaced at any moment.
        guard bytes.count == companion.bytes, SHA256.hexadecimal(of: bytes) == companion.sha256.lowercased()
        else { return .unavailable(reason: "'\(shown)' has changed since it was frozen") }
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(StackInput.ReadError) in try StackInput(buffer).profile }
        }
        do throws(StackInput.ReadError) {
            return .value(try result.get())
        } catch {
            return .unavailable(reason: "'\(shown)' cannot be read: \(error)")
        }
    }

    /// The most bytes of a companion.
    private static let companionLimit = 1 << 30
}
