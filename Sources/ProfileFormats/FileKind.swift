internal import StackProfile

/// What a file is, recognised by its content.
enum FileKind: Equatable {
    case folded, differentialFolded, pprof, perfScript, callgrind, heaptrack, memray
    case speedscope, chromeProfile, chromeTrace, callChains
    /// A kind that is known and not read: its name, and how to come by one that is.
    case refused(name: String, remedy: String)

    /// The kind of a file by its first bytes and, of JSON, by its members.
    init(_ buffer: UnsafeRawBufferPointer) {
        let beginning = UnsafeRawBufferPointer(rebasing: buffer.prefix(1 << 16))
        if let known = Self.byMagic(beginning) {
            self = known
        } else if Self.isBinary(beginning) {
            // Before JSON: the length of a sample may be the code of a brace or a bracket.
            self = .pprof
        } else if let first = beginning.first(where: { $0 > 0x20 }),
            first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        {
            self = JSONKind.of(buffer) ?? .folded
        } else {
            self = Self.ofText(beginning, whole: buffer)
        }
    }

    private static let magics: [(magic: [UInt8], name: String, remedy: String)] = [
        (
            Array("PERFILE2".utf8), "perf's own file",
            "Convert it: 'perf script -i FILE | freeze-profile render - -o OUT'."
        ),
        (
            [0x28, 0xB5, 0x2F, 0xFD], "a Zstandard archive",
            "Unpack it: 'zstd -dc FILE | freeze-profile render - -o OUT'."
        ),
        (
            [0xFD, 0x37, 0x7A, 0x58, 0x5A], "an xz archive",
            "Unpack it: 'xz -dc FILE | freeze-profile render - -o OUT'."
        ),
        (
            Array("BZh".utf8), "a bzip2 archive",
            "Unpack it: 'bzip2 -dc FILE | freeze-profile render - -o OUT'."
        ),
        ([0x50, 0x4B, 0x03, 0x04], "a zip archive", "Unpack it and give one of the files in it."),
        (
            [0x04, 0x22, 0x4D, 0x18], "an LZ4 archive, or what 'memray run' writes",
            "Of memray, convert it: 'memray transform csv FILE'."
        ),
        (Array("memray\0".utf8), "what 'memray run' writes", "Convert it: 'memray transform csv FILE'."),
        (
            Array("FLR\0".utf8), "a recording of Java Flight Recorder",
            "Convert it with async-profiler's 'jfrconv --collapsed'."
        ),
        (
            Array("gmon".utf8), "gprof's own file",
            "gprof keeps no stacks; sample the program instead: 'freeze-profile sample'."
        ),
        ([0x7F, 0x45, 0x4C, 0x46], "a program or library", "Run it under 'freeze-profile sample'."),
        ([0x89, 0x50, 0x4E, 0x47], "a PNG picture", stacks), (Array("%PDF".utf8), "a PDF document", stacks),
        (Array("SQLite format 3".utf8), "an SQLite database", stacks),
    ]
    private static let stacks = "Give the stacks it was made from."

    private static func byMagic(_ beginning: UnsafeRawBufferPointer) -> FileKind? {
        for known in magics where beginning.starts(with: known.magic) {
            return .refused(name: known.name, remedy: known.remedy)
        }
        return nil
    }

    /// How texts of kinds that are not read begin.
    private static let openings: [(text: String, name: String, remedy: String)] = [
        ("<?xml", "XML or a picture", stacks), ("<svg", "an SVG picture", stacks),
        ("<!doctype", "an HTML page", stacks), ("<html", "an HTML page", stacks),
        ("heap profile:", "gperftools' heap profile in its old text format", gperftools),
        ("heap_v2/", "jemalloc's heap profile", "Convert it: 'jeprof --collapsed PROGRAM FILE'."),
        ("--- threadz", "gperftools' dump of threads", gperftools),
        ("--- heapz", "gperftools' heap profile", gperftools),
        ("--- contention", "gperftools' profile of locks", gperftools),
        ("--- symbol", "gperftools' profile in its old format", gperftools),
        ("--- profile", "gperftools' profile in its old format", gperftools),
        ("goroutine profile:", "Go's dump of goroutines", goText),
        ("threadcreate profile:", "Go's text of a profile", goText),
        ("desc: --", "what valgrind's massif writes", "Run the program under heaptrack or memray instead."),
        (
            "Flat profile:", "what gprof prints",
            "gprof keeps no stacks; sample the program: 'freeze-profile sample'."
        ),
        (
            "Attaching ", "what bpftrace prints",
            "Fold it: 'stackcollapse-bpftrace.pl FILE | freeze-profile render - -o OUT'."
        ),
        (
            "@[", "what bpftrace prints",
            "Fold it: 'stackcollapse-bpftrace.pl FILE | freeze-profile render - -o OUT'."
        ),
        (
            "Sampling process ", "what macOS' sample prints",
            "Fold it: 'stackcollapse-sample.awk FILE | freeze-profile render - -o OUT'."
        ),
        (
            "Analysis of sampling ", "what macOS' sample prints",
            "Fold it: 'stackcollapse-sample.awk FILE | freeze-profile render - -o OUT'."
        ),
        ("JAVA PROFILE", "a heap dump of Java", stacks),
        ("\"Full thread dump", "a thread dump of Java", stacks),
        ("Full thread dump", "a thread dump of Java", stacks),
    ]
    private static let gperftools = "Convert it: 'pprof -proto PROGRAM FILE > profile.pb.gz'."
    private static let goText = "Fetch it with 'debug=0', which gives a pprof profile."

