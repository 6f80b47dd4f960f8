internal import LinuxSystem

/// Reads whole lines from a file that somebody appends to.
final class LineFollower {
    private let file: FileDescriptor
    private var partial: [UInt8] = []
    /// Set while the rest of a line that is longer than any line is being skipped.
    private var isSkipping = false

    static let maximumLine = 1 << 14
    private static let chunk = 1 << 16

    /// Nil when the file is not there, or cannot be read.
    ///
    /// - Parameters:
    ///   - trust: How far the place of the file is trusted.
    ///   - skipping: Bytes at the beginning that are left out, unless the file is shorter.
    init?(path: String, _ trust: FileTrust, skipping: Int64 = 0) {
        do throws(SystemError) {
            file = try Files.open(path, trust)
            if skipping > 0, try file.size() >= skipping { try file.skip(toOffset: skipping) }
        } catch {
            return nil
        }
    }

    /// The whole lines that have come, without their ends.
    func nextLines() -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for _ in 0..<4 {
            let bytes: [UInt8]
            do throws(SystemError) {
                bytes = try file.read(upTo: Self.chunk)
            } catch {
                break
            }
            if bytes.isEmpty { break }
            take(bytes, into: &lines)
        }
        return lines
    }

    private func take(_ bytes: [UInt8], into lines: inout [[UInt8]]) {
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            if isSkipping { lines.append([]) } else { lines.append(partial + rest[..<end]) }
            isSkipping = false
            partial.removeAll(keepingCapacity: true)
            rest = rest[(end + 1)...]
        }
        partial += rest
        if partial.count > Self.maximumLine {
            partial.removeAll()
            isSkipping = true
        }
    }
}
