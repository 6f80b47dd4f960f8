public import FrozenProfile
internal import LinuxSystem
public import Measurement
internal import YAMLDocument

/// A promotion: a profile that is good enough to compare with for years becomes a reference under a name of its own.
///
/// It is planned first, which finds every reason against it without writing anything, and then carried out whole.
public struct Promotion: Sendable {
    /// What is asked for.
    public struct Request: Sendable {
        /// A version, or the path of a profile.
        public var source: String
        /// The reference's name.
        public var id: String
        /// Why, for later readers.
        public var reason: String
        /// Whether a profile without its stage truth is refused.
        public var requiresStageTruth: Bool
        /// The tool and its version, such as `freeze-profile 1.2.0`.
        public var tool: String
        public var at: Timestamp

        /// A request.
        public init(
            source: String, id: String, reason: String, requiresStageTruth: Bool = true, tool: String,
            at: Timestamp
        ) {
            self.source = source
            self.id = id
            self.reason = reason
            self.requiresStageTruth = requiresStageTruth
            self.tool = tool
            self.at = at
        }
    }

    /// The profile as it will stand among the references, stamped.
    public let profile: FrozenProfile
    /// The files that will be written and what they are copied from, the profile first.
    public let copies: [(from: String, to: String)]
    /// What the user who promotes should know, in sentences.
    public let notes: [String]

    private let id: VersionName
    private let target: ProfileStore
    private let companions: [(kind: CompanionKind, source: CompanionSource)]

    /// Plans a promotion from one store into its references. Writes nothing.
    public init(_ request: Request, in store: ProfileStore) throws(LifecycleError) {
        id = try Promotion.checkedName(request.id)
        guard request.reason.contains(where: { !$0.isWhitespace }) else {
            throw .refused("A reference needs a reason that is still understood in years: --reason TEXT.")
        }
        target = store.references
        for place in [target, target.archive] where place.contains(id) {
            throw LifecycleError(.referenceExists(id: id.text, file: place.path(of: id)))
        }
        let source: (store: ProfileStore, version: VersionName)
        var profile: FrozenProfile
        let verification: Verification
        do throws(ProfileError) {
            source = try store.locate(reference: request.source)
            (profile, verification) = try Verification.verify(
                path: source.store.path(of: source.version), .beside)
        } catch {
            throw LifecycleError(error)
        }
        let found = try Promotion.companions(of: profile, source, request)
        let problems =
            Promotion.problems(of: profile) + verification.findings.map(\.description) + found.problems
        let file = PlainText.sanitized(source.store.path(of: source.version), maximumCharacters: 300)
        guard problems.isEmpty else {
            throw .noInput(
                (["'\(file)' cannot be promoted:"] + problems.map { "- \($0)" }
                    + ["Freeze the version again."]).joined(separator: "\n"))
        }
        profile.promoted = Promotion.stamp(request, id: id, file: source.store.path(of: source.version))
        self.profile = profile
        companions = found.kinds.map { kind in
            (kind, .file(source.store.path(of: source.version, kind)))
        }
        copies =
            [(source.store.path(of: source.version), target.path(of: id))]
            + found.kinds.map { [target, id] kind in
                (source.store.path(of: source.version, kind), target.path(of: id, kind))
            }
        notes = Promotion.notes(on: profile)
    }

    /// Writes the reference with its companions, whole or not at all, and returns it with its companions' digests.
    @discardableResult
    public func perform() throws(LifecycleError) -> FrozenProfile {
        do throws(ProfileError) {
            return try target.freeze(profile, as: id, companions: companions)
        } catch {
            if case .system = error { throw .cannotWrite(error.description) }
            throw LifecycleError(error)
        }
    }

    /// A reference's name: any version's that is not work in progress.
    private static func checkedName(_ text: String) throws(LifecycleError) -> VersionName {
        guard !text.lowercased().contains("wip") else {
            throw .refused(
                "'\(PlainText.sanitized(text, maximumCharacters: 128))' cannot name a reference: it contains 'wip', "
                    + "and a reference is not work in progress. Choose another name.")
        }
        do throws(ProfileError) {
            return try VersionName(text)
        } catch {
            throw LifecycleError(error)
        }
    }