    private static func ofText(_ beginning: UnsafeRawBufferPointer, whole: UnsafeRawBufferPointer) -> FileKind
    {
        if isCallgrind(beginning) { return .callgrind }
        if Heaptrack.isLikely(beginning) { return .heaptrack }
        if Memray.isLikely(beginning) { return .memray }
        let start = beginning.drop { $0 <= 0x20 }
        for known in openings where hasPrefix(start, known.text) {
            return .refused(name: known.name, remedy: known.remedy)
        }
        if PerfScript.isLikely(beginning) { return .perfScript }
        if DifferentialFolded.isLikely(whole) { return .differentialFolded }
        return .folded
    }

    private static func hasPrefix(_ text: Slice<UnsafeRawBufferPointer>, _ prefix: String) -> Bool {
        let length = prefix.utf8.count
        return text.count >= length
            && zip(text, prefix.utf8).allSatisfy { one, other in
                one == other || (one | 0x20) == other && (0x61...0x7A).contains(other)
            }
    }

    /// A protobuf message begins with numbers that are control characters in text: the field and length of the sample
    /// type, and the types of its own fields. A NUL byte alone is damaged text.
    static func isBinary(_ beginning: UnsafeRawBufferPointer) -> Bool {
        beginning.prefix(4096).contains { (0x01..<0x09).contains($0) || (0x0E...0x1A).contains($0) }
    }

    private static func isCallgrind(_ beginning: UnsafeRawBufferPointer) -> Bool {
        var lines = TextLines(beginning)
        var hasEvents = false
        while let line = lines.next(), lines.number <= 400 {
            if beginning.starts(line, with: "# callgrind format") { return true }
            if beginning.starts(line, with: "events:") { hasEvents = true }
            if hasEvents, beginning.starts(line, with: "fn=") { return true }
        }
        return false
    }
}

/// What a JSON file is, recognised by the names of its members.
enum JSONKind {
    /// Nil where the bytes are no JSON.
    static func of(_ buffer: UnsafeRawBufferPointer) -> FileKind? {
        var reader = JSONReader(buffer)
        switch reader.kind() {
        case .array: return isTrace(buffer) ? .chromeTrace : refused("JSON, but of no kind that is read")
        case .object: return ofMembers(names(reader))
        default: return nil
        }
    }

    /// The names of the members of the whole and of its first level; those up to a place where it breaks off.
    private static func names(_ reader: JSONReader) -> Set<String> {
        var reader = reader
        var names: Set<String> = []
        do throws(JSONReader.Failure) {
            try reader.forEachMember { (name, value) throws(JSONReader.Failure) in
                if names.count < 1000 { names.insert(name) }
                if name == "$schema", let schema = try value.optionalString(), schema.contains("speedscope") {
                    names.insert("$speedscope")
                }
            }
        } catch {
            // Of a file that is cut short, what stands before the cut says what it was.
            names.insert("$cut")
        }
        return names
    }

    /// Whether an array's first element is a trace event.
    private static func isTrace(_ buffer: UnsafeRawBufferPointer) -> Bool {
        var reader = JSONReader(buffer)
        var (isFirst, isEvent) = (true, false)
        do throws(JSONReader.Failure) {
            try reader.forEachElement { (element) throws(JSONReader.Failure) in
                guard isFirst else { throw .tooDeep }
                isFirst = false
                guard element.kind() == .object else { return }
                isEvent = try element.members()["ph"] != nil
            }
        } catch {
            return isEvent
        }
        return isEvent
    }

    private static func ofMembers(_ names: Set<String>) -> FileKind {
        func has(_ all: String...) -> Bool { all.allSatisfy(names.contains) }
        if has("$speedscope") || has("shared", "profiles") { return .speedscope }
        if has("traceEvents") { return .chromeTrace }
        if has("nodes", "startTime") || has("nodes", "timeDeltas") || has("nodes", "samples") {
            return .chromeProfile
        }
        if has("functions", "events", "costs") { return .callChains }
        if has("meta", "threads") || has("meta", "libs") {
            return .refused(
                name: "a profile of the Firefox Profiler",
                remedy: "Open it at profiler.firefox.com, which is what it is for.")
        }
        if has("mode", "frames") || has("raw", "frames") {
            return .refused(
                name: "a stackprof dump of Ruby", remedy: "Fold it: 'stackprof --stackcollapse DUMP'.")
        }
        if has("dhatFileVersion") {
            return .refused(
                name: "what valgrind's dhat writes",
                remedy: "It holds blocks, not stacks that add up; see dh_view.html.")
        }
        if has("head", "samples") || has("head", "startTime") || has("head") {
            return .refused(
                name: "a heap profile of Chrome, or a CPU profile in the form that it had before 2016",
                remedy: "Record a CPU profile with a Chrome of today.")
        }
        if has("snapshot", "nodes") || has("snapshot") {
            return .refused(name: "a heap snapshot of Chrome", remedy: "It holds objects, not stacks.")
        }
        if has("resourceProfiles") {
            return .refused(name: "an OpenTelemetry profile", remedy: "Export it as pprof.")
        }
        return refused("JSON, but of no kind that is read")
    }

    private static func refused(_ name: String) -> FileKind {
        .refused(
            name: name,
            remedy:
                "Of JSON, speedscope files, Chrome's CPU profiles and traces, and gprof2dot's files are read."
        )
    }
}
