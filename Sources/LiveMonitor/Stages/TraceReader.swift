internal import LinuxSystem
internal import Measurement
internal import PipelineStatus

/// Reads the event trace as it grows.
struct TraceReader {
    private let path: String
    /// Events before this moment are of an earlier run into the same directory.
    private let earliest: Int64
    private var file: LineFollower?
    private(set) var ignoredLines = 0

    /// A reader of a trace that need not exist yet.
    init(path: String, earliest: Int64) {
        self.path = path
        self.earliest = earliest
    }

    /// The events that have come since the last call, at most so many as fit into 256 KiB; call again for more.
    mutating func next() -> [StageEvent] {
        if file == nil { file = LineFollower(path: path) }
        guard let lines = file?.nextLines() else { return [] }
        var events: [StageEvent] = []
        for line in lines {
            guard let event = StageEvent.parse(line) else {
                ignoredLines += 1
                continue
            }
            // A moment in the future was written before the machine was last started.
            if event.monotonicNanoseconds >= earliest,
                event.monotonicNanoseconds <= SystemClock.monotonicNanoseconds
            {
                events.append(event)
            }
        }
        return events
    }
}

/// Reads whole lines from a file that somebody appends to.
final class LineFollower {
    private let file: FileDescriptor
    private var partial: [UInt8] = []
    /// Set while the rest of a line that is longer than any line is being skipped.
    private var isSkipping = false

    static let maximumLine = 1 << 14
    private static let chunk = 1 << 16

    /// Nil when the file is not there, or cannot be read.
    init?(path: String) {
        do throws(SystemError) {
            file = try FileDescriptor.open(path, .read)
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
