public import LinuxSystem
internal import Measurement
public import YAMLDocument

/// Why a profile could not be read, written or found.
public enum ProfileError: Error, Equatable, Sendable {
    /// The file is no YAML document.
    case notYAML(file: String, YAMLError)
    /// A key is missing that every profile has.
    case missing(file: String, key: String)
    /// A key has a value of another kind or range. Both phrases come after "is": `a string`, `a number of seconds`.
    case wrongValue(file: String, key: String, found: String, expected: String)
    /// The file was written by a newer version.
    case newerSchema(file: String, found: SchemaVersion, supported: SchemaVersion)
    /// The file is no run record; a sentence says why.
    case notRecord(file: String, reason: String)
    /// A key is missing that every run record has.
    case missingInRecord(file: String, key: String)
    /// A key of a run record has a value of another kind or range.
    case wrongRecord(file: String, key: String, found: String, expected: String)
    /// A file that belongs to a run record is missing or is not what it was; a sentence says how.
    case damagedRecordFile(String, reason: String)
    /// There is nothing to make summaries of.
    case noMeasuredRun
    /// Two records are of one run.
    case repeatedRun(String)
    /// Records are not of one thing; a clause says what differs.
    case mixedRecords(String)
    /// The text names no version.
    case invalidVersion(String, reason: String)
    /// The version is frozen already.
    case alreadyFrozen(version: String, file: String)
    /// A reference of that name is there; references are never replaced.
    case referenceExists(id: String, file: String)
    /// The version is not in the directory; the nearest names that are.
    case unknownVersion(String, directory: String, nearest: [String])
    /// Two companions of one kind.
    case repeatedCompanion(kind: String)
    /// The file is too long.
    case tooLong(file: String, limit: Int)
    /// The companion with a profile's raw values is missing or is not what was frozen; a sentence says how.
    case damagedRuns(file: String, reason: String)
    /// What was to be frozen could not be read again; a sentence says why.
    case notReadable(file: String, reason: String)
    /// The kernel refused.
    case system(SystemError)
}

extension ProfileError: CustomStringConvertible {
    /// One or two sentences: what, where, why, what to do.
    public var description: String {
        switch self {
        case .notYAML(let file, let error): "'\(shown(file))' is not a frozen profile. \(error)"
        case .missing(let file, let key):
            "'\(shown(file))' has no \(shown(key)). Add it, or freeze this version again."
        case .wrongValue(let file, let key, let found, let expected):
            "'\(shown(file))': \(shown(key)) is \(shown(found)), but should be \(expected). "
                + "Correct it, or freeze this version again."
        case .newerSchema(let file, let found, let supported):
            "'\(shown(file))' has schema \(found), and this version of freeze-profile reads up to "
                + "\(supported.major).x. Use a newer freeze-profile."
        case .notRecord(let file, let reason): "'\(shown(file))' is not a run record. \(shown(reason))"
        case .missingInRecord(let file, let key):
            "'\(shown(file))' has no \(shown(key)). Make this run again, or leave its record out."
        case .wrongRecord(let file, let key, let found, let expected):
            "'\(shown(file))': \(shown(key)) is \(shown(found)), but should be \(expected). "
                + "Make this run again, or leave its record out."
        case .damagedRecordFile(let file, let reason):
            "The file '\(shown(file))' of a run record cannot be used. \(shown(reason)) "
                + "Make this run again, or leave its record out."
        case .noMeasuredRun:
            "Among the records is no measured run that ended well, so there is nothing to freeze. "
                + "Add the record of one."
        case .repeatedRun(let run):
            "Two of the records are of run \(shown(run)). Leave one out, or give its session another name."
        case .mixedRecords(let difference):
            "These records do not belong together: \(list(difference)). Freeze each kind by itself."
        case .invalidVersion(let text, let reason):
            "'\(shown(text))' cannot name a version: \(reason). Use a name such as v1.2.0."
        case .alreadyFrozen(let version, let file):
            "Version \(shown(version)) is frozen already in '\(shown(file))'. "
                + "Freeze under another version, or replace it with --force."
        case .referenceExists(let id, let file):
            "Reference \(shown(id)) is there already in '\(shown(file))', and references are never replaced. "
                + "Choose another name."
        case .unknownVersion(let version, let directory, let nearest):
            "There is no profile of version \(shown(version)) in '\(shown(directory))'. "
                + (nearest.isEmpty
                    ? "Give a version frozen there, or the path of a profile."
                    : "Did you mean \(nearest.map(shown).joined(separator: ", "))?")
        case .repeatedCompanion(let kind):
            "A profile has one companion of a kind, and two are of kind \(shown(kind)). Leave one out."
        case .tooLong(let file, let limit):
            "'\(shown(file))' is longer than the \(limit) bytes that are read of a profile. Check that it is one."
        case .damagedRuns(let file, let reason):
            "The raw values in '\(shown(file))' cannot be used. \(shown(reason)) "
                + "Restore the file, or freeze this version again."
        case .notReadable(let file, let reason):
            "'\(shown(file))' was not written, because it could not be read again: \(shown(reason)) "
                + "Nothing has been replaced. Freeze fewer runs or fewer stages in one version."
        case .system(let error): error.description
        }
    }

    private func shown(_ text: String) -> String {
        PlainText.sanitized(text, maximumCharacters: 300)
    }

    /// What differs in each of up to twenty sessions.
    private func list(_ text: String) -> String {
        PlainText.sanitized(text, maximumCharacters: 8000)
    }
}
