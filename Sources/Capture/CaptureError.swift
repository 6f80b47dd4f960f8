public import LinuxProcess
internal import StackRecording

/// Why a capture ended without a profile.
public enum CaptureError: Error, Equatable, Sendable {
    /// The command could not be started.
    case cannotStart(SpawnError)
    /// The command ran and failed, or was ended because the capture was: Ctrl-C, or a request to end.
    case targetFailed(FailedRun)
    /// Measuring failed, in one sentence.
    case measurementFailed(String)
    /// Something could not be written, in one sentence.
    case cannotWrite(String)
    /// The version exists already, in one sentence.
    case wouldOverwrite(String)
    /// It was asked for in a way that cannot be meant, in one sentence.
    case wrongUsage(String)
    /// An input is missing, in one sentence.
    case noInput(String)
    /// It ended before all runs were made; those that were finished are kept, and the sentence says how to go on.
    indirect case incomplete(cause: CaptureError, kept: String)

    /// What the recording of stacks, on which captures are built, reports.
    init(_ error: StackRecordingError) {
        switch error {
        case .cannotStart(let cause): self = .cannotStart(cause)
        case .cannotWrite(let sentence): self = .cannotWrite(sentence)
        default: self = .measurementFailed(error.description)
        }
    }

    /// Whether the capture was interrupted.
    package var isInterruption: Bool {
        guard case .targetFailed(let run) = self else { return false }
        return run.isInterruption
    }

    /// Does something with a part that recordings share, and reports its errors as those of a capture.
    static func translating<Value: ~Copyable>(
        _ action: () throws(StackRecordingError) -> Value
    ) throws(CaptureError) -> Value {
        do throws(StackRecordingError) {
            return try action()
        } catch {
            throw CaptureError(error)
        }
    }
}

extension CaptureError: CustomStringConvertible {
    /// What happened and what it means for the profile.
    public var description: String {
        switch self {
        case .cannotStart(let error): return error.description
        case .targetFailed(let run): return run.description
        case .measurementFailed(let sentence), .cannotWrite(let sentence), .wouldOverwrite(let sentence),
            .noInput(let sentence), .wrongUsage(let sentence):
            return sentence
        case .incomplete(let cause, let kept): return "\(cause)\n\(kept)"
        }
    }
}
