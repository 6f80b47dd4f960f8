internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileStore

/// Where a profile's files go, checked before anything is run.
struct FreezingPlace {
    let store: ProfileStore
    /// The stem of the files: the version, or the name of the file that was asked for.
    let stem: VersionName
    private let overwrites: Bool

    /// - Parameters:
    ///   - version: The version to freeze.
    ///   - output: The YAML file to write; nil for the version's own place in `data/profiles`.
    ///   - overwrites: Whether a version that is frozen already is replaced.
    init(version: VersionName, output: String?, overwrites: Bool) throws(CaptureError) {
        self.overwrites = overwrites
        if let output, !Files.name(of: output).hasSuffix(".yaml") || Files.name(of: output) == ".yaml" {
            throw .wrongUsage(
                "The output file '\(PlainText.sanitized(output))' has no name that ends in .yaml. "
                    + "Give one: --output \(CaptureRequest.defaultDirectory)/\(version).yaml.")
        }
        do throws(ProfileError) {
            if let output {
                let name = Files.name(of: output)
                store = ProfileStore(directory: Files.directory(of: output))
                stem = try VersionName(String(name.dropLast(".yaml".count)))
            } else {
                store = ProfileStore(directory: CaptureRequest.defaultDirectory)
                stem = version
            }
            try store.recover()
            if store.contains(stem) && !overwrites {
                throw ProfileError.alreadyFrozen(version: stem.text, file: store.path(of: stem))
            }
        } catch {
            switch error {
            case .alreadyFrozen: throw .wouldOverwrite(error.description)
            default: throw .cannotWrite(error.description)
            }
        }
        try checkWritable()
    }

    /// The profile's file.
    var profileFile: String { store.path(of: stem) }

    /// Minutes of measuring should not end in a refusal that could have come at once.
    private func checkWritable() throws(CaptureError) {
        do throws(SystemError) {
            try Files.createDirectories(store.directory)
        } catch {
            throw .cannotWrite(error.description)
        }
        guard Files.isWritable(store.directory) else {
            throw .cannotWrite("Cannot write to the directory '\(store.directory)': permission denied.")
        }
    }

    /// Freezes a profile with its companions.
    func freeze(_ assembly: ProfileAssembly, writesStageTruth: Bool) throws(CaptureError) -> Capture.Frozen {
        let companions = assembly.companions(stem: stem, writesStageTruth: writesStageTruth)
        do throws(ProfileError) {
            let frozen = try store.freeze(
                assembly.profile, as: stem, companions: companions, force: overwrites)
            return Capture.Frozen(
                profile: frozen, profileFile: profileFile,
                files: [profileFile] + companions.map { store.path(of: stem, $0.kind) })
        } catch {
            switch error {
            case .alreadyFrozen: throw .wouldOverwrite(error.description)
            default: throw .cannotWrite(error.description)
            }
        }
    }
}
