internal import LinuxProcess
internal import LinuxSystem
public import Measurement

/// Counting by QEMU's user-mode emulation with a plugin of ours: every process of the tree, by block, thread and stage.
public struct QEMUEngine: CountingEngine {
    public static let name = "qemu-user"

    /// The emulator's path and what it says of its version.
    let emulator: String
    let version: String
    /// The plugin's path.
    let plugin: String

    /// The emulated CPU: all that the emulator can do, whatever the machine is.
    static let cpuModel = "max"
    /// Raised when the plugin counts the same work otherwise than before. 2: instructions across pages count once.
    static let counterVersion = 2
    /// The file of the plugin, which the package builds.
    public static let pluginFile = "libinstruction-counter.so"

    public var name: String { Self.name }
    public var identity: String { "QEMU \(version), CPU \(Self.cpuModel), counter \(Self.counterVersion)" }

    /// The engine of this machine, or what it lacks, as a sentence.
    ///
    /// - Parameter plugin: Where the plugin is; nil to look beside this program.
    public static func find(plugin: String? = nil) -> Reading<QEMUEngine> {
        let program = "qemu-" + CurrentProcess.kernel.machine
        guard let emulator = Programs.installed(program) else {
            return .unavailable(
                reason: "There is no '\(program)' in PATH. Install it: sudo apt-get install qemu-user.")
        }
        guard let found = plugin ?? BesideProgram.path(of: pluginFile) else {
            return .unavailable(
                reason: "'\(pluginFile)' is not beside '\(CurrentProcess.executable)'. Build it: swift build."
            )
        }
        // `qemu-x86_64 version 7.2.22 (Debian 1:7.2+dfsg-7)`
        let words = CommandOutput.of([emulator, "--version"]).map { $0.split(whereSeparator: \.isWhitespace) }
        guard let text = words.value, let at = text.firstIndex(of: "version"), at + 1 < text.count else {
            let reason = words.unavailableReason ?? "it does not print its version"
            return .unavailable(reason: "'\(emulator)' cannot be used: \(reason).")
        }
        let version = PlainText.sanitized(text[at + 1], maximumCharacters: 32)
        return .value(QEMUEngine(emulator: Files.absolute(emulator), version: version, plugin: found))
    }

    public func prepare(
        _ command: [String], environment: [String: String], directory: String
    ) throws(CountingError) -> CountedCommand {
        guard let first = command.first, let path = Programs.path(of: first) else {
            throw .cannotCount(
                "Cannot run '\(PlainText.sanitized(command.first ?? ""))': there is no such program.")
        }
        let format: ProgramFormat
        switch ProgramFormat.of(path) {
        case .value(let found): format = found
        case .unavailable(let reason): throw .cannotCount("The command cannot be emulated: \(reason).")
        }
        let separators = ["'\(directory)'": directory, "'\(plugin)'": plugin].filter {
            $0.value.contains(",")
        }
        if let named = separators.keys.first {
            throw .cannotCount("The emulator cannot be given \(named): the path has a comma.")
        }
        do throws(SystemError) {
            try CountDirectory(path: directory).prepare(
                emulator: emulator, plugin: plugin, cpuModel: Self.cpuModel)
        } catch {
            throw .cannotWrite(error.description)
        }
        // Variables of the dynamic loader would act on the emulator too: it sets them for the program alone.
        let loaders = Self.loadersVariables(environment)
        let name = format.added.isEmpty ? first : format.program
        let arguments = [format.program] + format.added + command.dropFirst()
        let words =
            [emulator, "-seed", "1", "-cpu", Self.cpuModel, "-plugin", "\(plugin),directory=\(directory)"]
            + loaders.flatMap { ["-E", $0] } + ["-0", name] + arguments
        var variables = DeterministicEnvironment.variables(
            inherited: CurrentProcess.environment, added: environment, words: [name] + arguments)
        for entry in loaders { variables[String(entry.prefix { $0 != "=" })] = "" }
        return CountedCommand(arguments: words, environment: variables)
    }

    /// `LD_PRELOAD=…` and the like, of our environment and of what is added to it.
    private static func loadersVariables(_ added: [String: String]) -> [String] {
        ["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT"].compactMap { name in
            let value = added[name] ?? CurrentProcess.environmentVariable(name)
            return value.flatMap { $0.isEmpty ? nil : "\(name)=\($0)" }
        }
    }

    public func counts(
        in directory: String, watched: WatchedInstructions
    ) throws(CountingError) -> InstructionCounts {
        try CountDirectory(path: directory).read()
    }
}
