internal import Compression
internal import Measurement
public import StackProfile

/// A profile read from a file of whatever kind this toolkit reads, recognised by its content and not by its name.
public struct StackInput: Sendable {
    /// The kinds of files that are read.
    public enum Kind: String, Hashable, Sendable {
        case folded, pprof, speedscope, callgrind, heaptrack
        case differentialFolded = "differential folded stacks"
        case perfScript = "perf script"
        case chromeProfile = "Chrome CPU profile"
        case chromeTrace = "Chrome trace"
        case memray = "memray CSV"
        case callChains = "gprof2dot"
    }

    /// What the file was.
    public let kind: Kind
    /// The stacks in it.
    public let profile: StackProfile
    /// The stacks that ``profile`` is compared with, where the file holds two weights for each.
    public var baseline: StackProfile?
    /// What was understood of folded text; nil for other kinds, which are understood wholly or not at all.
    public let report: FoldedStacks.Report?
    /// What a person has to know of the reading, a sentence each.
    public var notes: [String] = []
    /// What else the file counts could be read instead, by name.
    public var otherSampleTypes: [String] = []
    /// What stacks of this kind are grouped by; nil where the labels decide.
    public var grouping: [GroupingLabel]?

    /// Why a file could not be read.
    public enum ReadError: Error, Equatable, CustomStringConvertible {
        case folded(FoldedStacks.ReadError)
        case pprof(Pprof.ReadError)
        case foreign(FormatError)
        /// The file is of a kind that is known and not read.
        case notRead(kind: String, remedy: String)
        /// The text has a NUL byte in a line.
        case nulByte(line: Int)
        /// Only one kind of weight is in a file of this kind.
        case noSampleTypes(Kind)

        /// One sentence, or two.
        public var description: String {
            switch self {
            case .folded(let error): error.description
            case .pprof(let error): error.description
            case .foreign(let error): error.description
            case .notRead(let kind, let remedy): "This is \(kind). \(remedy)"
            case .nulByte(let line):
                "There is a NUL byte in line \(line), so this is no text: it may be damaged, or of a kind that is not read."
            case .noSampleTypes(let kind):
                "A file of this kind (\(kind.rawValue)) has one kind of weight; leave out --sample-type."
            }
        }
    }

    /// Reads a file of any kind, gzipped or not.
    ///
    /// - Parameters:
    ///   - buffer: The file's bytes.
    ///   - sampleType: Which of the things that the file counts is read; by default what its kind says.
    public init(_ buffer: UnsafeRawBufferPointer, sampleType: String? = nil) throws(ReadError) {
        guard Gzip.isGzip(Array(buffer.prefix(2))) else {
            self = try Self.text(buffer, sampleType)
            return
        }
        let inflated: [UInt8]
        do throws(Gzip.Failure) {
            inflated = try Gzip.inflated(Array(buffer), limit: Pprof.byteLimit)
        } catch {
            throw .pprof(error == .tooLong ? .tooLong(limit: Pprof.byteLimit) : .damagedGzip)
        }
        self = try Self.ofBytes(inflated) { (plain) throws(ReadError) in try Self.text(plain, sampleType) }
    }

    private init(_ kind: Kind, _ profile: StackProfile, report: FoldedStacks.Report? = nil) {
        (self.kind, self.profile, self.report) = (kind, profile, report)
    }

    private static func ofBytes(
        _ bytes: [UInt8], _ read: (UnsafeRawBufferPointer) throws(ReadError) -> StackInput
    ) throws(ReadError) -> StackInput {
        try bytes.withUnsafeBytes { plain in Result { () throws(ReadError) in try read(plain) } }.get()
    }

    /// Reads a file that is not gzipped, in whichever encoding of text.
    private static func text(
        _ buffer: UnsafeRawBufferPointer, _ sampleType: String?
    ) throws(ReadError) -> StackInput {
        guard !FileKind.isBinary(buffer) else { return try plain(buffer, sampleType) }
        let normalized: [UInt8]?
        do throws(FormatError) {
            normalized = try TextEncoding.normalized(buffer)
        } catch {
            throw .foreign(error)
        }
        guard let normalized else { return try plain(buffer, sampleType) }
        return try ofBytes(normalized) { (text) throws(ReadError) in try plain(text, sampleType) }
    }

