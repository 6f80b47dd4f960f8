internal import FrozenProfile
internal import LinuxSystem
internal import Measurement
internal import MessageDigest

/// What was listed of a directory before, by version and file: a cache, which may be removed at any time.
///
/// It is kept for directories of many versions only, in a file with a line for each. A line counts as long as its file is
/// the one that was read: same inode, same times of change.
struct CatalogueIndex {
    /// A version as it was read.
    struct Line {
        var version: String
        var identity: Files.Identity
        var summary: VersionSummary
    }

    private let path: String?
    private let header: String
    private var known: [String: (identity: String, summary: VersionSummary)] = [:]

    /// With fewer versions reading them is as fast.
    static let fewestVersions = 100
    private static let maximumBytes = 64 << 20
    /// A file that was changed so lately may be changed again within the same tick of the file system's clock.
    private static let settling = Duration.seconds(2)

    /// The index of a directory.
    ///
    /// - Parameter cache: The directory of all indexes; nil for no index.
    init(of directory: String, in cache: String?) {
        guard let cache, let place = Self.canonical(directory) else {
            (path, header) = (nil, "")
            return
        }
        let name = SHA256.hexadecimal(of: Array(place.utf8)).prefix(32)
        path = "\(cache)/\(name).list"
        header = ["freeze-profile list 1", place].map(Self.escaped).joined(separator: "\t")
        read()
    }

    /// What is known of a version's file, if it is still the one that was read.
    func summary(of version: VersionName, _ identity: Files.Identity) -> VersionSummary? {
        guard let line = known[version.text], line.identity == identity.text else { return nil }
        return line.summary
    }

    /// Keeps what has been read now, unless nothing has changed or it is little.
    func replace(with lines: [Line]) {
        guard let path, lines.count >= Self.fewestVersions else { return }
        let isSame =
            lines.count == known.count
            && lines.allSatisfy { known[$0.version]?.identity == $0.identity.text }
        if isSame { return }
        let settled = lines.filter { $0.identity.changedAt.duration(to: SystemClock.now) > Self.settling }
        let text = ([header] + settled.map(Self.text)).joined(separator: "\n") + "\n"
        // Without a cache the next list takes longer, and that is all.
        _ = Result { () throws(SystemError) in
            try Files.createDirectories(Files.directory(of: path))
            try Files.replace(path, with: text)
        }
    }

    private static func canonical(_ directory: String) -> String? {
        do throws(SystemError) { return try Files.canonical(directory) } catch { return nil }
    }

    private mutating func read() {
        guard let path else { return }
        let bytes: [UInt8]
        do throws(Files.ReadError) {
            bytes = try Files.read(path, .beside, limit: Self.maximumBytes)
        } catch {
            return
        }
        let lines = bytes.split(separator: 0x0A)
        guard let first = lines.first, String(decoding: first, as: UTF8.self) == header else { return }
        for line in lines.dropFirst() {
            let fields = line.split(separator: 0x09, omittingEmptySubsequences: false).map {
                Self.unescaped($0)
            }
            guard fields.count == 12, let summary = VersionSummary(fields: Array(fields[2...])) else {
                continue
            }
            known[fields[0]] = (fields[1], summary)
        }
    }

    private static func text(_ line: Line) -> String {
        ([line.version, line.identity.text] + line.summary.fields).map(escaped).joined(separator: "\t")
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "%") }) else { return text }
        return text.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar == "%"
                ? "%" + String(scalar.value + 0x100, radix: 16).dropFirst() : String(scalar)
        }.joined()
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
        guard bytes.contains(UInt8(ascii: "%")) else { return String(decoding: bytes, as: UTF8.self) }
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"),
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else {
                result.append(byte)
                continue
            }
            result.append(code)
            rest = rest.dropFirst(2)
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension VersionSummary {
    /// Its values as texts, lists joined by a control character that no word of theirs has.
    fileprivate var fields: [String] {
        func text(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "" }
        return [
            release, date, hostClass, cpuModel ?? "", text(wallSeconds), text(peakResidentMB), text(runs),
            "\(sessions)", quality.joined(separator: Self.separator),
            companions.map { "\($0.bytes)/\($0.name)" }.joined(separator: Self.separator),
        ]
    }

    private static let separator = "\u{1F}"

    /// The values of texts; nil where they are none.
    fileprivate init?(fields: [String]) {
        guard fields.count == 10, let sessions = Int(fields[7]) else { return nil }
        var companions: [File] = []
        for text in fields[9].split(separator: Self.separator) {
            guard let slash = text.firstIndex(of: "/"), let bytes = Int64(text[..<slash]) else { return nil }
            companions.append(File(name: String(text[text.index(after: slash)...]), bytes: bytes))
        }
        self.init(
            release: fields[0], date: fields[1], hostClass: fields[2],
            cpuModel: fields[3].isEmpty ? nil : fields[3], wallSeconds: Double(fields[4]),
            peakResidentMB: Double(fields[5]), runs: Int(fields[6]), sessions: sessions,
            quality: fields[8].split(separator: Self.separator).map(String.init), companions: companions)
    }
}
