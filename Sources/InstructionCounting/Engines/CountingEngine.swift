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
    func counts(in directory: String) throws(CountingError) -> InstructionCounts
}

/// A command in the form in which it is counted.
public struct CountedCommand: Equatable, Sendable {
    /// The program and its arguments.
    public var arguments: [String]
    /// Variables added to our environment, or replaced in it.
    public var environment: [String: String]
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

    /// Every engine, in the order in which they are tried.
    public static func all() -> [Found] {
        [Found(name: QEMUEngine.name, engine: QEMUEngine.find().map { $0 as any CountingEngine })]
    }

    /// The first engine that this machine has.
    ///
    /// - Parameter name: The only one that will do; nil for any.
    public static func first(named name: String? = nil) throws(CountingError) -> any CountingEngine {
        var reasons: [String] = []
        for found in all() where name == nil || name == found.name {
            switch found.engine {
            case .value(let engine): return engine
            case .unavailable(let reason): reasons.append(reason)
            }
        }
        throw .noEngine(reasons)
    }
}
