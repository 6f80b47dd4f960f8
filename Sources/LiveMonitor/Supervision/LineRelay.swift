internal import LinuxSystem

/// Takes what a pipeline prints from a pipe, in whole lines.
///
/// A line without an end is not kept for ever: beyond a length it is passed on as it is, and the last one at the end.
final class LineRelay {
    /// -1 once no process writes any more.
    private(set) var descriptor: Int32
    private let source: FileDescriptor
    /// Where the lines go when no monitor prints them.
    let fallback: Int32
    private var partial: [UInt8] = []

    private static let longestLine = 1 << 14

    init(reading source: consuming FileDescriptor, fallback: Int32) {
        descriptor = source.rawValue
        self.source = source
        self.fallback = fallback
    }

    /// The lines that have come, joined by line ends; nil when there is none. Call it when the descriptor is readable.
    func next() -> String? {
        var bytes: [UInt8] = []
        do throws(SystemError) {
            bytes = try source.read(upTo: 1 << 14)
        } catch {
            // A pipe that cannot be read has ended.
            bytes = []
        }
        if bytes.isEmpty {
            descriptor = -1
            return last()
        }
        partial += bytes
        let end =
            partial.lastIndex(of: UInt8(ascii: "\n"))
            ?? (partial.count > Self.longestLine ? partial.count : nil)
        guard let end else { return nil }
        defer { partial.removeFirst(min(end + 1, partial.count)) }
        return String(decoding: partial[..<end], as: UTF8.self)
    }

    /// All that has come and waits to be read, joined by line ends; what the last line lacks stays.
    func rest() -> String? {
        var pieces: [String] = []
        do throws(SystemError) {
            while descriptor >= 0, try FileDescriptor.waitUntilReadable([descriptor], timeout: .zero)[0] {
                if let lines = next() { pieces.append(lines) }
            }
        } catch {
            // What cannot be waited for cannot be read.
            descriptor = -1
        }
        return pieces.isEmpty ? nil : pieces.joined(separator: "\n")
    }

    /// Whether a process may still write.
    var isOpen: Bool { descriptor >= 0 }

    /// Whether something waits to be read.
    var hasInput: Bool {
        guard descriptor >= 0 else { return false }
        do throws(SystemError) {
            return try FileDescriptor.waitUntilReadable([descriptor], timeout: .zero)[0]
        } catch {
            return false
        }
    }

    /// The last line, if it has no end.
    func last() -> String? {
        defer { partial = [] }
        return partial.isEmpty ? nil : String(decoding: partial, as: UTF8.self)
    }
}
