internal import CLinux
internal import Glibc

/// Determines whether any process has been started since the last look, from the last field of `/proc/loadavg`: the
/// identifier given out last. So that it is not necessary to look through all of `/proc` when none has.
public struct ForkDetector: ~Copyable {
    /// What has happened since the last look.
    public enum Finding: Equatable, Sendable {
        case nothingStarted
        case somethingStarted
        /// Identifiers have begun anew from the lowest: one may mean another process now.
        case identifiersReused
    }

    private let descriptor: Int32
    private var last: Int64?

    /// A detector. Where `/proc/loadavg` is not the kernel's own (containers may have one that is made up), it always
    /// says that something was started.
    public init() {
        let opened = clinux_open("/proc/loadavg", O_RDONLY | O_CLOEXEC, 0)
        if opened >= 0, clinux_is_proc(opened) == 0 {
            close(opened)
            descriptor = -1
        } else {
            descriptor = opened
        }
        last = nil
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// What has happened since the last call; the first time everything may have.
    public mutating func look() -> Finding {
        guard descriptor >= 0, let bytes = ProcFile.read(descriptor), let newest = Self.parse(bytes) else {
            return .somethingStarted
        }
        defer { last = newest }
        guard let last else { return .somethingStarted }
        if newest == last { return .nothingStarted }
        return newest > last ? .somethingStarted : .identifiersReused
    }

    /// The identifier given out last, in the text of `/proc/loadavg`.
    static func parse(_ bytes: [UInt8]) -> Int64? {
        bytes.split { $0 == 0x20 || $0 == 0x0A }.last.flatMap { ProcFile.decimal($0) }
    }
}
