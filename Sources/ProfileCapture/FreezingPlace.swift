internal import FlameGraph
internal import FrozenProfile
internal import LinuxSystem
internal import StackProfile

/// Where a capture's files go, checked before anything is run.
struct FreezingPlace {
    private let store: ProfileStore
    /// The stem of the files: the version, or the name of the file that was asked for.
    private let stem: VersionName
    private let overwrites: Bool

    init(_ request: CaptureRequest) throws(CaptureError) {
        overwrites = request.overwrites
        do throws(ProfileError) {
            if let output = request.output {
                let name = Files.name(of: output)
                guard name.hasSuffix(".yaml"), name != ".yaml" else {
                    throw ProfileError.invalidVersion(
                        output, reason: "the output file's name does not end in .yaml")
                }
                store = ProfileStore(directory: Files.directory(of: output))
                stem = try VersionName(String(name.dropLast(".yaml".count)))
            } else {
                store = ProfileStore(directory: CaptureRequest.defaultDirectory)
                stem = request.version
            }
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
        if let configuration = request.configurationFile, !Files.isRegularFile(configuration) {
            throw .noInput("There is no configuration file '\(configuration)'.")
        }
    }

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
    func freeze(_ assembly: ProfileAssembly) throws(CaptureError) -> Capture.Frozen {
        var companions: [(kind: CompanionKind, source: CompanionSource)] = []
        if assembly.request.writesStageTruth {
            let truth = assembly.stageTruth(archivedLog: Files.name(of: store.path(of: stem, .monitorLog)))
            companions.append((.stageTruth, .bytes(truth.encode())))
        }
        if Files.exists(assembly.measured.logFile) {
            companions.append((.monitorLog, .file(assembly.measured.logFile)))
        }
        if let profile = assembly.stacks.profile {
            companions.append((.flamegraph, .bytes(assembly.flamegraph(of: profile))))
            companions.append((.stacks, .bytes(assembly.pprof(of: profile))))
        }
        do throws(ProfileError) {
            let frozen = try store.freeze(
                assembly.profile(), as: stem, companions: companions, force: overwrites)
            return Capture.Frozen(
                profile: frozen, profileFile: store.path(of: stem),
                files: [store.path(of: stem)] + companions.map { store.path(of: stem, $0.kind) })
        } catch {
            throw .cannotWrite(error.description)
        }
    }
}