    private static func plain(
        _ buffer: UnsafeRawBufferPointer, _ sampleType: String?
    ) throws(ReadError) -> StackInput {
        switch FileKind(buffer) {
        case .folded:
            if sampleType != nil { throw .noSampleTypes(.folded) }
            return try folded(buffer)
        case .differentialFolded:
            if sampleType != nil { throw .noSampleTypes(.differentialFolded) }
            return try differential(buffer)
        case .pprof: return try pprof(buffer, sampleType)
        case .perfScript:
            return try foreign(.perfScript) { () throws(FormatError) in
                try PerfScript.read(buffer, sampleType: sampleType)
            }
        case .callgrind:
            return try foreign(.callgrind) { () throws(FormatError) in
                try Callgrind.read(buffer, sampleType: sampleType)
            }
        case .heaptrack:
            return try foreign(.heaptrack) { () throws(FormatError) in
                try Heaptrack.read(buffer, sampleType: sampleType)
            }
        case .memray:
            return try foreign(.memray) { () throws(FormatError) in
                try Memray.read(buffer, sampleType: sampleType)
            }
        case .speedscope:
            return try foreign(.speedscope) { () throws(FormatError) in
                try SpeedscopeReader.read(buffer, sampleType: sampleType)
            }
        case .callChains:
            return try foreign(.callChains) { () throws(FormatError) in
                try CallChains.read(buffer, sampleType: sampleType)
            }
        case .chromeProfile:
            if sampleType != nil { throw .noSampleTypes(.chromeProfile) }
            return try foreign(.chromeProfile) { () throws(FormatError) in try ChromeProfile.read(buffer) }
        case .chromeTrace:
            if sampleType != nil { throw .noSampleTypes(.chromeTrace) }
            return try foreign(.chromeTrace) { () throws(FormatError) in try ChromeTrace.read(buffer) }
        case .refused(let name, let remedy): throw .notRead(kind: name, remedy: remedy)
        }
    }

    private static func foreign(
        _ kind: Kind, _ read: () throws(FormatError) -> ForeignProfile
    ) throws(ReadError) -> StackInput {
        do throws(FormatError) {
            let file = try read()
            var input = StackInput(kind, file.profile)
            input.notes = file.notes
            input.grouping = file.grouping
            input.otherSampleTypes = file.sampleTypes.enumerated().filter { $0.offset != file.taken }.map(
                \.element)
            return input
        } catch {
            throw .foreign(error)
        }
    }

    private static func pprof(
        _ buffer: UnsafeRawBufferPointer, _ sampleType: String?
    ) throws(ReadError) -> StackInput {
        do throws(Pprof.ReadError) {
            let file = try Pprof.read(plain: buffer, sampleType: sampleType)
            var input = StackInput(.pprof, file.profile)
            input.otherSampleTypes = file.types.enumerated().filter { $0.offset != file.taken }.map(\.element)
            return input
        } catch {
            // Names may hold control characters too: what reads as folded stacks, line by line, is that.
            guard sampleType == nil, let input = wholly(folded: buffer) else { throw .pprof(error) }
            return input
        }
    }

    /// Folded stacks without a single line that is none; nil for anything else.
    private static func wholly(folded buffer: UnsafeRawBufferPointer) -> StackInput? {
        do throws(FoldedStacks.ReadError) {
            let outcome = try FoldedStacks.read(buffer)
            guard outcome.report.badLines == 0, outcome.profile.totalWeight > 0 else { return nil }
            return StackInput(.folded, outcome.profile, report: outcome.report)
        } catch {
            return nil
        }
    }

    private static func folded(_ buffer: UnsafeRawBufferPointer) throws(ReadError) -> StackInput {
        if let nul = buffer.firstIndex(of: 0) {
            throw .nulByte(line: 1 + buffer[..<nul].count { $0 == 0x0A })
        }
        do throws(FoldedStacks.ReadError) {
            let outcome = try FoldedStacks.read(buffer)
            return StackInput(.folded, outcome.profile, report: outcome.report)
        } catch {
            throw .folded(error)
        }
    }

    private static func differential(_ buffer: UnsafeRawBufferPointer) throws(ReadError) -> StackInput {
        do throws(FoldedStacks.ReadError) {
            let sides = try DifferentialFolded.read(buffer)
            var input = StackInput(.differentialFolded, sides.after.profile, report: sides.after.report)
            input.baseline = sides.before.profile
            return input
        } catch {
            throw .folded(error)
        }
    }
}
