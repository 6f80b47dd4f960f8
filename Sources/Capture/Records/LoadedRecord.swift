internal import FrozenProfile
internal import LinuxSystem
internal import MessageDigest
internal import ProfileStore
internal import StackProfile

/// A run record in a file, with the files that belong to it.
struct LoadedRecord {
    let record: RunRecord
    /// The directory that its files are in.
    let directory: String

    /// The record in a file; its own files have to be there as they were.
    init(path: String) throws(ProfileError) {
        record = try RunRecord.load(path: path)
        directory = Files.directory(of: path)
        // Of a failed run they are there to be looked at, and nothing is made of them.
        for file in record.files where !record.run.hasFailed {
            let path = "\(directory)/\(file.file)"
            let isSame: Bool
            do throws(SystemError) {
                isSame = try SHA256.file(path, .beside, expected: file.bytes) == (file.sha256, file.bytes)
            } catch {
                throw .damagedRecordFile(path, reason: error.description)
            }
            guard isSame else {
                throw .damagedRecordFile(
                    path, reason: "It is not what run \(record.name) wrote: its digest differs.")
            }
        }
    }

    /// Where its file of a kind is, nil when it has none.
    func path(of kind: CompanionKind) -> String? {
        record.file(kind).map { "\(directory)/\($0.file)" }
    }

    /// The most bytes of a run's stacks that are read, packed.
    private static let stacksLimit = 256 << 20

    /// The stacks in a file of the record.
    func stacks(at path: String) throws(ProfileError) -> StackProfile {
        do {
            return try Pprof.read(try Files.read(path, .beside, limit: LoadedRecord.stacksLimit))
        } catch {
            throw .damagedRecordFile(path, reason: "\(error)")
        }
    }

    /// The records in some files and directories; of a directory, those in it and in the directories in it.
    ///
    /// A file that is named has to be a record. In a directory only names such as `002-measured.json` are looked at.
    static func load(_ paths: [String]) throws(ProfileError) -> [LoadedRecord] {
        var records: [LoadedRecord] = []
        for path in paths {
            for file in try files(at: path, depth: 2) { records.append(try LoadedRecord(path: file)) }
        }
        return records
    }

    /// The records in a directory; none when it is not there.
    static func load(ifThere directory: String) throws(ProfileError) -> [LoadedRecord] {
        Files.isDirectory(directory) ? try load([directory]) : []
    }

    private static func files(at path: String, depth: Int) throws(ProfileError) -> [String] {
        guard Files.isDirectory(path) else { return [path] }
        let names: [String]
        do throws(SystemError) {
            names = try Files.names(inDirectory: path)
        } catch {
            throw .system(error)
        }
        var found: [String] = []
        for name in names where !name.hasPrefix(".") {
            let inside = "\(path)/\(name)"
            if isRecordName(name) {
                found.append(inside)
            } else if depth > 0, Files.isDirectory(inside) {
                found += try files(at: inside, depth: depth - 1)
            }
        }
        return found
    }

    /// Whether a file is named as records are: `002-measured.json`.
    static func isRecordName(_ name: String) -> Bool {
        guard name.hasSuffix(".json"), let dash = name.firstIndex(of: "-") else { return false }
        let kind = name[name.index(after: dash)...].dropLast(".json".count)
        return !name[..<dash].isEmpty && name[..<dash].allSatisfy(\.isNumber)
            && RunKind(rawValue: String(kind)) != nil
    }
}