    /// What a reference has to have, as sentences about what this one lacks.
    private static func problems(of profile: FrozenProfile) -> [String] {
        var sentences: [String] = []
        let known = FrozenProfile.newestKnown(major: profile.schema.major)
        if profile.schema.major == known.major, profile.schema.minor > known.minor {
            sentences.append(
                "It has schema \(profile.schema), of which this version of freeze-profile would lose what is newer "
                    + "than \(known).")
        }
        func require(_ reading: Reading<some Any>, _ key: String) {
            if let reason = reading.unavailableReason {
                sentences.append("It has no \(key): \(PlainText.sanitized(reason, maximumCharacters: 200)).")
            }
        }
        require(profile.datasetID, "dataset_id")
        require(profile.totals.use.wallSeconds, "totals.wall_time_s")
        require(profile.totals.use.peakResidentMB, "totals.peak_rss_mb")
        if profile.stages.isEmpty { sentences.append("It has no stages.") }
        for stage in profile.stages {
            require(stage.use.wallSeconds, "stages.\(stage.stage.text).wall_time_s")
        }
        if profile.environment.identity.facts.values.allSatisfy({ $0.value == nil }) {
            sentences.append("It does not say where it was measured: environment.identity is empty.")
        }
        if profile.schema.major > SchemaVersion.older.major {
            if profile.measuredRuns.isEmpty { sentences.append("It has no measured run that ended well.") }
        }
        return sentences
    }

    /// The companions that are there, and what is wrong with them.
    private static func companions(
        of profile: FrozenProfile, _ source: (store: ProfileStore, version: VersionName), _ request: Request
    ) throws(LifecycleError) -> (kinds: [CompanionKind], problems: [String]) {
        let kinds = CompanionKind.allCases.filter {
            Files.isRegularFile(source.store.path(of: source.version, $0))
        }
        var problems: [String] = []
        let known = Set(CompanionKind.allCases.map { source.version.text + $0.suffix })
        for companion in profile.companions where !known.contains(companion.file) {
            problems.append(
                "Its companion '\(PlainText.sanitized(companion.file, maximumCharacters: 200))' is not named as "
                    + "those of \(source.version) are, so it cannot be given the new name.")
        }
        let path = source.store.path(of: source.version, .stageTruth)
        guard kinds.contains(.stageTruth) else {
            if request.requiresStageTruth {
                problems.append("It has no stage truth '\(path)'; --no-stage-truth-required goes without.")
            }
            return (kinds, problems)
        }
        do throws(ProfileError) {
            problems += check(try StageTruth.load(path: path), against: profile, path: path)
        } catch {
            problems.append(error.description)
        }
        return (kinds, problems)
    }

    /// Whether a stage truth is that of a profile.
    private static func check(
        _ truth: StageTruth, against profile: FrozenProfile, path: String
    ) -> [String] {
        var sentences: [String] = []
        if truth.release != profile.release {
            sentences.append(
                "'\(path)' is of release \(PlainText.sanitized(truth.release, maximumCharacters: 100)), not of "
                    + "\(PlainText.sanitized(profile.release, maximumCharacters: 100)).")
        }
        let reported = Set(truth.stages.map(\.stage))
        let missing = profile.stages.map(\.stage).filter { !reported.contains($0) }
        if !missing.isEmpty {
            sentences.append("'\(path)' has no \(missing.map(\.text).joined(separator: ", ")).")
        }
        return sentences
    }

    /// The mapping that the older tool writes, and who wrote it.
    private static func stamp(_ request: Request, id: VersionName, file: String) -> YAMLMapping {
        [
            "promoted_id": .text(id.text), "promoted_from": .text(file),
            "promoted_at": .text(request.at.iso8601WithoutFraction), "reason": .text(request.reason),
            "promoted_by": .text(request.tool),
        ]
    }

    private static func notes(on profile: FrozenProfile) -> [String] {
        var sentences: [String] = []
        if profile.environment.identity[.gitDirty].value == .bool(true) {
            sentences.append(
                "It was measured with uncommitted changes, so that version cannot be built again.")
        }
        if let runs = profile.totals.runs, runs < NoiseReview.Limits().runs {
            sentences.append(
                "It rests on \(runs) measured \(runs == 1 ? "run" : "runs"); a reference should have at least "
                    + "\(NoiseReview.Limits().runs).")
        }
        if let reason = profile.episodesProcessed.unavailableReason {
            sentences.append(
                "It does not say how many items it worked on, so a comparison cannot check that: "
                    + "\(PlainText.sanitized(reason, maximumCharacters: 200)).")
        }
        if profile.release.lowercased().contains("wip") {
            sentences.append("Its release is still called \(PlainText.sanitized(profile.release)).")
        }
        return sentences
    }
}
