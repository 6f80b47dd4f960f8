internal import Capture
internal import CommandLineTool
internal import FrozenProfile
internal import LinuxSystem
internal import Measurement

/// Reports how far a capture is: a bar with the time left before each run, or without a terminal a line.
struct CaptureProgress {
    private let isTerminal = Terminal.isTerminal(Terminal.standardError)
    private let naming = TerminalProgress("capture: naming functions")

    /// Shows what a capture reports.
    func show(_ event: Capture.Event) {
        switch event {
        case .note(let sentence): Console.note("capture: \(sentence)")
        case .run(let kind, let number, let count, _, let left):
            let bar = isTerminal ? ProgressBar.text(Double(number - 1) / Double(max(count, 1))) + " " : ""
            let time = left.map { ", about \($0.readable) left" } ?? ""
            Console.note("capture: \(bar)run \(number) of \(count), \(kind.inWords)\(time)")
        case .made:
            if isTerminal { Console.note("capture: \(ProgressBar.text(1)) all runs are made") }
        case .naming(let share): naming.show(share)
        }
    }
}

extension RunKind {
    fileprivate var inWords: String {
        switch self {
        case .warmUp: "warm-up"
        case .measured: "measured"
        case .profiled: "profiled"
        case .counted: "counted (its instructions, under emulation)"
        }
    }
}
