public import LinuxProcess
internal import Measurement

/// Why no stacks were recorded.
public enum StackRecordingError: Error, Equatable, Sendable {
    /// There is no process of that number.
    case noSuchProcess(pid: Int32)
    /// Only its entry in the list of processes is left.
    case hasEnded(pid: Int32, name: String)
    /// It has no user space.
    case kernelThread(pid: Int32, name: String)
    /// The number is that of a thread.
    case isThread(threadID: Int32, name: String, processID: Int32)
    /// The process is this one.
    case ourselves(pid: Int32)
    /// The command could not be started.
    case cannotStart(SpawnError)
    /// The sampler was refused, in a sentence with its remedy.
    case refused(String)
    /// Nothing was sampled, in a sentence that says why.
    case nothingSampled(String)
    /// Something could not be written, in one sentence.
    case cannotWrite(String)
}

extension StackRecordingError: CustomStringConvertible {
    /// What happened, and what to do where something can be done.
    public var description: String {
        switch self {
        case .noSuchProcess(let pid): "Cannot sample process \(pid): there is no such process."
        case .hasEnded(let pid, let name):
            "Cannot sample process \(pid) (\(name)): it has ended, and only waits for its parent to take note."
        case .kernelThread(let pid, let name):
            "Cannot sample process \(pid) (\(name)): it is a thread of the kernel and has no stack to walk."
        case .isThread(let threadID, let name, let processID):
            "Cannot sample \(threadID) (\(name)): it is a thread. Say --pid \(processID), its process, of which all "
                + "threads are sampled."
        case .ourselves(let pid): "Cannot sample process \(pid): it is this very program."
        case .cannotStart(let error): error.description
        case .refused(let sentence), .nothingSampled(let sentence), .cannotWrite(let sentence): sentence
        }
    }
}
