internal import LinuxProcess
internal import LinuxSystem

/// Recognises this toolkit's own process that a script starts to mark a stage: it is no part of the pipeline.
enum StageMarkerProcess {
    /// The program's name, and its process's.
    static let program = "freeze-profile"

    /// Whether a process is `freeze-profile stage`; nil when it is of our name and has ended since, so that its words are gone.
    ///
    /// - Parameter name: The process's name as the kernel has it: only one of ours is looked at more closely.
    static func isOne(_ pid: Int32, named name: String) -> Bool? {
        guard name == program else { return false }
        let words = ProcessCommandLine.words(of: pid)
        guard let first = words.first else { return nil }
        return words.count > 1 && Files.name(of: first) == program && words[1] == "stage"
    }
}
