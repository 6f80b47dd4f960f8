public import FrozenProfile
public import LinuxSystem
internal import MessageDigest

extension Verification {
    /// Verifies the profile in a file.
    ///
    /// - Returns: The profile, and what was found.
    public static func verify(
        path: String, _ trust: FileTrust = .named
    ) throws(ProfileError) -> (profile: FrozenProfile, verification: Verification) {
        let bytes = try ProfileStore.read(path: path, trust)
        let profile = try FrozenProfile.decode(bytes, name: path)
        var findings: [Finding] = []
        var notes: [String] = []
        let digest = ContentDigest(of: bytes)
        if !digest.agrees {
            findings.append(
                Finding(
                    kind: .edited, subject: ContentDigest.key, stated: digest.stated ?? "nothing",
                    found: digest.computed))
        }
        if digest.stated == nil {
            notes.append(
                "The file has no \(ContentDigest.key), so whether it was changed cannot be told.")
        }
        if profile.sessions.isEmpty {
            notes.append("The file has no runs, so what is derived in it cannot be computed again.")
        }
        findings += profile.deviations
        for companion in profile.companions {
            findings += finding(companion, directory: Files.directory(of: path))
        }
        return (profile, Verification(findings: findings, notes: notes))
    }

    private static func finding(_ companion: Companion, directory: String) -> [Finding] {
        let path = "\(directory)/\(companion.file)"
        func finding(_ stated: String, _ found: String) -> [Finding] {
            [Finding(kind: .companion, subject: path, stated: stated, found: found)]
        }
        do throws(SystemError) {
            guard Files.exists(path) else { return finding("a file of \(companion.bytes) bytes", "none") }
            let (sha256, bytes) = try SHA256.file(path, .beside, expected: companion.bytes)
            if bytes != companion.bytes { return finding("\(companion.bytes) bytes", "\(bytes) bytes") }
            return sha256 == companion.sha256 ? [] : finding("sha256 \(companion.sha256)", "sha256 \(sha256)")
        } catch {
            return finding("it can be read", error.description)
        }
    }
}
