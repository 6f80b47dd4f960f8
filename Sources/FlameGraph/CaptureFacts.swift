public import Measurement

/// How the samples of a picture were made: its footer.
///
/// A fact that is unavailable is shown with its reason; a fact that is nil is not shown.
public struct CaptureFacts: Sendable {
    /// The command that was measured.
    public var command: Reading<String>?
    /// The machine.
    public var host: Reading<String>?
    /// The version that was measured.
    public var version: Reading<String>?
    /// How stacks were sampled, such as `perf events, CPU clock`.
    public var sampler: Reading<String>?
    /// Samples per second.
    public var rate: Reading<Double>?
    /// Samples that were taken.
    public var samples: Reading<Int64>?
    /// Samples that were lost.
    public var lost: Reading<Int64>?
    /// Samples whose stack was cut off.
    public var truncated: Reading<Int64>?
    /// How long was sampled.
    public var duration: Reading<Duration>?
    /// Further facts: a label and a text each.
    public var further: [(label: String, text: String)] = []

    /// No facts yet.
    public init() {}

    /// The facts in order, as a label and a text each.
    var lines: [(label: String, text: String)] {
        func line<Value>(
            _ label: String, _ reading: Reading<Value>?, _ format: (Value) -> String
        ) -> [(label: String, text: String)] {
            switch reading {
            case nil: []
            case .value(let value): [(label, format(value))]
            case .unavailable(let reason): [(label, "unavailable (\(reason))")]
            }
        }
        return line("command", command) { $0 } + line("version", version) { $0 } + line("host", host) { $0 }
            + line("sampler", sampler) { $0 }
            + line("rate", rate) { "\($0.fixed($0 == $0.rounded() ? 0 : 1)) Hz" }
            + line("samples", samples) { LabelText.grouped($0) }
            + line("lost", lost) { LabelText.grouped($0) }
            + line("truncated", truncated) { LabelText.grouped($0) }
            + line("duration", duration) { $0.readable } + further
    }
}
