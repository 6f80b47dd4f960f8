internal import LinuxSystem
public import Measurement

/// A way of counting the instructions that a command executes.
public protocol CountingEngine: Sendable {
    /// What it is called on the command line and in profiles, such as `qemu-user`.
    var name: String { get }
    /// What its counts depend on besides the program, such as `QEMU 7.2.22, CPU max`: counts of different ones are not
    /// compared.
    var identity: String { get }

    /// How a command is run so that it is counted.
    ///
    /// - Parameters:
    ///   - command: The program and its arguments.
    ///   - environment: Variables that the command is to find besides our own.
    ///   - directory: An empty directory for what is counted.
    func prepare(
        _ command: [String], environment: [String: String], directory: String
    ) throws(CountingError) -> CountedCommand

    /// What was counted, after the command has ended.
    ///
    /// - Parameters:
    ///   - directory: What `prepare` was given.
    ///   - watched: What the monitor read of the CPU's counter meanwhile.
    func counts(
        in directory: String, watched: WatchedInstructions
    ) throws(CountingError) -> InstructionCounts

    /// What the engine itself wrote last, besides what stands in the command's standard error.
    func words(in directory: String) -> [String]
}

extension CountingEngine {
    public func words(in directory: String) -> [String] { [] }
}

/// A command in the form in which it is counted.
public struct CountedCommand: Equatable, Sendable {
    /// The program and its arguments.
    public var arguments: [String]
    /// Variables added to our environment, or replaced in it.
    public var environment: [String: String]
}

extension CountedCommand {
    /// A command that another one executes as it is, in an environment in which the same work takes the same instructions.
    init(_ command: [String], executedBy outer: [String], added: [String: String]) {
        self.init(
            arguments: outer + command,
            environment: DeterministicEnvironment.variables(
                inherited: CurrentProcess.environment, added: added, words: command))
    }
}

/// What every kind of counting is blind to, as it is printed beside each count.
public let countingBlindSpot =
    "Counted: instructions executed in user space. Not seen: caches, waiting for I/O, the kernel. Never converted to seconds."

/// The engines of this machine.
public enum CountingEngines {
    /// An engine that was looked for.
    public struct Found: Sendable {
        public var name: String
        /// The engine, or what it lacks, as a sentence with a remedy.
        public var engine: Reading<any CountingEngine>
    }

    /// Every engine, in the order in which they are tried. Those that emulate come first: they name functions, and what they
    /// count does not depend on the machine, or less.
    public static func all() -> [Found] {
        [
            Found(name: QEMUEngine.name, engine: QEMUEngine.find().map { $0 as any CountingEngine }),
            Found(
                name: CallgrindEngine.name, engine: CallgrindEngine.find().map { $0 as any CountingEngine }),
            Found(name: HardwareEngine.name, engine: HardwareEngine.find().map { $0 as any CountingEngine }),
        ]
    }

    /// The names of all.
    public static let names = [QEMUEngine.name, CallgrindEngine.name, HardwareEngine.name]

    /// The engines that this machine has, in the order in which they are tried; at least one.
    ///
    /// - Parameter name: The only one that will do; nil for any.
    public static func usable(named name: String? = nil) throws(CountingError) -> [any CountingEngine] {
        let found = all().filter { name == nil || name == $0.name }
        let engines = found.compactMap(\.engine.value)
        guard !engines.isEmpty else { throw .noEngine(found.compactMap(\.engine.unavailableReason)) }
        return engines
    }

    /// The first engine that this machine has.
    public static func first() throws(CountingError) -> any CountingEngine {
        let engines = try usable()
        return engines[0]
    }
}
