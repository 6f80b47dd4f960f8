internal import Glibc

/// A system call that failed: what was being done, to what, and why.
public struct SystemError: Error, Hashable, Sendable {
    /// What was being done, as the rest of a sentence that begins with "Cannot", such as `open '/tmp/x'`.
    public let action: String
    /// The errno value.
    public let code: Int32
    /// The reason in words, where those of the errno value would mislead.
    private let words: String?

    /// A failure of an action with an errno value.
    ///
    /// - Parameter reason: The reason in words; the kernel's for the errno value when nil.
    public init(action: String, code: Int32, reason: String? = nil) {
        self.action = action
        self.code = code
        words = reason
    }

    /// The same failure, met in the course of another action.
    public func during(_ action: String) -> SystemError {
        SystemError(action: action, code: code, reason: words)
    }

    /// A failure of an action that has just set errno.
    public static func last(_ action: String) -> SystemError {
        SystemError(action: action, code: errno)
    }

    /// Whether the file or process was not there (ENOENT, ESRCH, ENOTDIR).
    public var isNotFound: Bool { code == ENOENT || code == ESRCH || code == ENOTDIR }
    /// Whether access was refused (EACCES, EPERM).
    public var isPermissionDenied: Bool { code == EACCES || code == EPERM }
    /// Whether the file system is full or over its quota (ENOSPC, EDQUOT).
    public var isNoSpace: Bool { code == ENOSPC || code == EDQUOT }
    /// Whether a file of that name was there already (EEXIST).
    public var isAlreadyThere: Bool { code == EEXIST }

    /// A full file system (ENOSPC) that another program met.
    public static func noSpace(action: String) -> SystemError { SystemError(action: action, code: ENOSPC) }

    /// EPIPE: the other side is gone.
    public static let brokenPipe = EPIPE

    /// The reason in words, such as `No space left on device`.
    public var reason: String { words ?? String(cString: strerror(code)) }
}

extension SystemError: CustomStringConvertible {
    /// One sentence, such as `Cannot open '/tmp/x': No such file or directory.`
    public var description: String { "Cannot \(action): \(reason)." }
}

/// Calls a function that returns -1 and sets errno on failure, again for as long as a signal interrupts it.
@discardableResult
func retryingInterrupts<Result: FixedWidthInteger & SignedInteger>(
    _ action: @autoclosure () -> String, _ call: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = call()
        if result != -1 { return result }
        if errno != EINTR { throw SystemError.last(action()) }
    }
}
