public import FrozenProfile
public import LinuxSystem
internal import Measurement
internal import MessageDigest

extension Verification {
    /// Verifies the profile in a file.
    ///
    /// - Returns: The profile, and what was found.
    public static func verify(
        path: String, _ trust: FileTrust = .named
    ) throws(ProfileError) -> (profile: FrozenProfile, verification: Verification) {
        let bytes = try ProfileStore.read(path: path, trust)
        var profile = try FrozenProfile.decode(bytes, name: path)
        var findings: [Finding] = []
        var notes: [String] = []
        let digest = ContentDigest(of: bytes)
        if !digest.agrees {
            findings.append(
                Finding(
                    kind: .edited, subject: ContentDigest.key, stated: digest.stated ?? "nothing",
                    found: digest.computed))
        }
        if ContentDigest.onlyLineEndsDiffer(bytes) { notes.append(ContentDigest.lineEndsRemedy) }
        if digest.stated == nil {
            notes.append(
                "The file has no \(ContentDigest.key), so whether it was changed cannot be told.")
        }
        notes += Verification.absences(of: profile)
        for companion in profile.companions {
            findings += finding(companion, directory: Files.directory(of: path))
        }
        notes += leftOut(of: profile, beside: path)
        if profile.sessions.isEmpty {
            notes.append("The file has no runs, so what is derived in it cannot be computed again.")
        } else if let damage = takeRuns(&profile, path) {
            // A companion that is another one is a finding already, with both digests.
            if !findings.contains(where: { $0.kind == .companion && $0.subject == damage.subject }) {
                findings.append(damage)
            }
            notes.append("Without its raw values, what is derived in the profile cannot be computed again.")
        } else {
            findings += profile.deviations
        }
        return (profile, Verification(findings: findings, notes: notes))
    }

    /// What a profile of the present schema usually has and this one does not, and what its capture had to note.
    private static func absences(of profile: FrozenProfile) -> [String] {
        guard profile.schema.major > SchemaVersion.older.major else { return [] }
        var notes: [String] = []
        func has(_ kind: CompanionKind) -> Bool { profile.companions.contains { $0.kind == kind.rawValue } }
        if profile.stages.isEmpty { notes.append("It has no stages.") }
        if !has(.stageTruth) { notes.append("It has no stage truth.") }
        if !has(.monitorLog) { notes.append("It has no monitor log.") }
        for companion in profile.companions where companion.bytes == 0 {
            notes.append("Its '\(PlainText.sanitized(companion.file, maximumCharacters: 300))' is empty.")
        }
        if !has(.stacks) {
            let reason = profile.captureQuality?.sampler.reason.map { ": \(PlainText.sanitized($0))" } ?? ""
            notes.append("It has no stacks\(reason).")
        }
        return notes + (profile.captureQuality?.notes.map { PlainText.sanitized($0) } ?? [])
    }

    /// Sentences about what the profile itself says that it lacks.
    private static func leftOut(of profile: FrozenProfile, beside path: String) -> [String] {
        let kind = CompanionKind.stageTruth.rawValue
        guard let companion = profile.companions.first(where: { $0.kind == kind }) else { return [] }
        let file = "\(Files.directory(of: path))/\(companion.file)"
        do throws(ProfileError) {
            let bytes = try ProfileStore.read(path: file, .beside, limit: StageTruth.maximumBytes)
            let count = try StageTruth.decode(bytes, name: file).transitionsLeftOut
            guard count > 0 else { return [] }
            return [
                "'\(file)' lists the first \(StageTruth.maximumTransitions) transitions; \(count) more are counted in the "
                    + "stages, and not listed."
            ]
        } catch {
            // That it is missing, damaged or another one is a finding by its digest.
            return []
        }
    }

    /// Takes the raw values out of their companion; what is wrong with it, if they cannot be had.
    private static func takeRuns(_ profile: inout FrozenProfile, _ path: String) -> Finding? {
        do throws(ProfileError) {
            try ProfileStore.takeRuns(&profile, beside: path)
            return nil
        } catch {
            let stated = "its raw values are there"
            guard case .damagedRuns(let file, let reason) = error else {
                return Finding(kind: .companion, subject: path, stated: stated, found: error.description)
            }
            return Finding(kind: .companion, subject: file, stated: stated, found: reason)
        }
    }

    static func finding(
        _ companion: Companion, directory: String, looksInside: Bool = true
    ) -> [Finding] {
        let path = "\(directory)/\(companion.file)"
        func finding(_ stated: String, _ found: String) -> [Finding] {
            [Finding(kind: .companion, subject: path, stated: stated, found: found)]
        }
        do throws(SystemError) {
            guard Files.exists(path) else { return finding("a file of \(companion.bytes) bytes", "none") }
            let length = try Files.open(path, .beside).size()
            if length != companion.bytes { return finding("\(companion.bytes) bytes", "\(length) bytes") }
            guard looksInside else { return [] }
            let (sha256, bytes) = try SHA256.file(path, .beside, expected: companion.bytes)
            if bytes != companion.bytes { return finding("\(companion.bytes) bytes", "\(bytes) bytes") }
            return sha256 == companion.sha256 ? [] : finding("sha256 \(companion.sha256)", "sha256 \(sha256)")
        } catch {
            return finding("it can be read", error.description)
        }
    }
}

extension ProfileStore {
    /// Whether a companion is there with the length that its profile states. What is in it is not looked at.
    func findings(about file: VersionSummary.File) -> [String] {
        let companion = Companion(kind: "", file: file.name, sha256: "", bytes: file.bytes)
        return Verification.finding(companion, directory: directory, looksInside: false).map(\.description)
    }
}
