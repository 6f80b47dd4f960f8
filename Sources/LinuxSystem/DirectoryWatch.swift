internal import CLinux
internal import Glibc

/// Reports what happens to the names in a directory, as it happens. The corresponding C functions are `inotify_init1`,
/// `inotify_add_watch` and `read`.
///
/// The kernel merges an event with the one before it when both are the same and unread. A name that is replaced twice
/// in a row may therefore be reported once: a caller that needs the current state of a file reads it at each event. If it
/// must not miss any state, the writer has to append them to a file.
public struct DirectoryWatch: ~Copyable, Sendable {
    /// One thing that happened.
    public enum Event: Hashable, Sendable {
        /// A name is complete: moved into place, or closed after writing.
        case written(name: String)
        /// A name has been created and may still be empty.
        case created(name: String)
        /// A name is complete in one of the directories that were added.
        case writtenBelow(directory: String, name: String)
        /// The directory itself has been deleted, moved or unmounted: nothing more will come.
        case directoryGone
        /// The kernel's queue overflowed: something has been lost.
        case overflow
    }

    /// The directory that is watched.
    public let directory: String
    /// Becomes readable when something has happened.
    public var descriptor: Int32 { file.rawValue }

    private let file: FileDescriptor
    /// The directories that were added, by the kernel's number for each.
    private var added: [Int32: String] = [:]

    private static let mask =
        UInt32(IN_MOVED_TO) | UInt32(IN_CLOSE_WRITE) | UInt32(IN_CREATE) | UInt32(IN_DELETE_SELF)
        | UInt32(IN_MOVE_SELF) | UInt32(IN_ONLYDIR)

    /// Watches a directory that exists. A symbolic link to one is followed.
    public init(_ directory: String) throws(SystemError) {
        let raw = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard raw >= 0 else { throw SystemError.last("watch the directory '\(directory)'") }
        guard inotify_add_watch(raw, directory, Self.mask) >= 0 else {
            let error = SystemError.last("watch the directory '\(directory)'")
            close(raw)
            throw error
        }
        self.directory = directory
        file = FileDescriptor(owning: raw)
    }

    /// Watches one more directory, for names that become complete in it.
    public mutating func add(_ directory: String) throws(SystemError) {
        let number = inotify_add_watch(file.rawValue, directory, Self.mask)
        guard number >= 0 else { throw SystemError.last("watch the directory '\(directory)'") }
        added[number] = directory
    }

    /// What has happened since the last call, oldest first; empty when nothing has.
    public func events() throws(SystemError) -> [Event] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try file.read(upTo: 1 << 14)
        } catch {
            if error.code == EAGAIN { return [] }
            throw SystemError(action: "watch the directory '\(directory)'", code: error.code)
        }
        return Self.parse(bytes, added: added)
    }

    /// The events in what the kernel wrote: `struct inotify_event`, a header of 16 bytes and a padded name.
    static func parse(_ bytes: [UInt8], added: [Int32: String] = [:]) -> [Event] {
        var events: [Event] = []
        var offset = 0
        while offset + 16 <= bytes.count {
            let (number, mask, length) = bytes.withUnsafeBytes { raw in
                (
                    raw.loadUnaligned(fromByteOffset: offset, as: Int32.self),
                    raw.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
                    Int(raw.loadUnaligned(fromByteOffset: offset + 12, as: UInt32.self))
                )
            }
            let start = offset + 16
            guard length <= bytes.count - start else { break }
            let name = NativeText.text(bytes[start..<start + length].prefix { $0 != 0 })
            if let event = event(mask: mask, name: name) {
                if let directory = added[number] {
                    // That an added directory is gone is of no interest: the one that is watched is still there.
                    if case .written = event {
                        events.append(.writtenBelow(directory: directory, name: name))
                    }
                } else {
                    events.append(event)
                }
            }
            offset = start + length
        }
        return events
    }

    private static func event(mask: UInt32, name: String) -> Event? {
        if mask & UInt32(IN_Q_OVERFLOW) != 0 { return .overflow }
        if mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT) != 0 {
            return .directoryGone
        }
        if mask & UInt32(IN_MOVED_TO | IN_CLOSE_WRITE) != 0 { return .written(name: name) }
        return mask & UInt32(IN_CREATE) != 0 ? .created(name: name) : nil
    }
}
