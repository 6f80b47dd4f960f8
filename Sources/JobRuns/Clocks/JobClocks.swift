internal import LinuxSystem
internal import SlurmEngine

/// Asks the nodes of a run what their clocks show.
public struct JobClocks {
    /// By ``NodeMoment/clock``.
    public private(set) var clocks: [String: NodeClock] = [NodeMoment.here: .ours]
    /// Why nodes could not be asked, by node.
    public private(set) var problems: [String: String] = [:]

    /// How often a node is asked at a time: the shortest round trip counts.
    private static let times = 40
    private let program: [String]

    /// - Parameter program: A program that answers each line with its clocks, on all nodes.
    public init(program: [String]) {
        self.program = program
    }

    /// Our wall clock less our monotonic one, in nanoseconds.
    public static var wallClock: Int64 {
        let now = NodeMoment.now()
        return now.epochNanoseconds - now.monotonicNanoseconds
    }

    /// Asks the nodes of some tasks whose clocks are not ours.
    ///
    /// - Parameter isRunning: Whether their allocations are still there: then the question is a step beside theirs.
    public mutating func ask(_ tasks: [TaskHeader], isRunning: Bool) {
        var seen: Set<String> = [NodeMoment.here]
        for task in tasks where seen.insert(task.began.clock).inserted {
            do throws(SlurmError) {
                let answers = try NodeQuestions.ask(
                    node: task.node, allocation: isRunning ? task.allocation : nil, program: program,
                    times: Self.times)
                add(answers, of: task)
            } catch {
                problems[task.node] = error.description
            }
        }
    }

    /// What a reader should know of nodes that could not be asked.
    public var sentences: [String] {
        problems.keys.sorted().map { node in
            "Node \(node) was not asked for its clock. \(problems[node] ?? "")"
        }
    }

    private mutating func add(_ answers: [NodeQuestions.Exchange], of task: TaskHeader) {
        let exchanges = answers.compactMap { answer in
            NodeMoment(line: answer.answer).map {
                ClockExchange(asked: answer.asked, answered: answer.answered, moment: $0)
            }
        }
        guard exchanges.contains(where: { $0.moment.clock == task.began.clock }) else {
            problems[task.node] =
                exchanges.isEmpty
                ? "its answer is not understood" : "it has another clock now: it was started again"
            return
        }
        problems[task.node] = nil
        clocks[task.began.clock, default: NodeClock()].add(exchanges, wallClock: Self.wallClock)
    }
}
