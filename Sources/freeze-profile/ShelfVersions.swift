internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileStore

/// The versions of a directory that can be read, and what `diff` would say of two of them.
struct ShelfVersions {
    let directory: String
    /// In order of their names.
    private(set) var profiles: [FrozenProfile] = []
    /// Why versions could not be read, as sentences.
    private(set) var problems: [String] = []
    private let settings: ComparisonSettings
    private let memory = ShelfMemory()

    init(_ directory: String, settings: ComparisonSettings) throws(ToolFailure) {
        self.directory = directory
        self.settings = settings
        let store = ProfileStore(directory: directory)
        do throws(ProfileError) {
            for version in try store.versions() {
                do throws(ProfileError) {
                    profiles.append(try ProfileStore.load(path: store.path(of: version), .beside))
                } catch {
                    problems.append(error.description)
                }
            }
        } catch {
            throw ToolFailure(error.description, .noInput)
        }
        guard !profiles.isEmpty else {
            throw ToolFailure(
                "There is no profile in '\(PlainText.sanitized(directory))' that can be read. Freeze a version with "
                    + "'freeze-profile capture', or say where they are with --profiles.", .noInput)
        }
    }

    /// What `diff` would say of two versions.
    func compare(_ from: FrozenProfile, _ to: FrozenProfile) -> Comparison {
        var settings = settings
        do throws(NoiseLedger.Refusal) {
            settings.ledger = try LedgerStore(profiles: directory).ledger(for: [from, to])
        } catch {
            Console.note("Without a noise ledger: \(error)")
        }
        if settings.ledger == nil {
            settings.shelf = ShelfNoise(profiles, from: from, to: to, memory: memory)
        }
        return Comparison(from: from, to: to, settings: settings)
    }
}
