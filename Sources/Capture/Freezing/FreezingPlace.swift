internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import ProfileStore

/// Where a profile's files go, checked before anything is run.
struct FreezingPlace {
    let store: ProfileStore
    /// The stem of the files: the version, or the name of the file that was asked for.
    let stem: VersionName
    /// Where the profile alone goes, without companions, when it was asked for on a stream.
    private let stream: OutputDestination?
    private let overwrites: Bool

    /// - Parameters:
    ///   - version: The version to freeze.
    ///   - output: The YAML file to write, `-` or another stream; nil for the version's own place in `data/profiles`.
    ///   - overwrites: Whether a version that is frozen already is replaced.
    init(version: VersionName, output: String?, overwrites: Bool) throws(CaptureError) {
        self.overwrites = overwrites
        let destination = try Self.destination(output)
        let file = destination?.regularFile
        if destination != nil && file == nil { stream = destination } else { stream = nil }
        if let file, !Files.name(of: file).hasSuffix(".yaml") || Files.name(of: file) == ".yaml" {
            throw .wrongUsage(
                "The output file '\(PlainText.sanitized(file))' has no name that ends in .yaml. "
                    + "Give one: --output \(CaptureRequest.defaultDirectory)/\(version).yaml.")
        }
        do throws(ProfileError) {
            if let file {
                store = ProfileStore(directory: Files.directory(of: file))
                stem = try VersionName(String(Files.name(of: file).dropLast(".yaml".count)))
            } else {
                store = ProfileStore(directory: CaptureRequest.defaultDirectory)
                stem = version
            }
            if stream != nil { return }
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

    private static func destination(_ output: String?) throws(CaptureError) -> OutputDestination? {
        guard let output else { return nil }
        do throws(SystemError) {
            return try OutputDestination(output)
        } catch {
            throw .cannotWrite(PlainText.sanitized(error.description))
        }
    }

    /// Whether the profile goes to a stream, where there is nothing to append to.
    var isStream: Bool { stream != nil }

    /// The profile's file.
    var profileFile: String { store.path(of: stem) }

    /// Minutes of measuring should not end in a refusal that could have come at once.
    private func checkWritable() throws(CaptureError) {
        do throws(SystemError) {
            try Files.createDirectories(store.directory)
        } catch {
            throw .cannotWrite(error.description)
        }
        if let refusal = Files.refusalToWrite(store.directory) { throw .cannotWrite(refusal.description) }
    }

    /// Freezes a profile with its companions.
    func freeze(_ assembly: ProfileAssembly, writesStageTruth: Bool) throws(CaptureError) -> Capture.Frozen {
        if let stream { return try write(assembly.profile, to: stream) }
        let companions = assembly.companions(stem: stem, writesStageTruth: writesStageTruth)
        do throws(ProfileError) {
            let frozen = try store.freeze(
                assembly.profile, as: stem, companions: companions, force: overwrites)
            var kinds = companions.map(\.kind)
            if frozen.runsPlace == .companion { kinds.append(.runs) }
            return Capture.Frozen(
                profile: frozen, profileFile: profileFile,
                files: [profileFile] + kinds.map { store.path(of: stem, $0) })
        } catch {
            switch error {
            case .alreadyFrozen: throw .wouldOverwrite(error.description)
            default: throw .cannotWrite(error.description)
            }
        }
    }

    private func write(
        _ profile: FrozenProfile, to stream: OutputDestination
    ) throws(CaptureError) -> Capture.Frozen {
        // A stream has no companions: all raw values stand in the text, if it can hold them.
        var profile = profile
        profile.companions = []
        profile.runsPlace = .inline
        let text = profile.encode()
        guard
            profile.rows <= FrozenProfile.maximumInlineRows || text.count <= ProfileStore.maximumProfileBytes
        else {
            throw .cannotWrite(
                "The profile is \(text.count) bytes long with its raw values, and at most "
                    + "\(ProfileStore.maximumProfileBytes) are read of one. Freeze it into a file, which keeps them "
                    + "in a companion: --output \(CaptureRequest.defaultDirectory)/\(profile.release).yaml.")
        }
        do throws(SystemError) {
            try stream.write(text)
        } catch {
            throw .cannotWrite(PlainText.sanitized(error.description))
        }
        return Capture.Frozen(profile: profile, profileFile: profileFile, files: [])
    }
}
