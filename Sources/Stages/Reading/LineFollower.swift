internal import LinuxSystem

/// Reads whole lines from a file to which another process appends.
final class LineFollower {
    private let file: FileDescriptor
    private var partial: [UInt8] = []
    /// How far the file has been read.
    private var position: Int64 = 0
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
            if skipping > 0, try file.size() >= skipping {
                try file.skip(toOffset: skipping)
                position = skipping
            }
        } catch {
            return nil
        }
    }

    /// What became of the file while it was read.
    enum Fate: Equatable {
        case replaced
        case cutShort
    }

    /// Whether another file is at the path now, or less is in this one than was read: after a rotation of logs, or when its
    /// directory was moved and made anew. Where nothing is at the path, this is still the file.
    func fate(at path: String) -> Fate? {
        if let now = Files.node(path), let mine = file.node, now != mine { return .replaced }
        do throws(SystemError) {
            return try file.size() < position ? .cutShort : nil
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
            position += Int64(bytes.count)
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
