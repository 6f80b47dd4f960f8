internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileComparison
internal import ProfileStore

/// The frozen versions that a comparison may learn the noise between sessions from.
struct ShelfReading {
    static let option = CommandSyntax.Option.flag(
        "no-shelf", "learn no noise between sessions from other frozen versions")

    private let store: ProfileStore

    /// The shelf of a directory, or the one on which a version lies that is named by a path.
    init(_ store: ProfileStore, holding reference: String) {
        let directory = Files.directory(of: reference)
        let known = [store, store.archive, store.references, store.references.archive].map(\.directory)
        let isPath = reference.contains("/") || reference.hasSuffix(".yaml")
        self.store =
            isPath && !known.contains(directory) ? ProfileStore(directory: directory) : store
    }

    /// What other versions show of the noise between sessions; nil with `--no-shelf`, or where there are none.
    ///
    /// A version that cannot be read, or was changed after it was frozen, is left out and counted.
    func noise(from: FrozenProfile, to: FrozenProfile, before date: String? = nil) -> ShelfNoise? {
        var leftOut: [String: Int] = [:]
        var found: [(path: String, summary: FrozenProfile)] = []
        // References are copies of versions.
        for place in [store, store.archive] {
            do throws(ProfileError) {
                for version in try place.versions() {
                    let path = place.path(of: version)
                    do throws(ProfileError) {
                        let summary = try ProfileStore.loadSummary(path: path)
                        if let date, summary.date > date { continue }
                        if [from, to].contains(where: {
                            $0.release == summary.release && $0.date == summary.date
                        }) {
                            continue
                        }
                        if let reason = ShelfNoise.mismatch(summary, with: from) {
                            leftOut[reason, default: 0] += 1
                        } else {
                            found.append((path, summary))
                        }
                    } catch {
                        leftOut[Self.unreadable, default: 0] += 1
                    }
                }
            } catch {
                leftOut["in directories that cannot be read", default: 0] += 1
            }
        }
        found.sort { $0.summary.date > $1.summary.date }
        // Those before the old side first, then later ones.
        let nearest =
            found.filter { $0.summary.date <= from.date } + found.filter { $0.summary.date > from.date }
        var profiles: [FrozenProfile] = []
        for (path, _) in nearest.prefix(ShelfNoise.mostVersions) {
            do throws(ProfileError) {
                let bytes = try ProfileStore.read(path: path, .beside)
                guard ContentDigest(of: bytes).agrees else {
                    leftOut["changed after freezing", default: 0] += 1
                    continue
                }
                // Whole, with runs that stand in a companion.
                profiles.append(try ProfileStore.load(path: path, .beside))
            } catch {
                leftOut[Self.unreadable, default: 0] += 1
            }
        }
        let noise = ShelfNoise(profiles, from: from, to: to, leftOut: leftOut)
        return noise.isEmpty && noise.leftOut.isEmpty ? nil : noise
    }

    private static let unreadable = "unreadable"
}
