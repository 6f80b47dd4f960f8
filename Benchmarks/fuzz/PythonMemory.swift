import LinuxProcess
import LinuxSystem
import PythonFrames
import Synchronization

/// The memory of a Python process as far as the reader of its frames touched it, in one file: a line of numbers for the
/// interpreter, then pieces, each a line `ADDRESS COUNT` and the bytes.
struct PythonMemory {
    private let numbers: [UInt64]
    private let pieces: [(address: UInt64, bytes: ArraySlice<UInt8>)]

    /// Nil where the line of numbers is damaged.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        guard let numbers = Self.line(&rest), numbers.count == 5 else { return nil }
        self.numbers = numbers
        Self.replace(numbers[3], by: CurrentProcess.pid, in: &rest)
        var pieces: [(UInt64, ArraySlice<UInt8>)] = []
        while let head = Self.line(&rest), head.count == 2 {
            let content = rest.prefix(Int(clamping: head[1]))
            pieces.append((head[0], content))
            rest = rest[content.endIndex...]
        }
        self.pieces = pieces
    }

    /// Whether frames could be read, with their names and lines.
    var isReadable: Bool {
        let pieces = self.pieces
        let memory = TargetMemory { address, buffer in
            for piece in pieces where address >= piece.address {
                let within = address - piece.address
                guard within <= UInt64(piece.bytes.count),
                    UInt64(buffer.count) <= UInt64(piece.bytes.count) - within
                else { continue }
                buffer.copyBytes(from: piece.bytes.dropFirst(Int(within)).prefix(buffer.count))
                return true
            }
            return false
        }
        do {
            let interpreter = try PythonInterpreter(
                memory, runtime: numbers[1], codeType: numbers[2], statedVersion: nil,
                namedVersion: PythonVersion(3, Int(truncatingIfNeeded: numbers[0] & 0xFFFF)),
                evaluation: 0..<0,
                path: "p")
            let reader = FrameReader(interpreter, memory, processID: CurrentProcess.pid)
            let stack = try reader.read(
                threadID: CurrentProcess.pid,
                now: Int64(truncatingIfNeeded: numbers[4]))
            return stack.shown.contains { !$0.code.object.qualifiedName.isEmpty && $0.line > 0 }
        } catch {
            return Reader.isRefused(error)
        }
    }

    /// The thread's identifier has to be one of a process that is there.
    private static func replace(_ old: UInt64, by new: Int32, in bytes: inout ArraySlice<UInt8>) {
        let (old, new) = (UInt32(truncatingIfNeeded: old), UInt32(bitPattern: new))
        let first = UInt8(truncatingIfNeeded: old)
        bytes.withUnsafeMutableBytes { bytes in
            for index in 0..<max(0, bytes.count - 3) where bytes[index] == first {
                if bytes.loadUnaligned(fromByteOffset: index, as: UInt32.self) == old {
                    bytes.storeBytes(of: new, toByteOffset: index, as: UInt32.self)
                }
            }
        }
    }

    private static func line(_ rest: inout ArraySlice<UInt8>) -> [UInt64]? {
        guard let end = rest.prefix(200).firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ").compactMap {
            UInt64($0)
        }
        rest = rest[(end + 1)...]
        return words
    }

    /// Writes the memory of a running process in this form.
    static func record(_ processID: Int32) throws -> [UInt8] {
        final class Touched: Sendable {
            let pieces = Mutex<[(UInt64, [UInt8])]>([])
        }
        let touched = Touched()
        let live = TargetMemory.ofProcess(processID)
        let memory = TargetMemory { address, buffer in
            guard live.read(address, into: buffer) else { return false }
            touched.pieces.withLock { $0.append((address, Array(UnsafeRawBufferPointer(buffer)))) }
            return true
        }
        let interpreter = try PythonLocator().locate(processID, memory)
        let reader = FrameReader(interpreter, memory, processID: processID)
        _ = try reader.read(threadID: processID, now: SystemClock.monotonicNanoseconds)
        let minor = interpreter.layout.version.minor
        var text = Array(
            "\(minor) \(interpreter.runtime) \(interpreter.codeType) \(processID) \(SystemClock.monotonicNanoseconds)\n"
                .utf8)
        for (address, bytes) in touched.pieces.withLock({ $0 }) {
            text += Array("\(address) \(bytes.count)\n".utf8) + bytes
        }
        return text
    }
}
