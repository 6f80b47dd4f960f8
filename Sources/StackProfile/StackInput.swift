internal import Compression
internal import Measurement

/// A profile read from a file of whatever kind this toolkit reads, told by its content and not by its name.
public struct StackInput: Sendable {
    /// The kinds of files that are read.
    public enum Kind: String, Hashable, Sendable {
        case folded
        case pprof
    }

    /// What the file was.
    public let kind: Kind
    /// The stacks in it.
    public let profile: StackProfile
    /// What was understood of folded text; nil for other kinds, which are understood wholly or not at all.
    public let report: FoldedStacks.Report?

    /// Why a file could not be read.
    public enum ReadError: Error, Equatable, CustomStringConvertible {
        case folded(FoldedStacks.ReadError)
        case pprof(Pprof.ReadError)
        /// The file is of a kind that is only written.
        case notRead(kind: String)

        /// One sentence, or two.
        public var description: String {
            switch self {
            case .folded(let error): error.description
            case .pprof(let error): error.description
            case .notRead(let kind):
                "This is \(kind), which is only written. Give folded stacks or a pprof profile."
            }
        }
    }

    /// Reads folded text or a pprof profile, either of them gzipped or not.
    public init(_ buffer: UnsafeRawBufferPointer) throws(ReadError) {
        guard Gzip.isGzip(Array(buffer.prefix(2))) else {
            self = try Self.plain(buffer)
            return
        }
        let inflated: [UInt8]
        do throws(Gzip.Failure) {
            inflated = try Gzip.inflated(Array(buffer), limit: Pprof.byteLimit)
        } catch {
            throw .pprof(error == .tooLong ? .tooLong(limit: Pprof.byteLimit) : .damagedGzip)
        }
        let result = inflated.withUnsafeBytes { plain in
            Result { () throws(ReadError) in try Self.plain(plain) }
        }
        self = try result.get()
    }

    private init(kind: Kind, profile: StackProfile, report: FoldedStacks.Report?) {
        self.kind = kind
        self.profile = profile
        self.report = report
    }

    private static func plain(_ buffer: UnsafeRawBufferPointer) throws(ReadError) -> StackInput {
        let beginning = buffer.prefix(4096)
        if let kind = writtenOnly(beginning) { throw .notRead(kind: kind) }
        if isBinary(beginning) {
            do throws(Pprof.ReadError) {
                return StackInput(kind: .pprof, profile: try Pprof.read(plain: buffer), report: nil)
            } catch {
                // Names may hold control characters too: what reads as folded stacks, line by line, is that.
                guard let outcome = folded(buffer) else { throw .pprof(error) }
                return StackInput(kind: .folded, profile: outcome.profile, report: outcome.report)
            }
        }
        do throws(FoldedStacks.ReadError) {
            let outcome = try FoldedStacks.read(buffer)
            return StackInput(kind: .folded, profile: outcome.profile, report: outcome.report)
        } catch {
            throw .folded(error)
        }
    }

    /// Folded stacks without a single line that is none; nil for anything else.
    private static func folded(_ buffer: UnsafeRawBufferPointer) -> FoldedStacks.Outcome? {
        do throws(FoldedStacks.ReadError) {
            let outcome = try FoldedStacks.read(buffer)
            return outcome.report.badLines == 0 && outcome.profile.totalWeight > 0 ? outcome : nil
        } catch {
            return nil
        }
    }

    /// A protobuf message begins with numbers that are control characters in text: the field and length of the sample
    /// type, and the types of its own fields.
    private static func isBinary(_ beginning: Slice<UnsafeRawBufferPointer>) -> Bool {
        beginning.contains { $0 < 0x09 || (0x0E...0x1A).contains($0) }
    }

    private static func writtenOnly(_ beginning: Slice<UnsafeRawBufferPointer>) -> String? {
        let text = String(decoding: beginning.drop { $0 <= 0x20 }.prefix(512), as: UTF8.self)
        if text.hasPrefix("{"), text.contains("speedscope") { return "a speedscope file" }
        if text.hasPrefix("<?xml") || text.hasPrefix("<svg") { return "an SVG picture" }
        return nil
    }
}
