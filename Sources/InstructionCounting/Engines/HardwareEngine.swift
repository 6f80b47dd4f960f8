internal import LinuxProcess
internal import LinuxSystem
public import Measurement
internal import Stages

/// Counting by the CPU's own counter of instructions in user mode, at nearly the speed of a run that is not counted.
///
/// The monitor reads it at the edges of stages. It names no functions, and its counts belong to one model of CPU: so it is tried
/// after the engines that emulate.
public struct HardwareEngine: CountingEngine {
    public static let name = "hardware"

    public var name: String { Self.name }
    public var identity: String { "instructions:u of \(CPUModel.name)" }

    /// The engine of this machine, or what it lacks, as a sentence.
    public static func find() -> Reading<HardwareEngine> {
        do throws(SystemError) {
            _ = try TreeCounter(.instructions, processes: [CurrentProcess.pid])
        } catch {
            return .unavailable(
                reason:
                    "The CPU's counter of instructions cannot be used: \(error.description). A virtual machine has it "
                    + "where its host passes it on.")
        }
        return .value(HardwareEngine())
    }

    public func prepare(
        _ command: [String], environment: [String: String], directory: String
    ) throws(CountingError) -> CountedCommand {
        // The same addresses each time, where util-linux is there to ask for them.
        let same = Programs.installed("setarch").map { [$0, "--addr-no-randomize"] } ?? []
        return CountedCommand(command, executedBy: same, added: environment)
    }

    public func counts(
        in directory: String, watched: WatchedInstructions
    ) throws(CountingError) -> InstructionCounts {
        guard let total = watched.total.value else {
            throw .unreadable(
                "The CPU's counter of instructions gave nothing: \(watched.total.unavailableReason ?? "").")
        }
        let calls = Reading<[String: Int64]>.unavailable(
            reason: "a counter of instructions does not see system calls")
        func stage(_ name: StageName?, _ entered: Int, _ count: Int64) -> InstructionCounts.Stage {
            InstructionCounts.Stage(stage: name, entered: entered, instructions: count, systemCalls: calls)
        }
        var notes = ["The CPU's counter of instructions names no functions and sees no system calls."]
        let known = watched.stages.compactMap { stage in stage.instructions.value.map { (stage, $0) } }
        // A stage's count is that of all processes between its edges: what overlaps would count twice.
        guard known.count == watched.stages.count, !watched.stages.contains(where: \.isShared) else {
            notes.append(
                "Only the whole run is counted: stages overlap, or were over before the counter could be read."
            )
            return InstructionCounts(
                stages: [stage(nil, 0, total)], functions: nil, processes: 1, notes: notes)
        }
        let inside = known.reduce(0) { $0 + $1.1 }
        return InstructionCounts(
            stages: known.map { stage($0.0.name, $0.0.entered, $0.1) }
                + [stage(nil, 0, max(0, total - inside))],
            functions: nil, processes: 1, notes: notes)
    }
}

/// What the monitor read of the CPU's counter of instructions in a run.
public struct WatchedInstructions: Sendable {
    /// Between the edges of one stage.
    public struct Stage: Sendable {
        public var name: StageName
        public var entered: Int
        public var instructions: Reading<Int64>
        /// Whether another stage was open at the same time.
        public var isShared: Bool

        /// A stage.
        public init(name: StageName, entered: Int, instructions: Reading<Int64>, isShared: Bool) {
            self.name = name
            self.entered = entered
            self.instructions = instructions
            self.isShared = isShared
        }
    }

    /// In order of first entry.
    public var stages: [Stage]
    public var total: Reading<Int64>

    /// What was read.
    public init(stages: [Stage], total: Reading<Int64>) {
        self.stages = stages
        self.total = total
    }
}
