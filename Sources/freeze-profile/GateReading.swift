internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileStore

/// Reads what a gate decides by. Whatever cannot be read ends it: nothing is left out.
struct GateReading {
    private let arguments: ParsedArguments
    private let directory: String
    private var store: ProfileStore { ProfileStore(directory: directory) }

    init(_ arguments: ParsedArguments) {
        self.arguments = arguments
        directory = arguments.value("profiles") ?? CaptureRequest.defaultDirectory
    }

    /// The agreements and their file. There are none where the user names no file and the default one does not exist.
    func agreements() throws(ToolFailure) -> (GateAgreements, file: String) {
        let file = arguments.value("agreements") ?? "\(directory)/gate.yaml"
        guard arguments.value("agreements") != nil || Files.exists(file) else {
            return (GateAgreements(), file)
        }
        // The first acceptance makes the file that was named.
        if arguments.value("accept") != nil, !Files.exists(file) { return (GateAgreements(), file) }
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read(file, limit: GateAgreements.maximumBytes)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        do throws(GateAgreements.Refusal) {
            return (try GateAgreements.decode(bytes, file: file), file)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    /// The evidence, and what is to be known of it.
    func evidence(
        _ policy: GateDecision.UndecidedPolicy
    ) throws(ToolFailure) -> (GateEvidence, notes: [String]) {
        let (from, fromDamage) = try verified(arguments.operands[0])
        let (to, toDamage) = try verified(arguments.operands[1])
        var settings = try ComparisonOptions.settings(arguments, profiles: directory)
        settings.gate = .stages
        // What more runs would decide has its half of the error rate.
        if policy == .measure { settings.errorRate *= GateMeasuring.share }
        if settings.allowances.contains(ComparabilityKey.edited.rawValue) {
            throw ToolFailure("A gate allows no edited profiles. Freeze the version again.", .usage)
        }
        try ComparisonOptions.checkStages(settings, of: [from, to])
        settings.ledger = try DiffCommand.ledger(arguments, for: [from, to], profiles: directory)
        let reading = arguments.has("no-shelf") ? nil : ShelfReading(store, holding: arguments.operands[0])
        if settings.ledger == nil { settings.shelf = reading?.noise(from: from, to: to) }
        var comparison = Comparison(from: from, to: to, settings: settings)
        StackArchive.explainCounts(
            &comparison, from: from, to: to,
            directories: (
                StackArchive.directory(of: arguments.operands[0], in: store),
                StackArchive.directory(of: arguments.operands[1], in: store)
            ))
        guard let today = CalendarDay(SystemClock.now.dateOnly) else {
            throw ToolFailure("The date of the system clock cannot be read.", .noInput)
        }
        let shelf = try shelf()
        let (ancestry, notes) = try ancestry(of: from, settings, shelf)
        return (
            GateEvidence(
                comparison: comparison, ancestry: ancestry,
                shelf: shelf.map { GateEvidence.Entry($0.profile) },
                damage: fromDamage + toDamage,
                removed: Set((arguments.values["removed"] ?? []).compactMap { StageName($0) }), today: today),
            notes
        )
    }

    /// The two sides, as they are frozen.
    func sides() throws(ToolFailure) -> (from: FrozenProfile, to: FrozenProfile) {
        (try verified(arguments.operands[0]).0, try verified(arguments.operands[1]).0)
    }

    /// A profile, and what is wrong with its file.
    private func verified(_ reference: String) throws(ToolFailure) -> (FrozenProfile, damage: [String]) {
        do throws(ProfileError) {
            let path = try store.path(reference: reference)
            let (profile, verification) = try Verification.verify(path: path)
            var damage = verification.findings.map(\.description)
            if ContentDigest(of: try ProfileStore.read(path: path)).stated == nil {
                damage.append(
                    "'\(path)' has no \(ContentDigest.key), so whether it was changed cannot be said. Freeze it again."
                )
            }
            return (profile, damage)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    private typealias Shelved = (path: String, profile: FrozenProfile)

    /// The summaries of everything that is frozen here.
    private func shelf() throws(ToolFailure) -> [Shelved] {
        do throws(ProfileError) {
            var found: [Shelved] = []
            for place in [store, store.archive, store.references, store.references.archive] {
                for version in try place.versions() {
                    let path = place.path(of: version)
                    found.append((path, try ProfileStore.loadSummary(path: path)))
                }
            }
            return found
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
    }

    /// The old version against the newest one before it.
    private func ancestry(
        of from: FrozenProfile, _ settings: ComparisonSettings, _ shelf: [Shelved]
    ) throws(ToolFailure) -> (Comparison?, notes: [String]) {
        let older = shelf.filter { $0.profile.date < from.date && $0.profile.release != from.release }
        guard let path = older.max(by: { $0.profile.date < $1.profile.date })?.path else { return (nil, []) }
        let before: FrozenProfile
        do throws(ProfileError) {
            before = try ProfileStore.load(path: path)
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        var settings = settings
        do throws(NoiseLedger.Refusal) {
            settings.ledger = try LedgerStore(profiles: directory).ledger(for: [before, from])
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        settings.shelf = nil
        if settings.ledger == nil, !arguments.has("no-shelf") {
            settings.shelf = ShelfReading(store, holding: arguments.operands[0])
                .noise(from: before, to: from, before: from.date)
        }
        let comparison = Comparison(from: before, to: from, settings: settings)
        if case .notComparable = comparison.outcome {
            let reason = comparison.comparability.refusals.first?.sentence ?? ""
            return (
                nil,
                [
                    "Whether \(from.release) was itself regressed cannot be said: it is not comparable with "
                        + "\(before.release). \(reason)"
                ]
            )
        }
        return (comparison, [])
    }
}
