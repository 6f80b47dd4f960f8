internal import FrozenProfile
internal import Measurement

/// Why a profile was not promoted, archived, listed or removed.
public enum LifecycleError: Error, Equatable, Sendable {
    /// What was asked for is not allowed, in sentences: nothing was wrong with any file.
    case refused(String)
    /// A file is missing, cannot be read, or is not what it should be, in sentences.
    case noInput(String)
    /// Something is in the way or cannot be written, in sentences.
    case cannotWrite(String)

    /// The same failure of a store.
    init(_ error: ProfileError) {
        switch error {
        case .alreadyFrozen, .referenceExists: self = .cannotWrite(error.description)
        case .invalidVersion: self = .refused(error.description)
        default: self = .noInput(error.description)
        }
    }
}

extension LifecycleError: CustomStringConvertible {
    /// What happened and what to do.
    public var description: String {
        switch self {
        case .refused(let text), .noInput(let text), .cannotWrite(let text): text
        }
    }
}
