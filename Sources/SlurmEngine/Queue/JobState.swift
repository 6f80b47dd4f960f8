internal import Measurement

/// What Slurm says of a task.
public enum JobState: Equatable, Sendable {
    /// It waits for its turn, or until the user releases it.
    case waiting
    case running
    case ended(Ending)
    /// A word that this version does not know.
    case unknown(String)

    /// How a task came to its end, in Slurm's eyes.
    public enum Ending: String, CaseIterable, Sendable {
        case completed = "COMPLETED"
        /// Its script exited with another code than 0.
        case failed = "FAILED"
        case cancelled = "CANCELLED"
        case timedOut = "TIMEOUT"
        case preempted = "PREEMPTED"
        case nodeFailed = "NODE_FAIL"
        case outOfMemory = "OUT_OF_MEMORY"
        case bootFailed = "BOOT_FAIL"
        case deadline = "DEADLINE"
        case revoked = "REVOKED"

        /// What happened, as a phrase after the task's name.
        public var phrase: String {
            switch self {
            case .completed: "completed"
            case .failed: "failed"
            case .cancelled: "was cancelled"
            case .timedOut: "reached its time limit"
            case .preempted: "was preempted by a job of higher priority"
            case .nodeFailed: "lost its node"
            case .outOfMemory: "was ended for its use of memory"
            case .bootFailed: "got a node that did not boot"
            case .deadline: "reached its deadline"
            case .revoked: "was given to another cluster"
            }
        }
    }

    private static let waitingWords: Set = [
        "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT",
    ]
    private static let runningWords: Set = [
        "RUNNING", "COMPLETING", "CONFIGURING", "SUSPENDED", "STOPPED", "SIGNALING", "RESIZING",
        "STAGE_OUT",
    ]

    /// The state that a word of squeue or sacct says: `RUNNING`, `CANCELLED by 1000`, `CANCELLED+`.
    public init(_ text: some StringProtocol) {
        let word = String(text.prefix { $0 != " " && $0 != "+" })
        if JobState.waitingWords.contains(word) {
            self = .waiting
        } else if JobState.runningWords.contains(word) {
            self = .running
        } else if let ending = Ending(rawValue: word) {
            self = .ended(ending)
        } else {
            self = .unknown(PlainText.sanitized(word, maximumCharacters: 40))
        }
    }
}
