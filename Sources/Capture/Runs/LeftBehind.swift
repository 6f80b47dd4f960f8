internal import LinuxProcess
internal import LinuxSystem
internal import Measurement

/// Processes that a run's command had started and that outlived it.
struct LeftBehind: Equatable, Sendable {
    /// What became of them.
    enum Fate: Equatable, Sendable {
        /// They were ended, so that they disturb no other run.
        case ended
        /// They were left running, as asked.
        case leftRunning
        /// The kernel did not end these.
        case remain([AdoptedProcesses.Name])
    }

    /// Those that lived when the command ended.
    var processes: [AdoptedProcesses.Name]
    /// What all that had outlived their parents used until then; it is counted in the run.
    var cpu: Duration
    var fate: Fate

    /// How long they have to heed the request to end.
    static let grace = Duration.seconds(2)
    private static let mostNamed = 5

    /// A sentence, for the profile's notes.
    var note: String {
        let isOne = processes.count == 1
        let what = isOne ? "A process outlived its run" : "\(processes.count) processes outlived their run"
        let used =
            "used \(cpu.inSeconds.fixed(3)) s of CPU time, which \(isOne ? "is" : "are") counted in the run"
        switch fate {
        case .ended:
            return "\(what) (\(names(processes))), \(used), and \(isOne ? "was" : "were") ended after it."
        case .leftRunning:
            return
                "\(what) (\(names(processes))), \(used), and still \(isOne ? "runs" : "run") (--leave-running): "
                + "later runs may be disturbed."
        case .remain(let rest):
            return
                "\(what) (\(names(processes))), \(used). The kernel has not ended \(names(rest)): later runs may be "
                + "disturbed."
        }
    }

    private func names(_ processes: [AdoptedProcesses.Name]) -> String {
        var words: [String] = []
        for process in processes {
            // A process may name itself after its own arguments.
            let name = SecretRedaction([]).redacted(name: process.program)
            let word = PlainText.sanitized(name, maximumCharacters: 16)
            if !words.contains(word) { words.append(word) }
        }
        return words.prefix(Self.mostNamed).joined(separator: ", ")
            + (words.count > Self.mostNamed ? ", ..." : "")
    }
}
