internal import Compression
internal import FrozenProfile
internal import LinuxSystem
internal import MessageDigest

extension ProfileStore {
    /// The most bytes of a companion with raw values that are read, packed.
    static let maximumRunsFileBytes = 128 << 20

    /// Takes the raw values of a profile out of its companion, where they stand in one. It has to be what was frozen.
    ///
    /// - Parameters:
    ///   - profile: A profile as its file was decoded.
    ///   - path: The profile's file; the companion is beside it.
    static func takeRuns(_ profile: inout FrozenProfile, beside path: String) throws(ProfileError) {
        guard profile.runsPlace == .companion else { return }
        guard let companion = profile.companions.first(where: { $0.kind == CompanionKind.runs.rawValue })
        else { throw .missing(file: path, key: "companions.\(CompanionKind.runs.rawValue)") }
        let file = "\(Files.directory(of: path))/\(companion.file)"
        let packed: [UInt8]
        do throws(Files.ReadError) {
            packed = try Files.read(file, .beside, limit: maximumRunsFileBytes)
        } catch {
            throw .damagedRuns(file: file, reason: error.description)
        }
        guard SHA256.hexadecimal(of: packed) == companion.sha256 else {
            throw .damagedRuns(file: file, reason: "It is not what was frozen: its digest differs.")
        }
        let text: [UInt8]
        do throws(Gzip.Failure) {
            text = try Gzip.inflated(packed, limit: FrozenProfile.maximumRunsBytes)
        } catch {
            switch error {
            case .damaged: throw .damagedRuns(file: file, reason: "It cannot be unpacked.")
            case .tooLong:
                throw .damagedRuns(
                    file: file,
                    reason: "It is longer than the \(FrozenProfile.maximumRunsBytes) bytes that are read.")
            }
        }
        try profile.takeRuns(text, name: file)
    }

    /// The raw values of a profile as its companion, where they are too many for the profile's own text; else nil.
    static func runsCompanion(of profile: FrozenProfile) -> CompanionSource? {
        guard profile.rows > FrozenProfile.maximumInlineRows else { return nil }
        return .bytes(Gzip.compressed(profile.encodeRuns()))
    }
}
